// The rollouts that run, and how the last one of each game ended: carries out what rollout.h decides.
//
// They are written down as they go on (state/records.h), and go on under the next arenad: take_up(). What an arena does then counts more
// than what was written of it.
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

// What the database knows of a game's last rollout.
struct RememberedRollout {
  RolloutRecord record;
  std::vector<RolloutArenaRecord> arenas;
};
Result<std::vector<RememberedRollout>> read_rollouts(Store& store);

class Rollouts {
 public:
  using Games = std::map<std::string, std::unique_ptr<GameVersions>>;

  Rollouts(uv_loop_t* loop, FactQueue& facts, StoreThread& store, Roster& roster, LifecycleLog& events, MetricsLedger& metrics);
  void close();

  // Those of an earlier arenad, once every arena has been adopted, recovered or given up. Those that were not over go on.
  void take_up(const std::vector<RememberedRollout>& remembered, const Games& games);

  struct Running {
    uint64_t id = 0;   // 0: one that is only tried
    std::string name;  // of the game
    GameVersions* game = nullptr;
    // Until it is over.
    GameTemplate* from = nullptr;
    GameTemplate* to = nullptr;
    CodeHash from_code;
    CodeHash to_code;
    std::string from_version;
    std::string to_version;
    CodeHash current;   // what new arenas got when it began
    CodeHash previous;  // and what a rollback went back to
    RolloutOrder order;
    Rollout rollout;
    uint32_t pinned = 0;
    int64_t began_unix_ms = 0;
    int64_t ended_unix_ms = 0;  // 0: it is not over
    uint64_t earlier_ms = 0;    // that it has taken under earlier arenads
    uint64_t began_ns = 0;
    uint64_t ended_ns = 0;
    RolloutRecord written;
    size_t unwritten = 0;  // batches that must be in the database before it begins anything else

    [[nodiscard]] bool is_over() const { return ended_unix_ms != 0; }
    [[nodiscard]] uint64_t elapsed_ms() const;
  };
  using Answer = std::function<void(Result<const Running*>)>;
  // Loads the code and begins, or tells why not: it cannot be loaded, or another rollout of the game is not over. Answered when the next
  // arenad would know of it, or the database takes nothing. from: what those arenas run which are meant.
  void begin(GameVersions& game, GameTemplate& from, GameTemplate& to, const RolloutOrder& order, Answer answer);
  // One that goes on. Answered as begin() is.
  enum class Order { pause, resume, abort };
  void obey(Running& running, Order order, Answer answer);
  // nullptr: there was none.
  Running* find(const std::string& game);
  // Errors: refused, while one of this game is prepared or not over.
  [[nodiscard]] Result<void> check(const GameVersions& game) const;
  // Whether a rollout that is not over is of this version.
  [[nodiscard]] bool tells_of(const GameTemplate& version) const;
  // How the last one of a game ended that is there no more. Only if check() says so.
  void forget(const std::string& game) { running_.erase(game); }
  // The version that arenas still run which the last rollout of this game has left there: it has failed or was aborted, and new arenas get
  // the other one. Null: none do.
  CodeHash left_behind(const GameVersions& game);
  [[nodiscard]] const std::map<std::string, Running>& all() const { return running_; }

  // Nothing new is begun meanwhile. What arenas tell is taken note of.
  void hold(bool held) { held_ = held; }

  // The store's health has changed: who waits for an answer may have waited long enough.
  void reconsider();
  // Another database has taken the place of the one in use: gives it all that is known.
  void save_anew(const Games& games);

 private:
  enum class Versions { as_they_were, changed };
  struct Unanswered {
    uint64_t id;
    std::string game;
    Answer answer;
  };

  [[nodiscard]] Running plan(GameVersions& game, GameTemplate& from, GameTemplate& to, const RolloutOrder& order) const;
  void begin_planned(Running planned, Answer answer);
  [[nodiscard]] std::vector<ArenaId> concerned(Running& running) const;
  void take_up(Running restored, const RememberedRollout& remembered);
  [[nodiscard]] ArenaNow look_at(const Running& running, ArenaId id) const;
  void follow(Running& running);
  void answer_when_written(const Running& running, Answer answer);
  void give_answer(uint64_t id);
  void advance_all();
  void advance(Running& running);
  [[nodiscard]] bool is_held(const Running& running) const;
  void get_worker(Running& running);
  void hand_over(Running& running, ArenaId arena, GameTemplate* to);
  [[nodiscard]] Arena::HandoverNotice news_of(const Running& running);
  void lost(Running& running, ArenaId id);
  void save(Running& running, Versions versions);
  void finish(Running& running);
  void tell(LifecycleEvent event, const Running& running);
  [[nodiscard]] bool is_used(const GameTemplate& version) const;

  FactQueue& facts_;
  StoreThread& store_;
  Roster& roster_;
  LifecycleLog& events_;
  MetricsLedger& metrics_;
  uint64_t last_id_ = 0;
  std::map<std::string, Running> running_;  // by game
  std::map<std::string, bool> preparing_;
  std::vector<Unanswered> unanswered_;
  bool held_ = false;
  UvTimer timer_;
};

}  // namespace arenad
