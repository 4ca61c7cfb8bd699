// The rollouts that run, and how the last one of each game ended: carries out what rollout.h decides.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "supervisor/game_versions.h"
#include "supervisor/rollout.h"
#include "supervisor/roster.h"

namespace arenad {

struct RolloutOrder {
  RolloutPolicy policy;
  Probation probation;
  std::vector<std::string> arenas;  // names, ids or globs; empty: all of the game
  bool dry_run = false;
};

class Rollouts {
 public:
  Rollouts(uv_loop_t* loop, FactQueue& facts, StoreThread& store, Roster& roster);
  void close();

  struct Running {
    GameVersions* game = nullptr;
    GameTemplate* from = nullptr;
    GameTemplate* to = nullptr;
    RolloutOrder order;
    Rollout rollout;
    CodeHash previous;  // of the game, when it began
    uint32_t pinned = 0;
    uint64_t began_ns = 0;
    uint64_t ended_ns = 0;  // 0: it is not over
  };
  using Answer = std::function<void(Result<const Running*>)>;
  // Loads the code and begins, or tells why not: it cannot be loaded, or another rollout of the game is not over.
  void begin(GameVersions& game, GameTemplate& to, const RolloutOrder& order, Answer answer);
  // nullptr: there was none since arenad began.
  Running* find(const std::string& game);
  // Errors: refused, while one of this game is prepared or not over.
  [[nodiscard]] Result<void> check(const GameVersions& game) const;
  // Whether the last rollout of its game is told with this version.
  [[nodiscard]] bool tells_of(const GameTemplate& version) const;
  // How the last one of a game ended that is there no more. Only if check() says so.
  void forget(const std::string& game) { running_.erase(game); }
  [[nodiscard]] const std::map<std::string, Running>& all() const { return running_; }

 private:
  [[nodiscard]] Running plan(GameVersions& game, GameTemplate& to, const RolloutOrder& order) const;
  [[nodiscard]] std::vector<ArenaId> concerned(Running& running) const;
  void advance_all();
  void advance(Running& running);
  void get_worker(Running& running);
  void hand_over(Running& running, ArenaId arena, GameTemplate& to);
  void save(const GameVersions& game);
  void finish(Running& running);
  [[nodiscard]] bool is_used(const GameTemplate& version) const;

  FactQueue& facts_;
  StoreThread& store_;
  Roster& roster_;
  std::map<std::string, Running> running_;  // by game
  std::map<std::string, bool> preparing_;
  UvTimer timer_;
};

}  // namespace arenad
