#include "cli/interrupt.h"

#include <array>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "arenad/result.h"

namespace arenad::cli {

Interrupt::Interrupt() {
  sigset_t interrupts{};
  ::sigemptyset(&interrupts);
  ::sigaddset(&interrupts, SIGINT);
  ARENAD_ASSERT(::sigprocmask(SIG_BLOCK, &interrupts, &before_) == 0);
  signals_ = Fd(::signalfd(-1, &interrupts, SFD_CLOEXEC | SFD_NONBLOCK));
  // Without it Ctrl-C ends the process, as ever.
  if (!signals_) ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

Interrupt::~Interrupt() {
  // One that was waited for has been told of; left pending, it would end the process now. Any other is for whoever waits on, and ends the
  // process if nobody does.
  signalfd_siginfo taken{};
  while (has_told_ && signals_ && ::read(signals_.get(), &taken, sizeof taken) > 0) continue;
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

bool Interrupt::wait(uint64_t timeout_ms) const {
  pollfd waiting{signals_.get(), POLLIN, 0};
  const bool has_come = ::poll(&waiting, 1, static_cast<int>(timeout_ms)) == 1 && waiting.revents != 0;
  has_told_ |= has_come;
  return has_come;
}

bool Interrupt::wait_or_unread(uint64_t timeout_ms) const {
  // Of a pipe that nobody reads any more poll() tells without being asked.
  std::array<pollfd, 2> waiting{pollfd{signals_.get(), POLLIN, 0}, pollfd{STDOUT_FILENO, 0, 0}};
  if (::poll(waiting.data(), waiting.size(), static_cast<int>(timeout_ms)) <= 0) return false;
  has_told_ |= waiting[0].revents != 0;
  return waiting[0].revents != 0 || (waiting[1].revents & (POLLERR | POLLHUP)) != 0;
}

}  // namespace arenad::cli
