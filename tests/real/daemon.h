// A real arenad in a private folder: folder/arenad.toml, state/, run/arenad.sock, arenad.log; its own folder is work/, where it must
// leave nothing.
//
//   constructed --start()--> runs --stop() or crash() or kill_arenad()--> constructed
//
// With a keeper as its parent it is started again after crash() and kill_arenad(), and both return when it answers.
//
// When it goes, arenad is stopped if it still runs, and it is checked that no process and no file is left. Processes that lose
// their parent become children of the test. ARENAD_TEST_LOG=1 shows what each arenad said.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arenad/ids.h"
#include "ipc/control_client.h"
#include "tests/real/process.h"

namespace arenad::test {

// A [games.NAME] section. more: lines to be added to it.
std::string game_section(const std::string& name, const std::string& module, const std::string& more = "");
// The module echo.so as game `echo`.
std::string echo_section(const std::string& more = "");
std::string module_path(const std::string& name);

// What arenactl status tells of an arena.
struct ArenaFacts {
  std::string id;
  std::string name;
  std::string state;
  std::string reason;
  std::string last_exit;
  std::string rung;
  pid_t pid = 0;
  uint64_t epoch = 0;
  uint64_t frame = 0;
  uint64_t durable_frame = 0;
  uint64_t events = 0;
  uint64_t rejected = 0;
  uint64_t restarts = 0;
  uint64_t restarts_total = 0;
  uint64_t divergences = 0;
  uint64_t first_divergent_frame = 0;
  uint64_t frames_late = 0;
  uint64_t frames_slow = 0;
  uint64_t quarantined = 0;
  uint64_t clients = 0;
  uint64_t snapshot_frame = 0;
  uint64_t snapshots_failed = 0;
  bool probation = false;
};

struct DaemonFacts {
  std::vector<std::string> notices;
  std::string store_error;
  uint64_t running = 0;
  uint64_t recoveries = 0;
  uint64_t checkpoint_lag_ms = 0;
  bool checkpoint_alarm = false;
};

struct StoredResult {
  uint64_t sequence = 0;
  uint64_t seat = 0;
  std::string message;
};

using Params = std::vector<std::pair<std::string, std::string>>;

// Selects the arena of this name or id.
void select_one(wire::Selection::Builder selection, const std::string& name);

class Daemon {
 public:
  enum class Parent { test, keeper };
  // sections: TOML, all but [daemon].
  explicit Daemon(const std::string& sections, Parent parent = Parent::test);
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;
  ~Daemon();

  // Runs arenad and waits until it answers. prefix: a command that executes the rest of its arguments.
  void start(const std::vector<std::string>& prefix = {});
  // Runs arenad, which must end by itself.
  Finished start_in_vain();
  // SIGTERM, and its end in order.
  void stop();
  // Its end in order, which it was told of in another way.
  void await_end();
  // SIGKILL for arenad and all of its children, none of which sees the end of another. then: done before the next one is waited for.
  void crash(const std::function<void()>& then = [] {});
  // SIGKILL for arenad alone.
  void kill_arenad(const std::function<void()>& then = [] {});
  void reconfigure(const std::string& sections);

  // Of arenad; 0 if there is none at the moment.
  [[nodiscard]] pid_t pid() const;
  [[nodiscard]] pid_t keeper() const { return program_->pid(); }
  [[nodiscard]] const PrivateFolder& folder() const { return folder_; }
  [[nodiscard]] std::string config() const { return (folder_ / "arenad.toml").string(); }
  [[nodiscard]] std::string socket() const { return (folder_ / "run/arenad.sock").string(); }
  [[nodiscard]] std::string log() const { return read_file(folder_ / "arenad.log"); }
  // It is in the log, or comes there in a moment: a thread of its own writes it.
  [[nodiscard]] bool has_logged(const std::string& text) const {
    return eventually([&] { return log().find(text) != std::string::npos; });
  }

  [[nodiscard]] ControlClient connect() const;
  [[nodiscard]] Finished arenactl(std::vector<std::string> arguments) const;

  // Over one connection that is kept. The first of a group fails the test if arenad refuses.
  std::string start_arena(const std::string& name, const Params& params = {}, const std::string& game = "echo");
  Result<std::string> try_start_arena(const std::string& name, const Params& params = {}, const std::string& game = "echo",
                                      const std::string& id = "");
  [[nodiscard]] ArenaFacts arena(const std::string& name);
  [[nodiscard]] bool knows(const std::string& name);
  [[nodiscard]] DaemonFacts facts();
  [[nodiscard]] std::vector<StoredResult> results(const std::string& name);
  // What one arena answers to restart or stop.
  Result<std::string> restart(const std::string& name);
  Result<std::string> stop_arena(const std::string& name);

  // Waits until an arena is so.
  template <class Condition>
  bool becomes(const std::string& name, Condition&& holds) {
    return eventually([&] { return holds(arena(name)); });
  }
  bool runs_again(const std::string& name, uint64_t after_epoch);
  // The worker must be there. Gives the epoch that ends with it.
  uint64_t kill_worker(const std::string& name);

 private:
  Result<ControlIncoming> ask(const std::function<void(wire::Request::Builder)>& fill);
  void check_nothing_left() const;
  void await_arenad(pid_t other_than);
  void is_gone(pid_t arenad, const std::function<void()>& then);

  PrivateFolder folder_;
  Parent parent_;
  std::unique_ptr<Program> program_;
  std::optional<ControlClient> control_;
};

}  // namespace arenad::test
