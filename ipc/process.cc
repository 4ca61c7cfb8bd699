#include "ipc/process.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <memory>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace arenad {
namespace {

#ifndef P_PIDFD
constexpr auto P_PIDFD = static_cast<idtype_t>(3);
#endif

constexpr size_t kSpawnStackBytes = size_t{64} * 1024;

struct Program {
  const char* path;
  char* const* arguments;
  char* const* environment;
  int link;
  int output;  // -1: the caller's
  pid_t parent;
  int error = 0;
};

// In the child, which has the caller's memory until it executes: nothing but system calls.
int become(void* given) {
  auto& program = *static_cast<Program*>(given);
  // A session of its own: a terminal's Ctrl-C is for arenad, which then ends its children in order.
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != program.parent) ::_exit(0);  // it has died before that
  struct sigaction usual {};
  usual.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal) ::sigaction(signal, &usual, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  bool placed = nothing >= 0 && ::dup2(nothing, STDIN_FILENO) >= 0;
  if (nothing > STDIN_FILENO) ::close(nothing);
  // The output first: it may be what lies where the link comes.
  if (program.output >= 0)
    placed = placed && ::dup2(program.output, STDOUT_FILENO) >= 0 && ::dup2(program.output, STDERR_FILENO) >= 0;
  // A descriptor that is duplicated onto itself would be closed all the same.
  const bool is_there = program.link == kLinkDescriptor;
  placed = placed && (is_there ? ::fcntl(program.link, F_SETFD, 0) : ::dup2(program.link, kLinkDescriptor)) >= 0;
  if (placed) {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(program.path, program.arguments, program.environment);
  }
  program.error = errno;
  ::_exit(127);
}

// As posix_spawn(3) does it, which cannot ask for a child that ends with its parent: the child borrows the caller's memory, on a stack of its
// own, and the caller goes on when it has executed its program. Nothing is copied, however much arenad has mapped.
Result<pid_t> start(Program& program) {
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  // A handler of the caller's must not run in the child.
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const auto stack = std::make_unique<std::byte[]>(kSpawnStackBytes);
  const pid_t pid = ::clone(become, stack.get() + kSpawnStackBytes, CLONE_VM | CLONE_VFORK | SIGCHLD, &program);
  const int error = pid < 0 ? errno : program.error;
  if (pid > 0 && error != 0) ::waitpid(pid, nullptr, 0);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error == 0) return pid;
  errno = error;
  return errno_error(std::string("cannot execute ") + program.path);
}

}  // namespace

std::string Exit::text() const {
  switch (how) {
    case How::exited:
      return "code=exited, status=" + std::to_string(value);
    case How::signalled: {
      const char* name = ::sigabbrev_np(value);
      return "signal=" + (name != nullptr ? std::string(name) : std::to_string(value));
    }
    case How::unknown:
      return "cause unknown";
  }
  return "?";
}

Result<Fd> open_pidfd(pid_t pid) {
  const auto fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return errno_error("cannot watch process " + std::to_string(pid));
  return Fd(fd);
}

bool has_ended(const Fd& pidfd) {
  pollfd end{pidfd.get(), POLLIN, 0};
  return ::poll(&end, 1, 0) == 1;
}

void send_signal(const Fd& pidfd, int signal) {
  ::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0);
}

std::optional<Exit> reap(const Fd& pidfd) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG) != 0) return Exit{};
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return Exit{Exit::How::exited, info.si_status};
  return Exit{Exit::How::signalled, info.si_status};
}

void reap(pid_t pid) {
  ::waitpid(pid, nullptr, WNOHANG);
}

std::vector<pid_t> children_of_self() {
  std::vector<pid_t> children;
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task", error)) {
    std::ifstream list(task.path() / "children");
    for (pid_t pid = 0; list >> pid;) children.push_back(pid);
  }
  return children;
}

Result<pid_t> fork_sibling() {
  // Not clone3(2), whose flags lie in memory where no seccomp filter sees them: systemd's RestrictNamespaces= refuses all of it.
  const long pid = ::syscall(SYS_clone, CLONE_PARENT, nullptr, nullptr, nullptr, nullptr);
  if (pid < 0) return errno_error("cannot fork a worker");
  return static_cast<pid_t>(pid);
}

Result<Spawned> spawn(const std::string& program, std::span<const std::string> arguments, const Fd& link, const Fd& output,
                      const std::string& variable) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  // The first of a name is the one that is found.
  std::vector<char*> environment;
  if (!variable.empty()) environment.push_back(const_cast<char*>(variable.c_str()));
  for (char** inherited = environ; *inherited != nullptr; ++inherited) environment.push_back(*inherited);
  environment.push_back(nullptr);
  Program what{program.c_str(), argv.data(), environment.data(), link.get(), output ? output.get() : -1, ::getpid()};
  auto pid = start(what);
  if (!pid) return pid.error();
  auto pidfd = open_pidfd(*pid);
  if (!pidfd) return pidfd.error();
  return Spawned{*pid, std::move(*pidfd)};
}

std::optional<uint64_t> cpu_time_ns(pid_t pid) {
  // As clock_getcpuclockid(3) makes it, which asks the kernel once more whether there is such a process. Source: Linux, posix-timers.h.
  constexpr clockid_t kScheduled = 2;
  const clockid_t clock = ((~pid) << 3) | kScheduled;
  timespec time{};
  if (pid <= 0 || ::clock_gettime(clock, &time) != 0) return std::nullopt;
  return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
}

void set_process_name(const std::string& name) {
  ::prctl(PR_SET_NAME, name.c_str());
}

uint64_t raise_open_files_limit(uint64_t wanted) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  wanted = std::max<uint64_t>(wanted, limit.rlim_cur);
  rlimit raised{wanted, std::max<rlim_t>(wanted, limit.rlim_max)};
  if (::setrlimit(RLIMIT_NOFILE, &raised) != 0) {
    raised = {std::min<rlim_t>(wanted, limit.rlim_max), limit.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &raised);
  }
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace arenad
