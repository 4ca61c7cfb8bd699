// Goes through the script of changes of code (reload_script.h) while bots play: types each command, shows what it says, and sees that
// it comes to what it must. What a step comes to is asked of arenad, before and after it.
//
//   resting    bots play
//     | for long enough
//   asking     arenactl runs
//     | it has ended: its exit code and words are checked
//   settling   until every arena runs, on probation no more, in the version that it must; then which arenas have another
//     | incarnation than before is checked, and the next step rests
//   over       all steps are made, or somebody asked for the end
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chaos/control.h"
#include "chaos/findings.h"
#include "chaos/operator_command.h"
#include "chaos/programs.h"
#include "chaos/reload_script.h"
#include "chaos/reload_tally.h"
#include "chaos/screen.h"

namespace arenad::chaos {

class ReloadShow {
 public:
  struct Place {
    std::filesystem::path arenactl;
    std::filesystem::path socket;
    std::filesystem::path log;  // of arenactl
  };
  // rest_ns: how long bots play before each step.
  ReloadShow(std::vector<ReloadStep> script, Place place, uint64_t rest_ns, Control& control, Screen& screen);

  void begin(uint64_t now_ns);
  // Waits for nothing. An error if arenad does not answer.
  Result<void> turn(uint64_t now_ns);
  // Begins nothing more, and waits for no command; what a command has begun goes on in arenad.
  void stop();

  [[nodiscard]] bool done() const { return stage_ == Stage::over; }
  [[nodiscard]] const ReloadTally& tally() const { return tally_; }
  // What did not come to what it must.
  [[nodiscard]] const Findings& findings() const { return findings_; }

 private:
  using Arenas = std::map<std::string, RunningArena>;
  enum class Stage { resting, asking, settling, over };

  Result<void> ask(uint64_t now_ns);
  void listen(uint64_t now_ns);
  Result<void> settle(uint64_t now_ns);
  void conclude(const Arenas& after);
  void next_step(uint64_t now_ns);
  void complain(const std::string& what);
  [[nodiscard]] const ReloadStep& step() const { return script_[step_]; }

  std::vector<ReloadStep> script_;
  Place place_;
  uint64_t rest_ns_;
  Control& control_;
  Screen& screen_;
  Stage stage_ = Stage::resting;
  size_t step_ = 0;
  uint64_t due_ns_ = 0;  // resting: when the step begins; settling: when arenad is asked again
  uint64_t deadline_ns_ = 0;
  std::optional<OperatorCommand> command_;
  std::string said_;  // by the command
  Arenas before_;
  bool is_as_expected_ = true;  // the step, so far
  ReloadTally tally_;
  Findings findings_;
};

}  // namespace arenad::chaos
