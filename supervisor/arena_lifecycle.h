// What happens to an arena next. Pure: it gets facts and gives actions; it knows no clock, no process and no file. The shell
// around it is arena.cc.
//
//   state      | live     | crashed       | finished  | ended | refused        | delay over | overdue | stop      | restart
//   -----------+----------+---------------+-----------+-------+----------------+------------+---------+-----------+-----------
//   starting   | running  | starting *    | crashed   | ended | failed *       | -          | kill    | stopping  | refused
//   running    | -        | recovering    | crashed   | ended | crashed        | -          | -       | stopping  | restarting
//   recovering | running  | recovering    | crashed   | ended | ladder **      | -          | kill    | stopping  | refused
//   backing_off| -        | -             | -         | -     | -              | recovering | -       | stopped   | recovering
//   restarting | -        | recovering    | recovering| ended | crashed        | -          | kill    | stopping  | -
//   stopping   | finish   | recovering*** | stopped   | ended | ladder **      | -          | kill    | -         | refused
//   stopped, failed: restart -> recovering. ended, lost: nothing happens any more.
//
//   *    a new arena that never ran: there is nothing to recover. One death may be another's fault (a spare was killed while it
//        was handed over), so it is tried once more; then it is failed, and whoever started it is told why
//   **   nothing to begin with: once more with the checkpoint from the database, then lost. The state or the parameters are not
//        taken, or a replay diverged and must not: failed
//   ***  what it had is recovered first, then it is stopped; state stays `stopping`
//   recovering is backing_off first if the restart budget says so, failed if the budget is used up. A crash that an event was to
//   blame for, which is in quarantine now, is not charged: recovering at once.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "supervisor/restart_budget.h"

namespace arenad {

// The numbers of ArenaState, BeginWith and ArenaLifecycle::Worker go over upgrades of arenad: new ones come last.
enum class ArenaState { starting, running, recovering, backing_off, restarting, stopping, stopped, ended, failed, lost };
const char* to_string(ArenaState state);

// What the next incarnation begins with.
enum class BeginWith {
  nothing,                 // a new arena
  predecessor,             // the last incarnation's region
  predecessor_checkpoint,  // the region and the newest checkpoint: the region's slots alone did not do
  checkpoint,              // from the database alone
  origin,                  // the last incarnation's region and that of the one which had handed over to its code
};

// How a worker's life ended.
enum class WorkerEnd {
  crashed,
  finished,
  ended,
  refused_params,
  refused_state,
  refused_no_snapshot,
  refused_broken_log,
  refused_divergence,  // a replay gave other outputs, and the configuration says that the arena stops then
  refused_system
};

// Whether a crash counts against the restart budget.
// excused: an event was to blame, and is in quarantine now; so the death before, which it had caused too, is forgiven.
// uncharged: what it had been told by a signal, which is left out now.
enum class Charge { budget, excused, uncharged };

namespace act {
struct BeginIncarnation {
  BeginWith with;
};
struct KillWorker {};
struct TellFinish {};
struct StartDelay {
  uint64_t delay_ns;
};
struct ArmReadyDeadline {};
struct ArmStopDeadline {};
struct DisarmDeadline {};
struct AnnounceGone {};    // clients: nothing follows
struct Persist {};         // the disposition changed
struct CheckpointLast {};  // no worker any more: the last snapshot, the results and the disposition go to the database together
}  // namespace act

using ArenaAction =
    std::variant<act::BeginIncarnation, act::KillWorker, act::TellFinish, act::StartDelay, act::ArmReadyDeadline,
                 act::ArmStopDeadline, act::DisarmDeadline, act::AnnounceGone, act::Persist, act::CheckpointLast>;
using ArenaActions = std::vector<ArenaAction>;

// What an operator's wish met.
enum class Verdict { accepted, already, refused };
struct Answer {
  Verdict verdict = Verdict::accepted;
  ArenaActions actions;
};

class ArenaLifecycle {
 public:
  enum class Worker { none, begun, live };
  // All that it knows beside its budget.
  struct Memory {
    ArenaState state = ArenaState::starting;
    BeginWith begun_with = BeginWith::nothing;
    bool stop_wanted = false;
    Worker worker = Worker::none;
    bool delay_pending = false;
    bool has_lived = false;
    bool tried_again = false;
    uint64_t crashes = 0;
  };

  ArenaLifecycle(ArenaState state, const RestartPolicy& policy) : state_(state), budget_(policy) {}
  // One that another process had.
  ArenaLifecycle(const Memory& memory, RestartBudget budget);

  // A new arena, or one from the database.
  ArenaActions begin(BeginWith with);
  // An arena of which nothing can be read any more.
  ArenaActions lose() { return rest(ArenaState::lost); }
  // An arena of which something is left, and cannot be had now: an operator's restart tries again.
  ArenaActions fail() { return rest(ArenaState::failed); }
  // An arena with a live worker of an earlier arenad.
  ArenaActions adopt(uint64_t now_ns);
  ArenaActions worker_live(uint64_t now_ns);
  ArenaActions worker_ended(WorkerEnd end, uint64_t now_ns, uint64_t random, Charge charge = Charge::budget);
  // No worker could be had: the template does not load, no memory.
  ArenaActions no_worker(uint64_t now_ns, uint64_t random);
  ArenaActions delay_over();
  ArenaActions overdue();
  Answer stop();
  Answer restart(uint64_t now_ns, BeginWith with);
  // A worker of other code has ended, which is taken back: the next one begins at once, and it counts as no crash.
  ArenaActions take_back(BeginWith with);
  // The state stays: one that has failed waits for a restart. False if there was no crash to forget.
  bool forget_crashes();
  // Counts from the next crash on.
  void set_restart_policy(const RestartPolicy& policy) { budget_.set_policy(policy); }

  [[nodiscard]] ArenaState state() const { return state_; }
  [[nodiscard]] const RestartBudget& budget() const { return budget_; }
  [[nodiscard]] uint64_t crashes() const { return crashes_; }
  // There is something that forget_crashes() would forget.
  [[nodiscard]] bool has_crashed() const;
  // Not stopped, ended, failed or lost.
  [[nodiscard]] bool is_active() const;
  [[nodiscard]] Memory memory() const;

 private:
  ArenaActions crashed(uint64_t now_ns, uint64_t random, Charge charge = Charge::budget);
  ArenaActions refused(WorkerEnd end, uint64_t now_ns, uint64_t random);
  ArenaActions begin_incarnation(BeginWith with);
  void come_to_rest(ArenaState state);
  ArenaActions rest(ArenaState state);
  ArenaActions checkpoint_and_rest(ArenaState state);

  ArenaState state_;
  RestartBudget budget_;
  BeginWith begun_with_ = BeginWith::nothing;
  bool stop_wanted_ = false;  // in `stopping`: the arena must be recovered before it can be put down
  // Facts about a worker mean nothing while there is none: they are of one that was given up.
  Worker worker_ = Worker::none;
  bool delay_pending_ = false;
  bool has_lived_ = false;
  bool tried_again_ = false;  // the start
  uint64_t crashes_ = 0;
};

}  // namespace arenad
