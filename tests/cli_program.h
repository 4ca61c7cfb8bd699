// The real arenactl, run by its tests with pipes, at a terminal, or with no place for its output. The program is the one named in the
// environment variable ARENACTL, else the one that was built.
#pragma once

#include <array>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <string>
#include <string_view>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <vector>

#include <doctest/doctest.h>

#include "ipc/fd.h"
#include "tests/cli_fake_daemon.h"

namespace arenad::cli_test {

struct Ended {
  int code = -1;
  std::string out;
  std::string err;
};

inline std::string program() {
  const char* named = std::getenv("ARENACTL");
  if (named != nullptr) return named;
#ifdef ARENACTL_PATH
  return ARENACTL_PATH;
#else
  FAIL("where is arenactl? Name it in the environment variable ARENACTL");
  return {};
#endif
}

// Ours, without what changes the program's output, and with what the test wants.
inline Texts environment_with(const Texts& extra) {
  Texts variables = extra;
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view variable(*at);
    const bool ours =
        variable.starts_with("ARENAD_SOCKET=") || variable.starts_with("NO_COLOR=") || variable.starts_with("TERM=");
    if (!ours) variables.emplace_back(variable);
  }
  return variables;
}

inline std::vector<char*> pointers(Texts& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

struct Streams {
  int in;
  int out;
  int err;
};

inline pid_t spawn_program(Texts arguments, const Texts& environment, Streams streams) {
  arguments.insert(arguments.begin(), program());
  Texts variables = environment_with(environment);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, streams.in, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, streams.out, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, streams.err, STDERR_FILENO);
  pid_t pid = -1;
  const int error =
      ::posix_spawn(&pid, arguments[0].c_str(), &actions, nullptr, pointers(arguments).data(), pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  REQUIRE_MESSAGE(error == 0, arguments[0], ": ", std::strerror(error));
  return pid;
}

inline int exit_code_of(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

struct Pipe {
  Fd read;
  Fd write;
};

inline Pipe make_pipe() {
  std::array<int, 2> ends{};
  REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

// False at the end. A terminal whose other side was closed gives EIO.
inline bool read_some(const Fd& fd, std::string& to) {
  std::array<char, 4096> buffer{};
  const ssize_t count = ::read(fd.get(), buffer.data(), buffer.size());
  if (count > 0) to.append(buffer.data(), static_cast<size_t>(count));
  return count > 0;
}

inline void read_both(const Fd& out, const Fd& err, Ended& ended) {
  std::array<pollfd, 2> waiting{pollfd{out.get(), POLLIN, 0}, pollfd{err.get(), POLLIN, 0}};
  while (waiting[0].fd >= 0 || waiting[1].fd >= 0) {
    if (::poll(waiting.data(), waiting.size(), -1) < 0) continue;
    if (waiting[0].revents != 0 && !read_some(out, ended.out)) waiting[0].fd = -1;
    if (waiting[1].revents != 0 && !read_some(err, ended.err)) waiting[1].fd = -1;
  }
}

// While it runs: what it prints waits in the pipes.
struct Running {
  pid_t pid;
  Fd out;
  Fd err;
};

inline Running begin(const Texts& arguments, const Texts& environment = {}) {
  Pipe out = make_pipe();
  Pipe err = make_pipe();
  const Fd nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const pid_t pid = spawn_program(arguments, environment, {nothing.get(), out.write.get(), err.write.get()});
  return {pid, std::move(out.read), std::move(err.read)};
}

inline Ended end_of(const Running& running) {
  Ended ended;
  read_both(running.out, running.err, ended);
  ended.code = exit_code_of(running.pid);
  return ended;
}

inline Ended run(const Texts& arguments, const Texts& environment = {}) {
  return end_of(begin(arguments, environment));
}

// Standard output is a place that takes nothing.
inline Ended run_into_full_device(const Texts& arguments) {
  Pipe err = make_pipe();
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  const pid_t pid = spawn_program(arguments, {}, {full.get(), full.get(), err.write.get()});
  err.write.reset();
  Ended ended;
  while (read_some(err.read, ended.err)) continue;
  ended.code = exit_code_of(pid);
  return ended;
}

// At a terminal, where somebody has typed already. What is printed comes as `out`, errors included.
inline Ended run_at_terminal(const Texts& arguments, std::string_view typed, const Texts& environment = {}) {
  const Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(terminal);
  REQUIRE(::grantpt(terminal.get()) == 0);
  REQUIRE(::unlockpt(terminal.get()) == 0);
  Fd other_side(::open(::ptsname(terminal.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  REQUIRE(other_side);
  termios settings{};
  REQUIRE(::tcgetattr(other_side.get(), &settings) == 0);
  settings.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  settings.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  REQUIRE(::tcsetattr(other_side.get(), TCSANOW, &settings) == 0);
  REQUIRE(::write(terminal.get(), typed.data(), typed.size()) == static_cast<ssize_t>(typed.size()));
  const pid_t pid = spawn_program(arguments, environment, {other_side.get(), other_side.get(), other_side.get()});
  other_side.reset();
  Ended ended;
  while (read_some(terminal, ended.out)) continue;
  ended.code = exit_code_of(pid);
  return ended;
}

inline Ended ask(const FakeDaemon& daemon, Texts arguments) {
  arguments.insert(arguments.begin(), {"--socket", daemon.socket_path()});
  return run(arguments);
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace arenad::cli_test
