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
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chaos/checker.h"
#include "chaos/fault.h"
#include "chaos/invariants.h"
#include "chaos/plan.h"
#include "chaos/stage.h"
#include "chaos/stop_signals.h"
#include "ipc/clock.h"

namespace arenad::chaos {

// What became of one step.
struct Outcome {
  const Step* step = nullptr;
  std::string not_run;  // why it was not; empty: it was
  uint64_t at_ms = 0;   // since the run began
  double took_ms = 0;   // until an entry that was said afterwards came back; 0: it did not
  // It was not run for want of what it takes (Fault::missing), which is nobody's failure.
  bool lacked_something = false;
  // Workers that had the arenas that it concerns when it struck, and those that followed until it was over, but for the last.
  struct Ended {
    size_t arena = 0;
    uint64_t epoch = 0;
    bool operator==(const Ended&) const = default;
  };
  std::vector<Ended> ended;
  bool was_alone = true;  // no other fault that concerns its arena was on its way meanwhile
};

// A worker that has taken the place of another.
struct Succession {
  size_t arena = 0;
  uint64_t at_ms = 0;  // since the run began
  uint64_t epoch = 0;  // the new one's
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
  std::map<std::string, double> figures;  // what the checkers have measured
  std::vector<ToldDeath> deaths;          // as arenad has reported them
  std::vector<Invariant> not_shown;       // that the plan could have shown, and that were never looked at
  double seconds = 0;
  bool cut_short = false;
  std::vector<Succession> successions;  // in their order
  std::vector<uint64_t> arenads_ms;     // when another arenad was there
};

// How long a run goes on.
enum class Until { the_end, first_violation };

class ChaosRun {
 public:
  ChaosRun(Stage& stage, const Plan& plan, StopSignals& signals, ChaosFindings& findings);

  // Called all the time while it plays: how many steps are over, of how many.
  std::function<void(size_t over, size_t all)> on_progress;
  // Of a run that goes on for a time: asked for a further step, of any arena, when one has none left; the step must stay where it is. Nothing:
  // the time is over, and what has not begun does not begin any more.
  std::function<const Step*()> next_step;

  // They look on while it plays.
  std::span<const std::unique_ptr<Checker>> checkers;
  Until until = Until::the_end;
  // Far beyond what anything takes: what is not back by then never will be.
  uint64_t patience_ns = 60 * kSecond;
  // The same when somebody has asked for the end.
  uint64_t patience_once_called_off_ns = 8 * kSecond;

  // An error: the run itself could not go on.
  Result<void> play();

 private:
  // A fault whose injection has failed, and that may have been done by half.
  struct Attempt {
    size_t arena;
    const Fault* fault;
    uint64_t until_ns;
  };
  struct Active {
    const Step* step;
    const Fault* fault;
    Strike strike;
    uint64_t since_ns = 0;
    uint64_t said = 0;             // by the arena's player, when it struck
    std::vector<uint64_t> epochs;  // of all arenas, then
    pid_t arenad = 0;              // then
    bool fired = false;            // it has; once it is undone nothing may show that any more
    bool healed = false;
    uint64_t asked_ns = 0;   // when it was last asked whether it is settled
    uint64_t unsettled = 0;  // so often it was not, or had not fired yet
    bool was_alone = true;   // no other fault that concerns its arena has been on its way meanwhile
  };
  void take_steps();
  void begin_steps();
  [[nodiscard]] bool may_begin(const Step& step, const Fault& fault) const;
  Result<void> prepare(const Step& step, const Fault& fault);
  void strike(const Step& step, const Fault& fault);
  [[nodiscard]] bool may_be_put_off(const Step& step);
  void look_at_processes();
  void look_at_players();
  void finish_steps();
  void heal_what_is_due();
  [[nodiscard]] bool has_fired(Active& active) const;
  void heal_if_due(Active& active);
  // What is still to come before it is over; empty: it is over.
  [[nodiscard]] std::string awaits(Active& active);
  void finish(const Active& active);
  [[nodiscard]] std::vector<Outcome::Ended> ended_by(const Active& active) const;
  void check_status(size_t arena, const Fault& fault);
  void violated(Invariant invariant, size_t arena, std::string text);
  void violated(Invariant invariant, std::string text);
  [[nodiscard]] Scene scene() const;
  void let_checkers_look();
  [[nodiscard]] bool has_seen_enough() const;
  bool converge();
  void judge_results();
  [[nodiscard]] uint64_t now_ms() const;
  [[nodiscard]] uint64_t rest_patience_ns() const;

  Stage& stage_;
  const Plan& plan_;
  StopSignals& signals_;
  ChaosFindings& findings_;
  std::vector<std::vector<const Step*>> waiting_;  // by arena, the next one last
  std::map<const Step*, uint64_t> put_off_since_ns_;
  std::vector<Active> active_;
  std::vector<Attempt> attempts_;
  std::vector<uint64_t> epochs_;  // of each arena, as last seen
  std::vector<uint64_t> frames_;  // compared with the model, as last seen
  std::vector<bool> complained_;  // its player has, and that is written down
  pid_t arenad_ = 0;
  uint64_t began_ns_ = 0;
  uint64_t looked_at_arenad_ns_ = 0;
};

}  // namespace arenad::chaos
