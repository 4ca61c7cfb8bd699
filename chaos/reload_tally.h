// What a run that changes code comes to: for a reader and for JSON. Pure.
#pragma once

#include <cstdint>
#include <string>

namespace arenad::chaos {

struct ReloadTally {
  uint64_t steps = 0;        // of the script
  uint64_t made = 0;         // that were gone through
  uint64_t as_expected = 0;  // of these
  uint64_t refused = 0;      // versions that no arena has ever tried
  uint64_t taken_over = 0;   // changes of one arena's code that stayed
  uint64_t taken_back = 0;   // that did not
};

// Lines for a reader.
std::string reload_text(const ReloadTally& tally);
// Members of a JSON object, each with a comma before it.
std::string reload_json(const ReloadTally& tally);

}  // namespace arenad::chaos
