// One part of the proof, run: its program as a child, with what it says shown as it comes, and its JSON taken in.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "chaos/proof.h"
#include "chaos/stop_signals.h"

namespace arenad::chaos {

struct PartOutcome {
  enum class How { done, failed, missing, cut_short };
  How how = How::done;
  std::string why;                       // unless done
  std::map<std::string, double> values;  // of its JSON, what is a number, true or false
  double seconds = 0;
};

// folder: what the part leaves lies there, also what it makes in $TMPDIR. Programs are looked for in the folders of the build tree, or
// else beside this one.
PartOutcome run_part(const Part& part, const std::filesystem::path& self, const std::filesystem::path& folder,
                     StopSignals& signals);

// The numbers of a flat JSON object; nothing if it is none.
std::optional<std::map<std::string, double>> parse_flat_json(const std::string& text);

}  // namespace arenad::chaos
