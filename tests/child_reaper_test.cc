#include "supervisor/child_reaper.h"

#include <cerrno>
#include <sys/wait.h>
#include <utility>

#include <doctest/doctest.h>

namespace {

using namespace arenad;

// Has ended, and nobody has reaped it.
pid_t ended_child() {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(0);
  siginfo_t end{};
  REQUIRE(::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOWAIT) == 0);
  return pid;
}

bool is_reaped(pid_t pid) {
  siginfo_t end{};
  return ::waitid(P_PID, static_cast<id_t>(pid), &end, WEXITED | WNOWAIT | WNOHANG) != 0 && errno == ECHILD;
}

}  // namespace

TEST_CASE("child reaper: one that has ended before its owner lets go of it waits for no signal") {
  ChildReaper reaper;
  const pid_t pid = ended_child();
  reaper.watched(pid);
  reaper.sweep();  // its SIGCHLD
  CHECK_FALSE(is_reaped(pid));
  auto pidfd = open_pidfd(pid);
  REQUIRE(pidfd);
  reaper.adopt(pid, std::move(*pidfd));
  CHECK(is_reaped(pid));
  CHECK_FALSE(reaper.is_watched(pid));
}
