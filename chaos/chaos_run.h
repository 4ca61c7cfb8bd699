// A chaos run: goes through a plan on a stage, looks all the time at what must hold, heals everything, demands that all comes to rest in
// bounded time, and judges.
//
//   a step:  waiting --its player has said so much--> struck --what it must end has ended, an entry said since came back--> over
//
// A step whose fault ends more than its own arena's worker begins when no other is struck, unless it is to be a compound one; and no other
// begins meanwhile. One that must be alone is so even then.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "chaos/fault.h"
#include "chaos/invariants.h"
#include "chaos/plan.h"
#include "chaos/stage.h"
#include "chaos/stop_signals.h"

namespace arenad::chaos {

// What became of one step.
struct Outcome {
  const Step* step = nullptr;
  std::string not_run;  // why it was not; empty: it was
  uint64_t at_ms = 0;   // since the run began
  double took_ms = 0;   // until an entry that was said afterwards came back; 0: it did not
};

struct ChaosFindings {
  std::vector<Outcome> outcomes;  // in the order in which they were over
  InvariantCounts invariants;
  std::map<std::string, uint64_t> rungs;  // of the recovery ladder, by name: how many incarnations began at it
  std::vector<uint64_t> final_states;     // of each arena: what its results and balances come to, independent of frames
  uint64_t entries = 0;
  uint64_t frames_compared = 0;
  uint64_t worker_ends = 0;
  uint64_t arenad_ends = 0;
  double seconds = 0;
  bool cut_short = false;
};

class ChaosRun {
 public:
  ChaosRun(Stage& stage, const Plan& plan, StopSignals& signals, ChaosFindings& findings);

  // Called now and then while it plays: how many steps are over, of how many.
  std::function<void(size_t over, size_t all)> on_progress;

  // An error: the run itself could not go on.
  Result<void> play();

 private:
  struct Active {
    const Step* step;
    const Fault* fault;
    Strike strike;
    uint64_t since_ns = 0;
    uint64_t said = 0;             // by the arena's player, when it struck
    std::vector<uint64_t> epochs;  // of all arenas, then
    pid_t arenad = 0;              // then
    bool healed = false;
    bool was_alone = true;  // no other fault that concerns its arena has been on its way meanwhile
  };
  void begin_steps();
  [[nodiscard]] bool may_begin(const Step& step, const Fault& fault) const;
  void strike(const Step& step, const Fault& fault);
  void look_at_processes();
  void look_at_players();
  void finish_steps();
  [[nodiscard]] bool is_over(const Active& active);
  void finish(const Active& active);
  void check_status(size_t arena, const Fault& fault);
  void violated(Invariant invariant, size_t arena, std::string text);
  void violated(Invariant invariant, std::string text);
  bool converge();
  void judge_results();
  [[nodiscard]] uint64_t now_ms() const;

  Stage& stage_;
  const Plan& plan_;
  StopSignals& signals_;
  ChaosFindings& findings_;
  std::vector<std::vector<const Step*>> waiting_;  // by arena, the next one last
  std::vector<Active> active_;
  std::vector<uint64_t> epochs_;  // of each arena, as last seen
  std::vector<uint64_t> frames_;  // compared with the model, as last seen
  pid_t arenad_ = 0;
  uint64_t began_ns_ = 0;
  uint64_t looked_at_arenad_ns_ = 0;
};

}  // namespace arenad::chaos
