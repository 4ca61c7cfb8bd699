// Processes: begun with nothing that they should not have, watched and ended by pidfd.
#include "ipc/process.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/child.h"

namespace {

using namespace arenad;
using namespace arenad::test;

struct Pair {
  Fd near;
  Fd far;
};

Pair new_pair() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

bool readable(const Fd& fd) {
  pollfd waiting{fd.get(), POLLIN, 0};
  return ::poll(&waiting, 1, kDeadlineMs) == 1;
}

// Waits for the end of a child and takes it.
std::optional<Exit> end_of(const Fd& pidfd) {
  if (!readable(pidfd)) return std::nullopt;
  return reap(pidfd);
}

Spawned shell(const std::string& script, const Fd& link) {
  const std::vector<std::string> arguments = {"-c", script};
  auto spawned = spawn("/bin/sh", arguments, link);
  REQUIRE(spawned.ok());
  return std::move(*spawned);
}

std::string end_of_shell(const std::string& script) {
  const Pair link = new_pair();
  const Spawned spawned = shell(script, link.far);
  const auto exit = end_of(spawned.pidfd);
  return exit ? exit->text() : "still runs";
}

// What a script says through its link.
std::string said_by(const std::string& script) {
  Pair link = new_pair();
  const Spawned spawned = shell("exec 1>&3; " + script, link.far);
  link.far.reset();
  char buffer[1024];
  REQUIRE(readable(link.near));
  const ssize_t count = ::recv(link.near.get(), buffer, sizeof buffer, 0);
  REQUIRE(count >= 0);
  CHECK(end_of(spawned.pidfd)->text() == "code=exited, status=0");
  std::string text(buffer, static_cast<size_t>(count));
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

TEST_CASE("exit: in words") {
  using How = Exit::How;
  CHECK(Exit{How::exited, 0}.text() == "code=exited, status=0");
  CHECK(Exit{How::exited, 255}.text() == "code=exited, status=255");
  CHECK(Exit{How::signalled, SIGSEGV}.text() == "signal=SEGV");
  CHECK(Exit{How::signalled, SIGKILL}.text() == "signal=KILL");
  CHECK(Exit{How::signalled, SIGRTMIN + 1}.text() == "signal=" + std::to_string(SIGRTMIN + 1));
  CHECK(Exit{}.text() == "cause unknown");
}

TEST_CASE("spawn: how a program ends is known") {
  CHECK(end_of_shell("exit 0") == "code=exited, status=0");
  CHECK(end_of_shell("exit 3") == "code=exited, status=3");
  CHECK(end_of_shell("exit 255") == "code=exited, status=255");
  CHECK(end_of_shell("kill -KILL $$") == "signal=KILL");
  CHECK(end_of_shell("kill -TERM $$") == "signal=TERM");
  CHECK(end_of_shell("ulimit -c 0; kill -SEGV $$") == "signal=SEGV");
}

TEST_CASE("spawn: a program that there is not, or that is none") {
  const Pair link = new_pair();
  const auto missing = spawn("/nowhere/arena-worker", {}, link.far);
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().errno_value == ENOENT);
  CHECK(missing.error().text().find("/nowhere/arena-worker") != std::string::npos);
  const auto folder = spawn("/tmp", {}, link.far);
  REQUIRE_FALSE(folder.ok());
  CHECK(folder.error().errno_value == EACCES);
  CHECK(::waitpid(-1, nullptr, WNOHANG) == -1);  // nothing is left behind
  CHECK(errno == ECHILD);
}

TEST_CASE("spawn: arguments arrive as they are") {
  Pair link = new_pair();
  const std::vector<std::string> arguments = {"-c", "printf '%s|' \"$@\" >&3", "sh", "", "two words", "*", "$HOME", "'"};
  auto spawned = spawn("/bin/sh", arguments, link.far);
  REQUIRE(spawned.ok());
  CHECK(end_of(spawned->pidfd)->text() == "code=exited, status=0");
  char buffer[256];
  const ssize_t count = ::recv(link.near.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  REQUIRE(count > 0);
  CHECK(std::string(buffer, static_cast<size_t>(count)) == "|two words|*|$HOME|'|");
}

TEST_CASE("spawn: a program that looks at nothing ends with the process that has begun it") {
  const Pair told = new_pair();
  const pid_t beginner = ::fork();
  REQUIRE(beginner >= 0);
  if (beginner == 0) {
    const Pair link = new_pair();
    // It ignores what can be ignored, and never looks at its link.
    const std::vector<std::string> arguments = {"-c", "trap '' TERM HUP INT; while :; do read -r line </dev/zero; done"};
    const auto spawned = spawn("/bin/sh", arguments, link.far);
    const pid_t pid = spawned.ok() ? spawned.value().pid : -1;
    (void)!::write(told.far.get(), &pid, sizeof pid);
    ::pause();
    ::_exit(0);
  }
  REQUIRE(readable(told.near));
  pid_t pid = 0;
  REQUIRE(::read(told.near.get(), &pid, sizeof pid) == sizeof pid);
  REQUIRE(pid > 0);
  auto pidfd = open_pidfd(pid);
  REQUIRE(pidfd.ok());
  CHECK(!has_ended(*pidfd));
  ::kill(beginner, SIGKILL);
  ::waitpid(beginner, nullptr, 0);
  CHECK(readable(*pidfd));
}

TEST_CASE("spawn: the link is descriptor 3, whatever its number was") {
  CHECK(said_by("echo hello") == "hello");
  // Also if it is descriptor 3 already.
  Child child([] {
    ::close(3);
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0 || ends[0] != 3) return 1;
    const std::vector<std::string> arguments = {"-c", "echo hello >&3"};
    const auto spawned = spawn("/bin/sh", arguments, Fd(3));
    if (!spawned.ok()) return 2;
    char buffer[16];
    return ::recv(ends[1], buffer, sizeof buffer, 0) == 6 ? kChildFine : 3;
  });
  CHECK(child.fine());
}

TEST_CASE("spawn: what is printed goes to the output, though that was descriptor 3 before") {
  Child child([] {
    ::close(3);
    const Fd output(::memfd_create("output", MFD_CLOEXEC));
    int ends[2];
    if (output.get() != 3 || ::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 1;
    const std::vector<std::string> arguments = {"-c", "echo hello; echo link >&3"};
    const auto spawned = spawn("/bin/sh", arguments, Fd(ends[0]), output);
    if (!spawned.ok() || !end_of(spawned.value().pidfd)) return 2;
    char buffer[16];
    if (::pread(output.get(), buffer, sizeof buffer, 0) != 6) return 3;
    return ::recv(ends[1], buffer, sizeof buffer, MSG_DONTWAIT) == 5 ? kChildFine : 4;
  });
  CHECK(child.fine());
}

TEST_CASE("spawn: nothing else is inherited") {
  const Fd secret(::open("/dev/zero", O_RDONLY | O_CLOEXEC));
  REQUIRE(secret);
  Pair other = new_pair();
  const std::string number = std::to_string(std::max(secret.get(), 4));
  Fd high(::fcntl(secret.get(), F_DUPFD_CLOEXEC, 50));
  REQUIRE(high);
  CHECK(said_by("test -e /proc/$$/fd/" + std::to_string(high.get()) + " && echo inherited || echo closed") == "closed");
  CHECK(said_by("test -e /proc/$$/fd/" + number + " && echo inherited || echo closed") == "closed");
  CHECK(said_by("readlink /proc/$$/fd/0") == "/dev/null");
}

TEST_CASE("spawn: no signal is blocked or ignored, and the session is its own") {
  Child parent([] {
    std::signal(SIGTERM, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t all;
    ::sigfillset(&all);
    ::sigprocmask(SIG_BLOCK, &all, nullptr);
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 1;
    for (const char* signal : {"TERM", "PIPE", "HUP", "USR1"}) {
      const std::vector<std::string> arguments = {"-c", std::string("kill -s ") + signal + " $$; exit 5"};
      const auto spawned = spawn("/bin/sh", arguments, Fd(::dup(ends[0])));
      if (!spawned.ok()) return 2;
      const auto exit = end_of(spawned.value().pidfd);
      if (!exit || exit->text() != std::string("signal=") + signal) return 3;
    }
    return kChildFine;
  });
  CHECK(parent.fine());
  CHECK(said_by("read -r pid name state parent group session rest < /proc/$$/stat; test $session = $$ && echo own") == "own");
}

TEST_CASE("pidfd: a child that runs, and one that has ended") {
  const Pair link = new_pair();
  const Spawned spawned = shell("read line <&3", link.far);
  CHECK_FALSE(reap(spawned.pidfd));
  CHECK_FALSE(reap(spawned.pidfd));
  CHECK(spawned.pid > 0);
  auto again = open_pidfd(spawned.pid);
  REQUIRE(again.ok());
  CHECK((::fcntl(again->get(), F_GETFD) & FD_CLOEXEC) != 0);
  send_signal(spawned.pidfd, 0);  // nothing happens
  CHECK_FALSE(reap(spawned.pidfd));
  send_signal(spawned.pidfd, SIGTERM);
  REQUIRE(readable(*again));
  CHECK(reap(spawned.pidfd)->text() == "signal=TERM");
  CHECK(reap(spawned.pidfd)->text() == "cause unknown");  // it can be taken once
  CHECK(reap(*again)->how == Exit::How::unknown);
  send_signal(spawned.pidfd, SIGKILL);  // nobody is hit
}

TEST_CASE("pidfd: a process that is not our child") {
  auto parent = open_pidfd(::getppid());
  REQUIRE(parent.ok());
  CHECK(reap(*parent)->how == Exit::How::unknown);
  CHECK_FALSE(open_pidfd(0).ok());
  CHECK_FALSE(open_pidfd(-1).ok());
  const auto none = open_pidfd(0x3FFFFFFF);
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().text().find("1073741823") != std::string::npos);
}

TEST_CASE("pidfd: how each kind of death is told") {
  Child exited([] { return 7; });
  CHECK(end_of(exited.pidfd())->text() == "code=exited, status=7");
  Child killed([] {
    for (;;) ::pause();
    return 0;
  });
  send_signal(killed.pidfd(), SIGKILL);
  CHECK(end_of(killed.pidfd())->text() == "signal=KILL");
  Child dumped([] {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    std::signal(SIGABRT, SIG_DFL);
    std::abort();
    return 0;
  });
  CHECK(end_of(dumped.pidfd())->text() == "signal=ABRT");
}

TEST_CASE("fork sibling: a template's worker is a child of the template's parent, and can be reaped by it") {
  struct Told {
    std::atomic<pid_t> worker;
    std::atomic<pid_t> worker_itself;
    std::atomic<pid_t> parent_of_worker;
  };
  const Shared<Told> told;
  Pair link = new_pair();
  Child make_worker([&] {
    const auto pid = fork_sibling();
    if (!pid.ok()) return 1;
    if (pid.value() == 0) {
      told->worker_itself = ::getpid();
      told->parent_of_worker = ::getppid();
      char byte = 0;
      (void)!::recv(link.far.get(), &byte, 1, 0);  // until it is told to go
      ::_exit(23);
    }
    told->worker = pid.value();
    return kChildFine;
  });
  CHECK(make_worker.fine());  // the template has ended, and its worker lives
  const pid_t worker = told->worker;
  REQUIRE(worker > 0);
  CHECK(worker != make_worker.pid());
  auto pidfd = open_pidfd(worker);
  REQUIRE(pidfd.ok());
  CHECK_FALSE(reap(*pidfd));
  REQUIRE(::send(link.near.get(), "x", 1, 0) == 1);
  const auto exit = end_of(*pidfd);
  REQUIRE(exit);
  CHECK(exit->text() == "code=exited, status=23");
  CHECK(told->worker_itself == worker);
  CHECK(told->parent_of_worker == ::getpid());
  CHECK(::waitpid(worker, nullptr, WNOHANG) == -1);
}

TEST_CASE("fork sibling: many of them, killed while they work") {
  struct Told {
    std::atomic<pid_t> workers[20];
  };
  const Shared<Told> told;
  Child make_workers([&] {
    for (auto& worker : told->workers) {
      const auto pid = fork_sibling();
      if (!pid.ok()) return 1;
      if (pid.value() == 0) {
        for (;;) ::pause();
      }
      worker = pid.value();
    }
    return kChildFine;
  });
  CHECK(make_workers.fine());
  for (const auto& worker : told->workers) {
    auto pidfd = open_pidfd(worker);
    REQUIRE(pidfd.ok());
    send_signal(*pidfd, SIGKILL);
    const auto exit = end_of(*pidfd);
    REQUIRE(exit);
    CHECK(exit->text() == "signal=KILL");
  }
}

TEST_CASE("process name: is cut to what the system takes") {
  Child child([] {
    set_process_name("arena 01ARYZ6S41");
    std::string name;
    std::getline(std::ifstream("/proc/self/comm"), name);
    return name == "arena 01ARYZ6S4" ? kChildFine : 1;
  });
  CHECK(child.fine());
}

TEST_CASE("open files: the limit is raised as far as it may be, and never lowered") {
  Child child([] {
    const rlimit low{64, 256};
    if (::setrlimit(RLIMIT_NOFILE, &low) != 0) return 1;
    if (raise_open_files_limit(32) != 64) return 2;
    if (raise_open_files_limit(128) != 128) return 3;
    if (raise_open_files_limit(256) != 256) return 4;
    // Beyond the hard limit only with the right to do so.
    const uint64_t raised = raise_open_files_limit(512);
    rlimit now{};
    ::getrlimit(RLIMIT_NOFILE, &now);
    if (raised != now.rlim_cur) return 5;
    return raised == 256 || raised == 512 ? kChildFine : 6;
  });
  CHECK(child.fine());
}

TEST_CASE("open files: without the right to more, it is the hard limit") {
  Child child([] {
    const rlimit low{64, 256};
    if (::setrlimit(RLIMIT_NOFILE, &low) != 0) return 1;
    if (::geteuid() == 0 && ::setresuid(65534, 65534, 65534) != 0) return kChildFine;
    if (raise_open_files_limit(100'000) != 256) return 2;
    return raise_open_files_limit(100'000) == 256 ? kChildFine : 3;
  });
  CHECK(child.fine());
}
