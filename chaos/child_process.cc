#include "chaos/child_process.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// What arenad would take for a service manager of its own.
constexpr const char* kServiceVariables[] = {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID",
                                             "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES"};

// What was sent to the run's process group between the fork and setsid() was for the run; to ignore a signal discards it.
void forget_pending_signals() {
  sigset_t pending;
  ::sigemptyset(&pending);
  ::sigpending(&pending);
  for (int signal = 1; signal < NSIG; ++signal) {
    if (::sigismember(&pending, signal) != 1) continue;
    std::signal(signal, SIG_IGN);
    std::signal(signal, SIG_DFL);
  }
}

void set_up_signals(const Command& command, pid_t parent) {
  forget_pending_signals();
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::signal(SIGPIPE, SIG_DFL);
  if (command.signal_if_orphaned == 0) return;
  ::prctl(PR_SET_PDEATHSIG, command.signal_if_orphaned);
  if (::getppid() != parent) ::_exit(ChildProcess::kExitNotExecuted);  // died before the call
}

// Everything else that is open is close-on-exec.
bool set_up_descriptors(const Command& command) {
  const int nothing = ::open("/dev/null", O_RDONLY);
  const int log = ::open(command.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (nothing < 0 || log < 0) return false;
  if (::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(log, STDOUT_FILENO) < 0 || ::dup2(log, STDERR_FILENO) < 0) return false;
  ::close(nothing);
  if (command.link == nullptr) return true;
  if (command.link->get() == kLinkDescriptor) return ::fcntl(kLinkDescriptor, F_SETFD, 0) == 0;
  return ::dup2(command.link->get(), kLinkDescriptor) >= 0;
}

[[noreturn]] void become(const Command& command, pid_t parent) {
  ::setsid();
  set_up_signals(command, parent);
  for (const char* variable : kServiceVariables) ::unsetenv(variable);
  if (set_up_descriptors(command)) {
    std::vector<char*> arguments{const_cast<char*>(command.program.c_str())};
    for (const std::string& argument : command.arguments) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    ::execv(command.program.c_str(), arguments.data());
  }
  std::perror(command.program.c_str());
  ::_exit(ChildProcess::kExitNotExecuted);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const Command& command) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot start " + command.program.string());
  if (pid == 0) become(command, parent);
  auto pidfd = open_pidfd(pid);
  if (!pidfd) {
    ::kill(pid, SIGKILL);
    return pidfd.error();
  }
  return ChildProcess(pid, std::move(*pidfd));
}

Result<ChildProcess> ChildProcess::fork_for(const std::function<void()>& work) {
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot fork");
  if (pid == 0) {
    ::setsid();
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() == parent) work();
    ::_exit(0);
  }
  auto pidfd = open_pidfd(pid);
  if (!pidfd) {
    ::kill(pid, SIGKILL);
    return pidfd.error();
  }
  return ChildProcess(pid, std::move(*pidfd));
}

ChildProcess::~ChildProcess() {
  if (!pidfd_ || exit_) return;
  signal(SIGKILL);
  (void)wait(60'000);
}

std::optional<Exit> ChildProcess::wait(uint64_t timeout_ms) {
  const uint64_t deadline_ns = monotonic_ns() + timeout_ms * kMillisecond;
  while (!exit_) {
    const uint64_t now = monotonic_ns();
    const uint64_t left_ms = now < deadline_ns ? (deadline_ns - now + kMillisecond - 1) / kMillisecond : 0;
    pollfd end{pidfd_.get(), POLLIN, 0};
    const int ready = ::poll(&end, 1, static_cast<int>(std::min<uint64_t>(left_ms, 1000)));
    if (ready > 0) exit_ = reap(pidfd_);
    if (ready <= 0 && left_ms == 0) break;
  }
  return exit_;
}

}  // namespace arenad::chaos
