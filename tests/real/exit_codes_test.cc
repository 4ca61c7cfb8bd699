// Each exit code of arenactl (cli/exit_code.h), reached by what operators do with a real arenad.
#include <csignal>

#include <doctest/doctest.h>

#include "cli/exit_code.h"
#include "tests/real/daemon.h"

using namespace arenad;
using namespace arenad::test;
using cli::ExitCode;

namespace {

void check(const Finished& finished, ExitCode code) {
  CAPTURE(finished.out);
  CAPTURE(finished.err);
  CHECK(finished.code == static_cast<int>(code));
  // What went well has nothing to complain about; what did not says why, and not among the data.
  CHECK(finished.err.empty() == (code == ExitCode::ok));
}

}  // namespace

TEST_CASE("every exit code is reached, and says why on standard error") {
  Daemon daemon("[arenas]\nmax_arenas = 2\n" + echo_section());
  daemon.start();

  check(daemon.arenactl({"start", "echo", "--name", "duel"}), ExitCode::ok);
  check(daemon.arenactl({"status", "duel"}), ExitCode::ok);

  check(daemon.arenactl({"export", "duel", "/nonexistent/recording"}), ExitCode::failed);

  check(daemon.arenactl({"strat", "echo"}), ExitCode::usage);
  check(daemon.arenactl({"start", "echo", "--param", "hz"}), ExitCode::usage);
  check(daemon.arenactl({"status", "--json", "--colour"}), ExitCode::usage);

  check(daemon.arenactl({"stop", "duel"}), ExitCode::ok);
  CHECK(daemon.arenactl({"status", "duel"}).code == static_cast<int>(ExitCode::not_running));
  check(daemon.arenactl({"restart", "duel"}), ExitCode::ok);

  check(daemon.arenactl({"stop", "nobody"}), ExitCode::unknown_arena);
  check(daemon.arenactl({"inspect", "nobody"}), ExitCode::unknown_arena);

  check(daemon.arenactl({"start", "echo", "--name", "other"}), ExitCode::ok);
  check(daemon.arenactl({"start", "echo", "--name", "third"}), ExitCode::refused);

  // Of several the worst counts, and each has a line.
  const Finished several = daemon.arenactl({"stop", "other", "nobody"});
  CHECK(several.code == static_cast<int>(ExitCode::unknown_arena));
  CHECK(several.err.find("nobody") != std::string::npos);

  // An arenad that hears and does not answer.
  REQUIRE(::kill(daemon.pid(), SIGSTOP) == 0);
  const Finished late = daemon.arenactl({"status", "--timeout", "200ms"});
  REQUIRE(::kill(daemon.pid(), SIGCONT) == 0);
  check(late, ExitCode::timeout);
  check(daemon.arenactl({"version"}), ExitCode::ok);

  check(daemon.arenactl({"shutdown", "--yes"}), ExitCode::ok);
  check(daemon.arenactl({"status"}), ExitCode::unreachable);
}
