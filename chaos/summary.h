// What came out of a run: for a reader, as one flat JSON object, and as the last line. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "chaos/daemon_tally.h"
#include "chaos/durations.h"
#include "chaos/findings.h"
#include "chaos/reload_tally.h"
#include "chaos/run_options.h"
#include "ipc/incarnation_layout.h"

namespace arenad::chaos {

constexpr size_t kPhases = static_cast<size_t>(Phase::snapshotting) + 1;

struct RunSummary {
  RunOptions options;
  double seconds = 0;  // that were played
  uint64_t frames = 0;
  uint64_t events_sent = 0;
  uint64_t events_applied = 0;
  uint64_t events_full = 0;  // not sent: a channel was full
  uint64_t outputs_published = 0;
  uint64_t outputs_received = 0;  // by the bots
  uint64_t kills = 0;
  std::array<uint64_t, kPhases> kills_in_phase{};  // by Phase
  uint64_t kills_in_recovery = 0;                  // of a worker that had not run a frame of its own yet
  uint64_t replayed_frames = 0;
  uint64_t replayed_events = 0;
  Durations to_frame{{}};  // from a kill to the first new frame
  Durations to_live{{}};   // from a kill to a worker that is ready for it
  uint64_t set_back = 0;   // arenas that went on from a checkpoint, without what came after it
  DaemonTally daemon;
  Growth growth;
  ReloadTally reload;
  Findings findings;
  // Why the run proves nothing, although nothing is wrong.
  std::vector<std::string> vacuous;
  std::string evidence;    // the folder that was kept; empty: none was
  bool judged = false;     // all that was played
  bool cut_short = false;  // somebody asked for the end before all was played, or before it was judged

  [[nodiscard]] uint64_t kills_in_frame() const;  // the worker was not waiting for its next tick
  // Of what options.kills counts.
  [[nodiscard]] uint64_t kills_that_count() const;
  // Everything that is wrong, counted and not counted.
  [[nodiscard]] uint64_t violations() const;
  // What was played, be it cut short, is judged and right.
  [[nodiscard]] bool ok() const { return judged && findings.clean() && vacuous.empty(); }
};

constexpr int kExitFailed = 1;
constexpr int kExitCutShort = 130;  // as a shell says it of a program that Ctrl-C has ended

// 0: played to the end and right. kExitFailed: something is wrong, or the run proves nothing. kExitCutShort: it was, and nothing
// is wrong.
int exit_code(const RunSummary& summary);

std::string summary_text(const RunSummary& summary);
std::string summary_json(const RunSummary& summary);
// "result: ok kills=...", or with changes of code "result: ok commands=..."
std::string result_line(const RunSummary& summary);

}  // namespace arenad::chaos
