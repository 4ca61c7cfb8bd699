// The figures of a proof against what they have to be. Pure.
#pragma once

#include <string>
#include <vector>

#include "chaos/part_run.h"
#include "chaos/proof.h"

namespace arenad::chaos {

class ProofReport {
 public:
  void add(const Part& part, const PartOutcome& outcome);
  // A line for each figure: name, figure, bar, "ok" or "MISSED"; and for each part how long it took, or why there is nothing.
  [[nodiscard]] std::string table() const;
  // One flat object: the figures under their names, and every other number that a part gave as PART.KEY.
  [[nodiscard]] std::string json() const;
  // Each part was done, and each figure is there and reaches its bar.
  [[nodiscard]] bool all_is_reached() const;
  [[nodiscard]] bool has_failed() const;

 private:
  struct Entry {
    Part part;
    PartOutcome outcome;
  };
  std::vector<Entry> entries_;
};

}  // namespace arenad::chaos
