// A rollout: which arenas of a game get other code, in which order, and when to stop. Pure: it gets facts and says what to do; the shell is
// rollouts.h.
//
//   canary --all passed--> rolling, wave by wave --all passed--> done
//      | one failed             | one failed
//      '-----------+------------'
//                  '--> failed, or with OnFailure::rollback_all rolling_back --all have the old code--> failed
//   abort: aborted, from any of the first two and from rolling_back
//
//   what becomes of         | done | failed, `stop`          | failed, `rollback_all`  | aborted
//   ------------------------+------+-------------------------+-------------------------+------------------------------------------
//   new arenas get          | new  | old                     | old                     | old
//   the arena that failed   | -    | has its old code again  | has its old code again  | has its old code again
//   those that had passed   | new  | keep the new code       | are given back          | keep the new code; if it was rolling back,
//                           |      |                         |                         | those that were not given back yet
//   those on the way        | -    | go on: new if they pass | go on, and are given    | go on: new if they pass, old if they are
//                           |      |                         | back when they pass     | on the way back
//   those that wait         | -    | old                     | old                     | old
//
// A version that has just failed, or that an operator has just stopped, is for no arena that has a choice: new arenas get the old one again
// at once. Those that have passed do have proof of it, and changing them again is a change of its own: `arenactl rollback`.
//
// A wave begins when all of the one before have settled. One that is given back and fails at it is tried again, kGiveBackTries times in
// all; then it has failed, with the new code.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
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
  static constexpr uint32_t kGiveBackTries = 3;
  struct Failure {
    ArenaId arena;
    std::string why;
  };
  struct Entry {
    ArenaId arena;
    Standing standing = Standing::waiting;
    std::string why;  // it failed
  };

  Rollout(const RolloutPolicy& policy, std::vector<ArenaId> arenas);
  // One that an earlier arenad has begun. entries: in their order, each as it stands now. is_current: new arenas get the new code.
  Rollout(const RolloutPolicy& policy, State state, bool is_current, const std::vector<Entry>& entries);

  // Arenas that have begun since, with the old code. Ignored when no arena gets the new code any more.
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
  // Further arenas may get the new code.
  [[nodiscard]] bool goes_forward() const { return state_ == State::canary || state_ == State::rolling; }
  // Nothing is on the way, and nothing follows.
  [[nodiscard]] bool is_over() const;
  [[nodiscard]] size_t total() const { return arenas_.size(); }
  [[nodiscard]] size_t count(Standing standing) const;
  [[nodiscard]] const std::vector<Failure>& failures() const { return failures_; }

  // For whoever writes it down.
  [[nodiscard]] const std::vector<ArenaId>& order() const { return order_; }
  [[nodiscard]] Entry entry(ArenaId arena) const;
  // Those that stand otherwise than at the last call, by their place in order().
  std::vector<size_t> take_changed();

 private:
  void set(ArenaId arena, Standing standing);
  void drop_wave();
  void stop_after_failure();
  void begin_wave();
  void go_on();
  void go_back(Next& next);
  [[nodiscard]] size_t wave_size() const;

  RolloutPolicy policy_;
  State state_;
  bool paused_ = false;
  bool is_current_ = false;
  struct Arena {
    size_t place;  // in order_
    Standing standing = Standing::waiting;
    uint32_t tries_back = 0;
  };
  std::map<ArenaId, Arena> arenas_;
  std::vector<ArenaId> order_;  // in which they come
  std::vector<ArenaId> wave_;   // of this wave, not handed over yet
  size_t unsettled_ = 0;        // of this wave
  std::vector<Failure> failures_;
  std::set<size_t> changed_;
};

// Also the words in the database, so they never change. Nothing: no such word.
const char* to_string(Rollout::State state);
const char* to_string(Rollout::Standing standing);
const char* to_string(OnFailure on_failure);
std::optional<Rollout::State> parse_rollout_state(std::string_view word);
std::optional<Rollout::Standing> parse_standing(std::string_view word);
std::optional<OnFailure> parse_on_failure(std::string_view word);

// How an arena of an earlier arenad's rollout stands, from how it stood when that was last written, and what it does now. In between it may
// have come on: a worker goes on by itself.
struct ArenaNow {
  // gone also if arenad knows it no more.
  enum class Runs { gone, new_code, other_code } runs = Runs::other_code;
  // Probation, of the new code or, of one that is given back, of the old.
  bool on_probation = false;
  // It goes on where an earlier incarnation of it was: without that, it was set back to a checkpoint, by nobody's fault.
  bool has_lived = true;
  // Why its code has been taken back, as far as this arenad has seen it.
  std::optional<std::string> failure;
};
Rollout::Entry entry_now(Rollout::State state, const Rollout::Entry& written, const ArenaNow& now);

}  // namespace arenad
