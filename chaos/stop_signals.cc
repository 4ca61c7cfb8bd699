#include "chaos/stop_signals.h"

#include <csignal>
#include <sys/signalfd.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kSameWishNs = 150 * kMillisecond;

}  // namespace

Result<StopSignals> StopSignals::take() {
  sigset_t signals;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::sigaddset(&signals, signal);
  if (::sigprocmask(SIG_BLOCK, &signals, nullptr) != 0) return errno_error("cannot block signals");
  // A reader that has gone away must not take the run down with it half-way.
  std::signal(SIGPIPE, SIG_IGN);
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) return errno_error("cannot wait for signals");
  return StopSignals(std::move(fd));
}

Wish StopSignals::look() {
  signalfd_siginfo signal{};
  while (::read(fd_.get(), &signal, sizeof signal) == sizeof signal) {
    const uint64_t now = monotonic_ns();
    if (count_ == 0 || now - last_ns_ > kSameWishNs) ++count_;
    last_ns_ = now;
  }
  if (count_ == 0) return Wish::go_on;
  return count_ == 1 ? Wish::end : Wish::end_at_once;
}

}  // namespace arenad::chaos
