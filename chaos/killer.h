// Kills workers with SIGKILL, at the moments that the seed says, and takes the time until each is back.
//
//   an arena:  up --killed--> down --a later incarnation has published a new frame--> up
//
// Only arenas that are up are killed; what Aim::next_life kills is the successor of one that is down. For a moment several arenas are
// watched, and the one in which it comes first is killed: so a kill waits for a part of a tick, not for one.
//
// A worker is known by its region, which names its process, and by its name; arenad is not asked, so that it may be dead.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "chaos/aim.h"
#include "chaos/arena_observer.h"
#include "chaos/control.h"
#include "ipc/fd.h"

namespace arenad::chaos {

struct Kill {
  size_t arena = 0;
  Epoch epoch;  // of the incarnation that was killed
  Aim aim = Aim::any_moment;
  uint64_t at_ns = 0;  // monotonic
  uint64_t at_unix_ns = 0;
  bool repeated = false;  // its successor was killed too, before the arena was back
  // Nothing before the arena is back.
  std::optional<uint64_t> to_frame_ns;  // until a new frame was published
  std::optional<uint64_t> to_live_ns;   // until its worker was ready to run new frames
};

struct KillPlan {
  uint64_t every_ns = 0;  // on average: intervals lie between half and one and a half of it. 0: no kills
  uint64_t count = UINT64_MAX;
  AimAt aim_at = AimAt::any_moment;
};

class Killer {
 public:
  using Arenas = std::span<const std::unique_ptr<ArenaObserver>>;
  // keep_up() is called while it waits for a moment. Everything given is borrowed.
  using KeepUp = std::function<void()>;
  Killer(Control& control, Arenas arenas, const KillPlan& plan, uint64_t seed, KeepUp keep_up);

  // From now on the first kill is due after an interval.
  void begin(uint64_t now_ns);
  // Notes what is back, and kills if a kill is due and an arena is up. An error: arenad did not answer.
  Result<void> turn(uint64_t now_ns);
  // Notes what is back.
  void note_recoveries();
  // Kills the worker of an arena that is up, now. False if there is nothing to be killed.
  bool strike(size_t arena);
  // Kills a process that is nobody's worker, as far as is known: arenad may have made a spare one a moment ago.
  void strike_bystander(pid_t pid, const Fd& process);
  // Finds the workers of the arenas that are up, so that strike() has nothing left to do but that.
  void take_aim();

  [[nodiscard]] bool done() const { return plan_.every_ns == 0 || kills_.size() >= plan_.count; }
  [[nodiscard]] bool all_are_up() const;
  [[nodiscard]] bool is_up(size_t arena) const;
  // An arena that has been down for longer than that, in words; empty if there is none.
  [[nodiscard]] std::string overdue(uint64_t now_ns, uint64_t longest_ns) const;
  [[nodiscard]] const std::vector<Kill>& kills() const { return kills_; }
  // Whether that worker of the arena was killed here.
  [[nodiscard]] bool has_killed(size_t arena, const Life& life) const;
  // Of the arena that was spared most.
  [[nodiscard]] uint64_t fewest_kills() const;

 private:
  // The worker of the incarnation that is seen; none if it could not be found.
  struct Held {
    Epoch epoch;
    std::optional<Fd> worker;
  };
  uint64_t interval_ns();
  [[nodiscard]] const Fd* worker_of(size_t arena);
  std::vector<Target> some_targets();
  // A pidfd that surely means the worker that hosts the arena now, as arenad says; nothing if it is changing.
  Result<std::optional<Fd>> successor_of(size_t arena, Host& host);
  struct Bystander {
    pid_t pid = 0;
    uint64_t at_unix_ns = 0;  // when it was killed
  };
  [[nodiscard]] bool was_bystander(const Life& life) const;
  Result<void> kill();
  Result<void> kill_successor(size_t arena, Epoch killed);
  void strike(size_t arena, const Fd& worker, Epoch epoch, Aim aim);

  Control& control_;
  Arenas arenas_;
  KillPlan plan_;
  Random random_;
  Random intervals_;
  KeepUp keep_up_;
  std::vector<Held> held_;  // by arena
  std::vector<Kill> kills_;
  std::vector<uint64_t> kills_of_;  // by arena
  std::vector<Bystander> bystanders_;
  size_t first_open_ = 0;  // the kills before it are recovered from
  uint64_t next_ns_ = 0;
};

}  // namespace arenad::chaos
