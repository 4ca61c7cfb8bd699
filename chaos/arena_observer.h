// One arena of a run, watched from outside: as an observer that receives all outputs, and through the region of each incarnation,
// which is mapped read-only and read while its worker writes it and after the worker is dead.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arenad/client.h"
#include "chaos/client_log.h"
#include "chaos/control.h"
#include "chaos/frame_history.h"
#include "ipc/incarnation.h"

namespace arenad::chaos {

// What is known of one incarnation; it stays when the region is gone.
struct Life {
  Epoch epoch;
  pid_t pid = 0;
  uint64_t live_since_unix_ns = 0;        // 0: not yet
  uint64_t first_frame_published_ns = 0;  // 0: not yet
  std::string version;                    // of the game; empty: not yet
  uint64_t restored_frame = 0;            // of the snapshot that it began with; 0: with none
  uint64_t replayed_frames = 0;
  uint64_t replayed_events = 0;
  uint64_t divergences = 0;
  Rung rung = Rung::none;
  Phase phase = Phase::waiting;  // when it was last seen; for a dead one, where it died
};

class ArenaObserver {
 public:
  // log: what is received goes there.
  static Result<std::unique_ptr<ArenaObserver>> attach(Client& client, StartedArena arena, const std::filesystem::path& log);
  ArenaObserver(const ArenaObserver&) = delete;
  ArenaObserver& operator=(const ArenaObserver&) = delete;

  // Takes in all that is there now. To be called ten times a second at least.
  void look();

  [[nodiscard]] const StartedArena& arena() const { return arena_; }
  [[nodiscard]] Attachment& attachment() { return *attachment_; }
  [[nodiscard]] const FrameHistory& history() const { return history_; }
  [[nodiscard]] const std::vector<Life>& lives() const { return lives_; }  // in order
  [[nodiscard]] const std::filesystem::path& log_path() const { return log_path_; }
  // The words of the newest incarnation; nullptr before the first one.
  [[nodiscard]] const WorkerStatus* status() const { return followed_.empty() ? nullptr : &followed_.back().view.status(); }
  // Of the worker that is, or was, the newest incarnation; 0 before the first one.
  [[nodiscard]] pid_t pid() const { return followed_.empty() ? 0 : static_cast<pid_t>(followed_.back().view.pid()); }
  [[nodiscard]] Epoch epoch() const { return lives_.empty() ? Epoch{} : lives_.back().epoch; }
  [[nodiscard]] uint64_t outputs_received() const { return outputs_received_; }
  // The arena is gone: why, as arenad has told it.
  [[nodiscard]] const std::optional<Departure>& departure() const { return departure_; }
  // Something that must not happen to an observer; empty if nothing did.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  Result<void> close_log() { return log_->close(); }

 private:
  struct Followed {
    IncarnationView view;
    FrameLogReader reader;
  };
  ArenaObserver(StartedArena arena, std::unique_ptr<Attachment> attachment, std::filesystem::path log_path)
      : arena_(std::move(arena)), attachment_(std::move(attachment)), log_path_(std::move(log_path)) {}
  void begin_to_follow(int region_fd, Epoch epoch);
  void receive_outputs();
  void follow_incarnations();
  void read_log(Followed& followed, bool final);
  void note_life(const Followed& followed);
  void note_trouble(std::string text);

  StartedArena arena_;
  std::unique_ptr<Attachment> attachment_;
  std::filesystem::path log_path_;
  std::optional<ClientLogWriter> log_;
  std::deque<Followed> followed_;  // the front is being read; those before the last are of dead workers
  FrameHistory history_;
  std::vector<Life> lives_;
  uint64_t outputs_received_ = 0;
  std::optional<Departure> departure_;
  std::string trouble_;
  // Records that are released are still readable until something is written over them, which their checksums tell.
  const std::atomic<uint64_t> nothing_released_{0};
};

}  // namespace arenad::chaos
