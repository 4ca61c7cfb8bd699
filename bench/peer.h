// Another process of a benchmark: a fork that does one thing. It does not outlive this process, nor its Peer.
//
// Only for a process with one thread.
#pragma once

#include <functional>
#include <optional>

#include "ipc/process.h"

namespace arenad::bench {

class Peer {
 public:
  // work runs in the new process; an error is told on standard error and ends the process with 1.
  static Result<Peer> start(const std::function<Result<void>()>& work);
  Peer(Peer&&) noexcept = default;
  Peer& operator=(Peer&&) = delete;
  // Kills it if it still runs.
  ~Peer();

  // Nothing if it runs longer than that.
  std::optional<Exit> wait(uint64_t timeout_ms);
  // The same, and an error unless it has ended well.
  Result<void> finish(uint64_t timeout_ms);
  [[nodiscard]] bool has_failed();

 private:
  explicit Peer(Fd pidfd) : pidfd_(std::move(pidfd)) {}
  Fd pidfd_;
  std::optional<Exit> exit_;
};

// Waits for the end of a child. Nothing if it runs longer than that.
std::optional<Exit> wait_for_end(const Fd& pidfd, uint64_t timeout_ms);

}  // namespace arenad::bench
