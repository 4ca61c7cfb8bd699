// The runs of a sweep: one after the other with the same processes, until one goes wrong. That one's folder is kept, and the
// next one begins with new processes in another.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chaos/private_folder.h"
#include "chaos/stop_signals.h"
#include "chaos/sweep/scenario.h"

namespace arenad::sweep {

// Whether system calls go through a table of traps.
enum class Calls { unwatched, watched };

// What all runs came to.
struct RunsReport {
  uint64_t runs = 0;
  uint64_t frames_compared = 0;
  std::vector<std::string> failures;  // all that is wrong, each with the command that repeats it
  bool cut_short = false;
};

class Runs {
 public:
  using Say = std::function<void(const std::string&)>;
  Runs(std::filesystem::path beside, Calls calls, size_t most_failures, chaos::StopSignals& signals, Say say)
      : beside_(std::move(beside)), calls_(calls), most_failures_(most_failures), signals_(signals), say_(std::move(say)) {}
  // Also when it could not be run. `fired` has an entry for each trap.
  Outcome play(const Plan& plan);
  // The next run begins with new processes.
  void end_rig();
  // False: a signal has come, or there is more wrong than anybody reads.
  bool goes_on();
  void say(const std::string& text) { say_(text); }
  void add_failure(std::string text) { report_.failures.push_back(std::move(text)); }
  [[nodiscard]] const RunsReport& report() const { return report_; }

 private:
  Result<void> make_rig();
  void note_failure(const Plan& plan, const Outcome& outcome);

  std::filesystem::path beside_;
  Calls calls_;
  size_t most_failures_;
  chaos::StopSignals& signals_;
  Say say_;
  std::optional<chaos::PrivateFolder> folder_;
  std::optional<CallTable> table_;
  std::unique_ptr<Rig> rig_;
  uint64_t next_run_ = 1;
  RunsReport report_;
};

// What is missing here for watching calls; empty: nothing is.
std::string cannot_watch_calls();

}  // namespace arenad::sweep
