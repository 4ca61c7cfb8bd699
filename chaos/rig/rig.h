// The processes of a sweep: arena-keeper, under it an arenad, under that templates and workers, all of which map the table of crash
// points; in a private folder. arenad dies now and then, and the keeper starts it again: whoever asks it something here waits for the next
// one, but an answer may be lost.
//
// Games: `ledger` takes a snapshot after every frame and has a spare; `ledger_log` takes none after its first, so that every recovery runs
// all of its frames again, and has no spare.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arenad/ids.h"
#include "chaos/child_process.h"
#include "ipc/control_client.h"
#include "ipc/crash_point.h"

namespace arenad::sweep {

// Far beyond what anything here takes.
constexpr uint64_t kPatienceMs = 20'000;

struct ArenaStatus {
  std::string state;
  std::string reason;
  std::string rung;
  std::string last_exit;
  std::string version;  // of the game
  pid_t pid = 0;
  uint64_t epoch = 0;
  uint64_t frame = 0;
  uint64_t durable_frame = 0;
  uint64_t clients = 0;
  uint64_t events = 0;
  uint64_t rejected = 0;
  uint64_t replayed_frames = 0;
  uint64_t divergences = 0;
  uint64_t first_divergent_frame = 0;
  bool probation = false;
};

struct StoredAward {
  uint64_t sequence = 0;
  uint64_t seat = 0;
  uint64_t number = 0;
  uint64_t balance = 0;
  bool operator==(const StoredAward&) const = default;
};
// Of a result's message.
StoredAward award_of(uint64_t sequence, std::string_view message);

struct QuarantinedEvent {
  uint64_t id = 0;  // in the quarantine
  std::string player;
  uint64_t channel = 0;
  uint64_t sequence = 0;
  uint64_t type = 0;
};

// Of the history of what was asked.
struct PastCommand {
  uint32_t uid = 0;
  std::string verb;
  std::string outcome;
};

class Rig {
 public:
  static Result<std::unique_ptr<Rig>> start(const std::filesystem::path& folder);
  // With this configuration; `run/arenad.sock` must be the socket in it.
  static Result<std::unique_ptr<Rig>> start(const std::filesystem::path& folder, const std::string& config);
  Rig(const Rig&) = delete;
  Rig& operator=(const Rig&) = delete;
  // In order; an error says what was not.
  Result<void> stop();
  // After arenad has ended in order, and its keeper with it: both once more. Whoever has played attaches again.
  Result<void> begin_again();

  CrashPointTable& points() { return points_; }
  [[nodiscard]] const CrashPointTable& points() const { return points_; }
  [[nodiscard]] std::string socket() const { return (folder_ / "run/arenad.sock").string(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] std::filesystem::path log() const { return folder_ / "arenad.log"; }
  // Once this is so, an answer is waited for no longer than a moment.
  void call_off_when(std::function<bool()> is_called_off) { is_called_off_ = std::move(is_called_off); }
  // Done now and then while an answer is waited for; asks nothing itself.
  void do_meanwhile(std::function<void()> work) { meanwhile_ = std::move(work); }
  // The keeper has ended, which it never should.
  [[nodiscard]] bool is_broken() { return keeper_end().has_value(); }
  // How it has ended; nothing while it runs.
  std::optional<Exit> keeper_end() { return keeper_->wait(0); }

  // One try. Unreachable: arenad died before it answered, or is not there yet.
  Result<void> start_arena(ArenaId id, const std::string& name, const std::string& game, uint32_t hz);
  using Params = std::vector<std::pair<std::string, std::string>>;
  Result<void> start_arena(ArenaId id, const std::string& name, const std::string& game, const Params& params);
  Result<std::string> stop_arena(ArenaId id);
  Result<std::string> restart_arena(ArenaId id);
  struct Probation {
    uint64_t ms = 100;
    uint64_t frames = 3;
  };
  // On a short probation. module: one of the games' folder, or the path of another, both without ".so". arena: a name; empty: all of the
  // game.
  Result<void> reload(const std::string& game, const std::string& module, const std::string& arena, uint32_t batch = 1) {
    return reload(game, module, arena, batch, Probation());
  }
  Result<void> reload(const std::string& game, const std::string& module, const std::string& arena, uint32_t batch,
                      Probation probation);
  // The same on a connection of its own, on which the answer is to come.
  struct Posted {
    ControlClient control;
    uint64_t request;
  };
  Result<Posted> post_reload(const std::string& game, const std::string& module, const std::string& arena) const;
  // Of arenad itself, to its own program.
  Result<void> upgrade();
  struct RolloutStatus {
    std::string state;
    uint64_t passed = 0;
    uint64_t failed = 0;
    bool is_over = false;
  };
  std::optional<RolloutStatus> rollout(const std::string& game);
  // arenad goes by its configuration file as it is now. An error: it does not, and why.
  Result<void> reload_config();
  // Of arenad, and with it of its keeper; begins with the answer.
  Result<void> shut_down();
  // Of all arenas, and of arenad: no new ones; and the contrary.
  Result<void> drain_all();
  Result<void> undrain_all();
  // Whether a rollout is going on, as the next arenad that answers says.
  bool is_rolling_out();
  // Whether there is an arenad that answers.
  bool answers();
  // Waits for an arenad that answers. Nothing: it knows no such arena, or none came.
  std::optional<ArenaStatus> status(ArenaId id);
  std::optional<std::vector<StoredAward>> awards(ArenaId id);

  std::optional<std::vector<QuarantinedEvent>> quarantine(ArenaId id);
  // ErrorCode::invalid: it is not there any more.
  Result<std::string> drop_quarantined(uint64_t event);
  // The newest so many, newest first.
  std::optional<std::vector<PastCommand>> history(uint32_t limit);

  [[nodiscard]] pid_t keeper() const { return keeper_->pid(); }
  // 0: there is none at the moment.
  [[nodiscard]] pid_t arenad() const;
  // Living processes of this name under the keeper.
  [[nodiscard]] std::vector<pid_t> processes_named(const std::string& name) const;

 private:
  Rig(std::filesystem::path folder, CrashPointTable points, chaos::ChildProcess keeper)
      : folder_(std::move(folder)), points_(std::move(points)), keeper_(std::move(keeper)) {}
  static Result<chaos::ChildProcess> start_keeper(const std::filesystem::path& folder);
  Result<void> wait_for_answer();
  Result<ControlIncoming> ask(const std::function<void(wire::Request::Builder)>& fill, std::span<const int> fds = {});
  Result<ControlIncoming> ask_patiently(const std::function<void(wire::Request::Builder)>& fill);

  std::filesystem::path folder_;
  CrashPointTable points_;
  std::optional<chaos::ChildProcess> keeper_;  // always there: it can be replaced, and not assigned to
  std::optional<ControlClient> control_;
  std::function<bool()> is_called_off_ = [] { return false; };
  std::function<void()> meanwhile_ = [] {};
};

}  // namespace arenad::sweep
