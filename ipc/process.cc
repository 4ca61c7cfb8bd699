#include "ipc/process.h"

#include <algorithm>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
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

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  posix_spawn_file_actions_t* get() { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

class SpawnAttributes {
 public:
  SpawnAttributes() {
    ::posix_spawnattr_init(&attributes_);
    // The child begins with no signal blocked or ignored, in a session of its own: a terminal's Ctrl-C is for arenad, which then
    // ends its workers in order.
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &all);
    ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  ~SpawnAttributes() { ::posix_spawnattr_destroy(&attributes_); }
  posix_spawnattr_t* get() { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

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
  FileActions actions;
  // glibc clears close-on-exec also when a descriptor is duplicated onto itself.
  ::posix_spawn_file_actions_addopen(actions.get(), 0, "/dev/null", O_RDONLY, 0);
  // The output first: it may be what lies where the link comes.
  if (output) {
    ::posix_spawn_file_actions_adddup2(actions.get(), output.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(actions.get(), output.get(), STDERR_FILENO);
  }
  ::posix_spawn_file_actions_adddup2(actions.get(), link.get(), kLinkDescriptor);
  SpawnAttributes attributes;
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), actions.get(), attributes.get(), argv.data(), environment.data());
  if (error != 0) {
    errno = error;
    return errno_error("cannot execute " + program);
  }
  auto pidfd = open_pidfd(pid);
  if (!pidfd) return pidfd.error();
  return Spawned{pid, std::move(*pidfd)};
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
