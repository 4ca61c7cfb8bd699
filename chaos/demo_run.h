// A whole run: arenad with its arenas, bots that play in them, killers of workers and of arenad or an operator who changes the game's
// code, and a judge at the end. Wiring only: what each part does stands in its own file.
//
//   prepare    arenad answers, every arena runs and is watched, every bot is in its arena
//   play       kills, or changes of code, until the time is over, they are all done, or somebody asks for the end
//   wind down  bots stop sending, everything that was sent is in frames, arenas stop, clients have read to the end
//   take down  arenad ends, and nothing is left of it
//   try        each arena against the same frames without a crash
//
// Whatever fails, taking down comes, and each wait has a deadline. Who asks for the end ends the preparation or the play, and
// what was played is judged; who asks again goes on to taking down, and nothing is judged.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "chaos/arena_observer.h"
#include "chaos/bot_crew.h"
#include "chaos/control.h"
#include "chaos/daemon_killer.h"
#include "chaos/daemon_process.h"
#include "chaos/gauge.h"
#include "chaos/killer.h"
#include "chaos/pacers.h"
#include "chaos/programs.h"
#include "chaos/reload_show.h"
#include "chaos/run_options.h"
#include "chaos/screen.h"
#include "chaos/stop_signals.h"
#include "chaos/summary.h"

namespace arenad::chaos {

class DemoRun {
 public:
  // folder: the run's private one. script: of a run that shows changes of code.
  DemoRun(const RunOptions& options, const Programs& programs, std::filesystem::path folder, StopSignals& signals,
          std::vector<ReloadStep> script = {});
  RunSummary run();

 private:
  Result<void> prepare();
  Result<void> start_daemon();
  Result<void> start_arenas();
  Result<void> start_bots();
  Result<void> choose_killers();
  void choose_changes();
  Result<void> kill_if_due();
  Result<void> play();
  Result<void> wind_down();
  Result<void> stop_arenas();
  void take_down();
  enum class Peace { kept, broken };  // whether arenad was left the time to end in order
  Peace stop_daemon();
  Result<void> try_all();

  // Everything that is looked at all the time; waits a moment if there is nothing.
  void turn();
  void rest();
  Result<void> check_health();
  Result<void> wait_until(const std::string& what, const std::function<bool()>& is_there);
  void look_at_all();
  void show();

  [[nodiscard]] bool play_is_over(uint64_t now_ns);
  // Attached to arenas that are not gone, if nobody is missing.
  [[nodiscard]] uint64_t clients_there() const;
  [[nodiscard]] bool all_taken() const;
  [[nodiscard]] bool all_departed() const;
  [[nodiscard]] ArenaPicture picture_of(size_t arena) const;
  Wish wish();
  [[nodiscard]] std::string answer_to(Wish wish) const;
  Error cut_short();
  void complain(const Error& error) { summary_.findings.problem(error.text()); }
  void count();
  void count_deaths_of_others();

  RunOptions options_;
  Programs programs_;
  std::filesystem::path folder_;
  StopSignals& signals_;
  std::vector<ReloadStep> script_;
  Screen screen_;
  RunSummary summary_;

  std::optional<DaemonProcess> daemon_;
  std::optional<Control> control_;
  std::unique_ptr<Client> client_;
  std::vector<std::unique_ptr<ArenaObserver>> observers_;
  BotCrew crew_;
  std::optional<Pacers> pacers_;
  std::optional<Killer> killer_;
  std::optional<DaemonKiller> daemon_killer_;  // unless only workers are killed
  std::optional<Gauge> gauge_;
  std::optional<ReloadShow> changes_;  // if it is them that are shown
  enum class Stage { preparing, playing, winding_down } stage_ = Stage::preparing;
  uint64_t began_ns_ = 0;
  uint64_t looked_at_bots_ns_ = 0;
  Wish heard_ = Wish::go_on;
};

}  // namespace arenad::chaos
