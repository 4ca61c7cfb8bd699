#include "bench/peer.h"

#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

namespace arenad::bench {
namespace {

[[noreturn]] void become(const std::function<Result<void>()>& work, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // died before the call
  const auto done = work();
  if (!done) std::fprintf(stderr, "arenad-bench: %s\n", done.error().text().c_str());
  ::_exit(done ? 0 : 1);
}

}  // namespace

std::optional<Exit> wait_for_end(const Fd& pidfd, uint64_t timeout_ms) {
  pollfd end{pidfd.get(), POLLIN, 0};
  if (::poll(&end, 1, static_cast<int>(timeout_ms)) <= 0) return std::nullopt;
  return reap(pidfd);
}

Result<Peer> Peer::start(const std::function<Result<void>()>& work) {
  std::fflush(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot fork");
  if (pid == 0) become(work, parent);
  auto pidfd = open_pidfd(pid);
  if (!pidfd) {
    ::kill(pid, SIGKILL);
    return pidfd.error();
  }
  return Peer(std::move(*pidfd));
}

Peer::~Peer() {
  if (!pidfd_ || exit_) return;
  send_signal(pidfd_, SIGKILL);
  (void)wait(60'000);
}

std::optional<Exit> Peer::wait(uint64_t timeout_ms) {
  if (!exit_) exit_ = wait_for_end(pidfd_, timeout_ms);
  return exit_;
}

Result<void> Peer::finish(uint64_t timeout_ms) {
  const auto exit = wait(timeout_ms);
  if (!exit) return make_error(ErrorCode::timeout, "another process of the benchmark does not end");
  if (has_failed()) return make_error(ErrorCode::failed, "another process of the benchmark has ended with " + exit->text());
  return {};
}

bool Peer::has_failed() {
  const auto exit = wait(0);
  return exit && (exit->how != Exit::How::exited || exit->value != 0);
}

}  // namespace arenad::bench
