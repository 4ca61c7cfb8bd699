// Reads the configuration file again while arenas run (SIGHUP, arenactl reload-config) and takes over what has changed: all of it, or
// nothing if there is anything wrong.
//
//   idle --order--> loading: modules that are new are loaded --all are--> applied, and idle again
//                      '--one cannot be, the file is wrong, or what runs is in the way--> refused, and idle again
//
// One order after the other; those that come before begin() wait for it. What differs is config_change.h; what each key does then stands
// in config_keys.cc. A game is not removed under its arenas: those that are left at rest stay, and cannot be started until it is back.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/checkpointer.h"
#include "supervisor/config_change.h"
#include "supervisor/file_stamp.h"
#include "supervisor/rollouts.h"
#include "supervisor/service_manager.h"

namespace arenad {

struct ConfigOutcome {
  std::vector<ConfigChange> changes;
  std::vector<ConfigProblem> problems;     // not empty: nothing was changed
  ErrorCode refusal = ErrorCode::refused;  // if there are problems: invalid, or refused if only what runs now is in the way
};

class ConfigReload {
 public:
  using Games = std::map<std::string, std::unique_ptr<GameVersions>>;
  struct Scope {
    std::string file;
    FileStamp stamp;  // of the file, when it was read
    Config& config;   // what arenad goes by
    Games& games;
    VersionStore& versions;
    Roster& roster;
    Checkpointer& checkpointer;
    Rollouts& rollouts;
    StoreThread& store;
    ServiceManager& manager;
    FactQueue& facts;
    LifecycleLog& events;
    std::function<std::unique_ptr<GameVersions>(const std::string& name, const GameConfig& config)> make_game;
    std::function<void()> taken_over;  // what goes by the configuration is to look at it again
  };
  enum class Mode { apply, dry_run };
  using Answer = std::function<void(const ConfigOutcome&)>;

  explicit ConfigReload(Scope scope) : scope_(std::move(scope)) {}
  // From now on orders are carried out.
  void begin();
  // What was ordered and is not applied is refused, as is everything from now on.
  void close();
  void order(Mode mode, Answer answer);
  [[nodiscard]] bool is_idle() const { return !attempt_ && waiting_.empty(); }
  [[nodiscard]] const std::string& file() const { return scope_.file; }
  // Whether the file is another one than that which arenad goes by.
  [[nodiscard]] bool is_written_since() const { return file_stamp(scope_.file) != scope_.stamp; }

 private:
  struct Order {
    Mode mode;
    Answer answer;
  };
  struct Attempt {
    Order order;
    FileStamp stamp;
    Config asked;  // as it is in force when it is applied; what is in force, until the file was read
    ConfigOutcome outcome;
    Games added;
    std::map<std::string, CodeHash> code;  // what the modules of the other games are
    size_t loading = 0;
  };

  void start_next();
  void read();
  void load_modules();
  void load(const std::string& game, GameTemplate& version);
  void conclude();
  void look_for_obstacles();
  void look_for_lost_code();
  void tell_of_other_code();
  void apply();
  void change_games();
  void add_games();
  void remove_games();
  void withdraw();
  void finish();
  void end_game(std::unique_ptr<GameVersions> game);
  void save(const GameVersions& game);
  void add_problem(const std::string& key, std::string message, ErrorCode code);
  [[nodiscard]] bool is_removed(const std::string& game) const;
  [[nodiscard]] bool has_other_code(const std::string& game) const;
  [[nodiscard]] bool is_used(const GameTemplate& version) const;
  // By a game, but this one, or an arena, also one at rest.
  [[nodiscard]] bool is_needed(CodeHash code, const GameVersions* but) const;

  Scope scope_;
  std::deque<Order> waiting_;
  std::optional<Attempt> attempt_;
  enum class State { not_begun, open, closed };
  State state_ = State::not_begun;
};

}  // namespace arenad
