// A client of an arena of the bench game, and a look at the arena's worker.
#pragma once

#include <memory>
#include <string_view>

#include "bench/daemon.h"
#include "bench/worker_probe.h"

namespace arenad::bench {

class BenchPlayer {
 public:
  // The arena is started anew.
  static Result<std::unique_ptr<BenchPlayer>> join(const Daemon& daemon, uint64_t channel_bytes);

  // One event; waits while the channel is full.
  Result<void> poke();
  // The game logs a line; waits as poke() does.
  Result<void> say(std::string_view text);
  // Fills more than a quarter of the ring, for which the worker takes a snapshot at once; returns when it has.
  Result<void> bring_about_snapshot();
  // Returns when the worker has applied all that was sent.
  Result<void> wait_until_applied();
  // Takes in outputs and news.
  Result<void> take_in();
  // Sleeps until there may be some.
  void wait(uint64_t timeout_ms) { attachment_->wait(timeout_ms); }

  [[nodiscard]] const WorkerProbe& worker() const { return *probe_; }
  [[nodiscard]] uint64_t pokes_sent() const { return pokes_sent_; }
  [[nodiscard]] uint64_t pokes_echoed() const { return pokes_echoed_; }

 private:
  template <class Event, class Write>
  Result<void> send(Write&& write);
  BenchPlayer(std::unique_ptr<Client> client, std::unique_ptr<Attachment> attachment);

  std::unique_ptr<Client> client_;
  std::unique_ptr<Attachment> attachment_;
  std::unique_ptr<WorkerProbe> probe_;
  uint64_t channel_bytes_ = 0;
  uint64_t pokes_sent_ = 0;
  uint64_t pokes_echoed_ = 0;
};

}  // namespace arenad::bench
