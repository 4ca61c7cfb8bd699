#include "chaos/private_namespaces.h"

#include <array>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <iostream>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/fd.h"

namespace arenad::chaos {
namespace {

constexpr int kNamespaces = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWNET;
constexpr const char* kTheirNames = "processes, mounts, IPC, network";
constexpr std::array kPassedOn{SIGINT, SIGTERM, SIGHUP};
constexpr int kNotSetUp = 255;

std::string why(const std::string& what) {
  return what + ": " + std::strerror(errno);
}

// Empty: it is written.
std::string write_to(const char* path, const std::string& text) {
  const Fd file(::open(path, O_WRONLY | O_CLOEXEC));
  if (file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) return "";
  return why(std::string("cannot write ") + path);
}

std::string stay_who_one_is(uid_t uid, gid_t gid) {
  const auto itself = [](auto id) { return std::to_string(id) + " " + std::to_string(id) + " 1"; };
  for (const auto& [path, text] : {std::pair<const char*, std::string>{"/proc/self/setgroups", "deny"},
                                   {"/proc/self/uid_map", itself(uid)},
                                   {"/proc/self/gid_map", itself(gid)}}) {
    if (std::string refused = write_to(path, text); !refused.empty()) return refused;
  }
  return "";
}

std::string mount_own() {
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return why("cannot keep mounts to itself");
  if (::mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, nullptr) != 0) return why("cannot mount /proc");
  if (::mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") != 0) return why("cannot mount /dev/shm");
  return "";
}

std::string begin_loopback() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq loopback{};
  std::strcpy(loopback.ifr_name, "lo");
  if (!socket || ::ioctl(socket.get(), SIOCGIFFLAGS, &loopback) != 0) return why("no loopback");
  loopback.ifr_flags |= IFF_UP;
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &loopback) == 0 ? "" : why("cannot begin loopback");
}

sigset_t awaited_signals() {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGCHLD);
  for (const int signal : kPassedOn) ::sigaddset(&signals, signal);
  return signals;
}

// Until that child has ended; reaps others too. Gives how it ended.
int wait_and_pass_on(pid_t child) {
  const sigset_t awaited = awaited_signals();
  for (;;) {
    siginfo_t signal{};
    const int number = ::sigwaitinfo(&awaited, &signal);
    // A terminal's Ctrl-C has come to the child too.
    if (number > 0 && number != SIGCHLD && signal.si_code != SI_KERNEL) ::kill(child, number);
    int status = 0;
    for (pid_t ended = 0; (ended = ::waitpid(-1, &status, WNOHANG)) > 0;) {
      if (ended == child) return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
  }
}

// The first process in there. Tells the one outside why it cannot be, or closes the pipe without a word.
[[noreturn]] void be_first(const Fd& tells, bool is_user, uid_t uid, gid_t gid, const sigset_t& mask_before,
                           const std::function<int(const std::string&)>& run) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  std::string refused = is_user ? stay_who_one_is(uid, gid) : "";
  if (refused.empty()) refused = mount_own();
  if (refused.empty()) refused = begin_loopback();
  const pid_t child = refused.empty() ? ::fork() : -1;
  if (child == 0) {
    ::close(tells.get());
    ::sigprocmask(SIG_SETMASK, &mask_before, nullptr);
    const int code = run(kTheirNames);
    std::cout.flush();
    std::fflush(nullptr);
    ::_exit(code);
  }
  if (refused.empty() && child < 0) refused = why("cannot fork");
  if (!refused.empty()) (void)!::write(tells.get(), refused.data(), refused.size());
  ::close(tells.get());
  ::_exit(refused.empty() ? wait_and_pass_on(child) : kNotSetUp);
}

// Empty: it has begun.
std::string read_refusal(const Fd& told) {
  std::array<char, 256> text{};
  ssize_t count = 0;
  while ((count = ::read(told.get(), text.data(), text.size())) < 0 && errno == EINTR) continue;
  return {text.data(), static_cast<size_t>(std::max<ssize_t>(count, 0))};
}

}  // namespace

int in_private_namespaces(const std::function<int(const std::string& namespaces)>& run) {
  const bool is_user = ::geteuid() != 0;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return run("none: " + why("cannot make a pipe"));
  Fd told(ends[0]);
  Fd tells(ends[1]);
  std::cout.flush();
  std::fflush(nullptr);
  // Nothing that comes from now on is missed, by either of them.
  const sigset_t awaited = awaited_signals();
  sigset_t mask_before;
  ::sigprocmask(SIG_BLOCK, &awaited, &mask_before);
  const int flags = kNamespaces | (is_user ? CLONE_NEWUSER : 0) | SIGCHLD;
  const auto first = static_cast<pid_t>(::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr));
  if (first == 0) be_first(tells, is_user, uid, gid, mask_before, run);
  std::string refused = first < 0 ? why("they are not allowed here") : "";
  tells.reset();
  if (first > 0) refused = read_refusal(told);
  if (first > 0 && refused.empty()) {
    const int code = wait_and_pass_on(first);
    ::sigprocmask(SIG_SETMASK, &mask_before, nullptr);
    return code;
  }
  while (first > 0 && ::waitpid(first, nullptr, 0) < 0 && errno == EINTR) continue;
  ::sigprocmask(SIG_SETMASK, &mask_before, nullptr);
  return run("none: " + refused);
}

}  // namespace arenad::chaos
