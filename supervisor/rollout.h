// A rollout: which arenas of a game get other code, in which order, and when to stop. Pure: it gets facts and says what to do; the shell is
// rollouts.h.
//
//   canary --all passed--> rolling, wave by wave --all passed--> done
//      | one failed             | one failed
//      '--------> failed <------'       the arena itself has its old code again; with OnFailure::rollback_all those that had passed get
//                                       it too (rolling_back), and only then it has failed
//   abort: as failed, without a rollback
//
// A wave begins when all of the one before have settled.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arenad/ids.h"

namespace arenad {

enum class OnFailure { stop, rollback_all };

struct RolloutPolicy {
  uint32_t canary = 1;
  uint32_t batch = 0;  // 0: batch_percent of all, rounded up
  uint32_t batch_percent = 25;
  OnFailure on_failure = OnFailure::stop;
};

class Rollout {
 public:
  enum class State { canary, rolling, rolling_back, done, failed, aborted };
  enum class Standing { waiting, on_the_way, on_probation, passed, failed, gone, going_back, back };
  struct Failure {
    ArenaId arena;
    std::string why;
  };

  Rollout(const RolloutPolicy& policy, std::vector<ArenaId> arenas);

  // Arenas that have begun since, with the old code.
  void add(ArenaId arena);
  // Facts. Each is of an arena that was named by next().
  void live(ArenaId arena);  // on probation
  void passed(ArenaId arena);
  void failed(ArenaId arena, std::string why);
  void gone(ArenaId arena);
  void postponed(ArenaId arena);  // not now; next() names it again
  // Orders.
  void pause() { paused_ = true; }
  void resume() { paused_ = false; }
  void abort();

  // What is to be done now; each is named once.
  struct Next {
    std::vector<ArenaId> hand_over;
    std::vector<ArenaId> give_back;  // the old code
    bool make_current = false;       // new arenas get the new code
    bool make_old_current = false;
  };
  // workers: so many of the new code are ready. An arena does not wait for one to be forked.
  Next next(size_t workers);

  // Arenas of this wave are not handed over yet.
  [[nodiscard]] bool wants_workers() const { return !paused_ && !wave_.empty(); }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool is_paused() const { return paused_; }
  // Nothing is on the way, and nothing follows.
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] size_t total() const { return arenas_.size(); }
  [[nodiscard]] size_t count(Standing standing) const;
  [[nodiscard]] const std::vector<Failure>& failures() const { return failures_; }

 private:
  void begin_wave();
  void go_on();
  [[nodiscard]] size_t wave_size() const;

  RolloutPolicy policy_;
  State state_;
  bool paused_ = false;
  bool is_current_ = false;
  std::map<ArenaId, Standing> arenas_;
  std::vector<ArenaId> order_;  // in which they come
  std::vector<ArenaId> wave_;   // of this wave, not handed over yet
  size_t unsettled_ = 0;        // of this wave
  std::vector<Failure> failures_;
};

const char* to_string(Rollout::State state);

}  // namespace arenad
