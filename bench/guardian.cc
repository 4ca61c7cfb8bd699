#include "bench/guardian.h"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad::bench {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kPatienceNs = 60 * kSecond;

std::optional<fs::path> make_folder() {
  std::error_code error;
  std::string name = fs::temp_directory_path(error) / "arenad-bench-XXXXXX";
  if (error || ::mkdtemp(name.data()) == nullptr) {
    std::perror(("arenad-bench: cannot make a folder " + name).c_str());
    return std::nullopt;
  }
  return fs::path(name);
}

void remove_folder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) std::fprintf(stderr, "arenad-bench: cannot remove %s: %s\n", folder.c_str(), error.message().c_str());
}

void kill_children() {
  std::ifstream list("/proc/self/task/" + std::to_string(::getpid()) + "/children");
  for (pid_t child = 0; list >> child;) ::kill(child, SIGKILL);
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

class Watch {
 public:
  explicit Watch(pid_t run) : run_(run) {}

  // Until there is no child left.
  int wait_for_all(const sigset_t& signals) {
    while (reap_all()) {
      const timespec second{1, 0};
      const int signal = ::sigtimedwait(&signals, nullptr, &second);
      if (signal == SIGINT || signal == SIGTERM || signal == SIGHUP) {
        asked_by_ = signal;
        ::kill(run_, SIGKILL);
      }
      if (ended_ns_ != 0 && monotonic_ns() - ended_ns_ > kPatienceNs) kill_children();
    }
    return asked_by_ ? 128 + *asked_by_ : code_;
  }

 private:
  // False if there is no child left.
  bool reap_all() {
    int status = 0;
    pid_t pid = 0;
    while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (pid != run_) continue;
      code_ = exit_code_of(status);
      ended_ns_ = monotonic_ns();
    }
    return pid == 0;
  }

  pid_t run_;
  int code_ = 1;
  uint64_t ended_ns_ = 0;
  std::optional<int> asked_by_;
};

}  // namespace

int run_guarded(const std::function<int(const fs::path& folder)>& run) {
  sigset_t signals;
  sigset_t before;
  ::sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&signals, signal);
  ::sigprocmask(SIG_BLOCK, &signals, &before);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  const auto folder = make_folder();
  if (!folder) return 1;

  const pid_t guardian = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != guardian) ::_exit(1);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    const int code = run(*folder);
    std::fflush(nullptr);
    ::_exit(code);
  }
  if (pid < 0) std::perror("arenad-bench: cannot fork");
  const int code = pid < 0 ? 1 : Watch(pid).wait_for_all(signals);
  remove_folder(*folder);
  return code;
}

}  // namespace arenad::bench
