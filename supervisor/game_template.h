// One version of a game: its template process and its spares: workers that are forked and wait, so that a start or a recovery finds one ready.
//
//   absent --needed--> loading --ready--> serving --dies--> absent (loaded again at once, or when it is needed if it served for less than a second)
//                         '--fails or overdue--> absent: whoever waits for a worker is told why
//
// The worker program says what it is before it loads the module. Until then a failure is the runtime's, after that the module's.
//
// Template and spares run code of the game, and may say anything or nothing. Whoever waits for a worker is answered all the same: one that does
// not become ready as it should, or in time, is replaced by another, and after kMaxLostInRow of them in a row those who wait are told why.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arenad/code_hash.h"
#include "ipc/incarnation.h"
#include "ipc/link.capnp.h"
#include "supervisor/child_process.h"
#include "supervisor/config.h"
#include "supervisor/output_log.h"

namespace arenad {

// A worker that waits for its assignment.
struct Spare {
  std::unique_ptr<ChildProcess> process;
  IncarnationView region;
};

struct GameFacts {
  std::string version;
  uint32_t tick_hz = 0;
  uint64_t state_type = 0;
  uint64_t region_bytes = 0;  // of one arena
  std::string module_file;    // the whole path of the module
  std::string runtime_version;
  std::string schema;  // GameSchema (ipc/control.capnp) in stream framing; empty: the module has none
};

class GameTemplate {
 public:
  using Taken = std::function<void(Result<Spare>)>;

  // hash: of module and runtime (version_store.h); null: they are not kept.
  GameTemplate(const ChildScope& scope, std::string game, CodeHash hash, GameConfig config, std::string worker_program,
               uint64_t ready_timeout_ms);

  // Gives a worker, now if a spare is ready, else when there is one; or tells why there is none.
  void take(Taken taken);
  // Loads it and has a spare ready, or tells why that cannot be.
  void prepare(std::function<void(Result<void>)> prepared);
  // Whether it could take over the state of another version, once it is prepared. Errors: refused; it says which field does not fit.
  void check_state(const GameFacts& other, std::function<void(Result<void>)> checked);
  // Goes by a changed configuration, all but its module. Workers that wait are replaced if theirs would be other regions, or another cage.
  void configure(GameConfig config, uint64_t ready_timeout_ms);

  // Nothing is on the way: hand_on() says all of it.
  [[nodiscard]] bool is_steady() const;
  // Nothing is written of one that is absent.
  [[nodiscard]] bool is_serving() const { return state_ == State::serving; }
  void hand_on(wire::TemplateState::Builder to, FdsToKeep& fds) const;
  void take_on(wire::TemplateState::Reader from, HandedOn& handed);
  // Ends the template and its spares, until somebody needs them again.
  void rest();
  // The same for good. Whoever still waits is told.
  void close();

  // Logs what it and its spares have written since the last time. An arena does that for its worker.
  void log_output(const LineRate& rate, uint64_t now_ns, OutputTurn& turn);

  [[nodiscard]] const std::string& game() const { return game_; }
  [[nodiscard]] CodeHash hash() const { return hash_; }
  [[nodiscard]] bool has_served() const { return !game_facts_.version.empty() || state_ == State::serving; }
  [[nodiscard]] const GameConfig& config() const { return config_; }
  [[nodiscard]] const GameFacts& facts() const { return game_facts_; }  // empty until it has been loaded once
  [[nodiscard]] const std::vector<Spare>& spares() const { return spares_; }
  [[nodiscard]] bool is_getting_spares() const { return !waiters_.empty() || !forking_.empty(); }

 private:
  enum class State { absent, loading, serving, closed };

  void load();
  void take_template_message(const LinkMessage& message);
  void take_runtime(wire::Runtime::Reader runtime);
  [[nodiscard]] Error cannot_be_used(const std::string& why) const;
  void template_ended(Exit exit);
  void load_anew();
  void fork_as_needed();
  void fork_one();
  void listen_to_template();
  void listen_to_spare(ChildProcess* process);
  void take_spare_message(ChildProcess* process, LinkMessage message);
  void spare_is_lost(std::unique_ptr<ChildProcess> process, const std::string& why);
  enum class Then { goes_on, gives_up };
  Then another_is_lost(const std::string& why);
  void look_for_overdue();
  void spare_ended(ChildProcess* process, Exit exit);
  void enclose(const ChildProcess& process, const IncarnationView& region);
  void give(Spare spare);
  void end_all();
  void fail_waiters(const Error& error);
  // Destroys it when no callback of it can be running.
  void retire(std::unique_ptr<ChildProcess> process);
  // A worker that was asked for and is not ready yet.
  struct Forking {
    uint64_t request = 0;
    std::unique_ptr<ChildProcess> process;
    uint64_t looks = 0;  // for which it has been awaited
  };
  void log_last_output(ChildProcess& process);
  Forking* find_forking(uint64_t request);
  std::unique_ptr<ChildProcess> remove_forking(ChildProcess* process);

  ChildScope scope_;
  std::string game_;
  CodeHash hash_;
  GameConfig config_;
  std::string worker_program_;
  uint64_t ready_timeout_ms_;
  State state_ = State::absent;
  bool runtime_has_spoken_ = false;  // since it was started last
  std::unique_ptr<ChildProcess> process_;
  std::string failure_;  // what the template said before it ended
  OutputLog output_log_;
  LineRate log_rate_;
  GameFacts game_facts_;
  std::vector<Forking> forking_;
  uint64_t last_request_ = 0;
  std::vector<Spare> spares_;
  uint64_t serving_since_ns_ = 0;
  std::deque<Taken> waiters_;
  std::deque<std::function<void(Result<void>)>> checks_;  // in the order in which they were asked for
  uint32_t lost_in_row_ = 0;                              // workers that died before they were ready
  UvDeadline deadline_;                                   // for the template, to load the module, and later to compare states
  UvTimer overdue_;                                       // looks for workers that do not become ready
  // A look may be in the fact queue when this object is gone: it holds a weak pointer to this.
  std::shared_ptr<GameTemplate*> self_ = std::make_shared<GameTemplate*>(this);
};

}  // namespace arenad
