// A wrong configuration: each problem is told with file, line and key, and arenad does not start with it.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/real/daemon.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr int kFirstLine = 7;  // of the sections; the fixture's [daemon] is before them

Finished check_config(const Daemon& daemon, const std::string& path) {
  return run_to_end({ARENAD_TEST_ARENAD, "--check-config", "--config", path}, daemon.folder());
}

}  // namespace

TEST_CASE("a good configuration") {
  Daemon daemon(echo_section());
  const Finished told = check_config(daemon, daemon.config());
  CHECK(told.code == 0);
  CHECK(told.err == "");
  CHECK_FALSE(std::filesystem::exists(daemon.folder() / "state"));
}

TEST_CASE("the configuration that arenad prints is a good one") {
  Daemon daemon("");
  const Finished printed = run_to_end({ARENAD_TEST_ARENAD, "--print-default-config"}, daemon.folder());
  CHECK(printed.code == 0);
  write_file(daemon.folder() / "printed.toml", printed.out);
  CHECK(check_config(daemon, (daemon.folder() / "printed.toml").string()).code == 0);
}

TEST_CASE("wrong configurations") {
  struct Wrong {
    const char* title;
    const char* sections;
    int line;
    const char* key;
  };
  for (const Wrong& wrong : {
           Wrong{"a key that does not exist", "[arenas]\nmax_arena = 3\n", 1, "arenas.max_arena"},
           Wrong{"a section that does not exist", "[arena]\nmax_arenas = 3\n", 0, "arena"},
           Wrong{"a text for a number", "[arenas]\nmax_arenas = \"three\"\n", 1, "arenas.max_arenas"},
           Wrong{"a number for a path", "[games.echo]\nmodule = 3\n", 1, "games.echo.module"},
           Wrong{"too small", "[arenas]\n\n# a comment\nready_timeout_ms = 1\n", 3, "arenas.ready_timeout_ms"},
           Wrong{"too large", "[spares]\nper_game = 65\n", 1, "spares.per_game"},
           Wrong{"not a power of two", "[channels]\ndefault_bytes = 100000\n", 1, "channels.default_bytes"},
           Wrong{"a game without a module", "[games.echo]\nspares = 1\n", 0, "games.echo"},
           Wrong{"no TOML", "[arenas\nmax_arenas = 3\n", 0, ""},
           Wrong{"a key twice", "[arenas]\nmax_arenas = 3\nmax_arenas = 4\n", 2, ""},
       }) {
    CAPTURE(wrong.title);
    Daemon daemon(wrong.sections);
    const std::string place = daemon.config() + ":" + std::to_string(kFirstLine + wrong.line) + ":";
    for (const Finished& told : {check_config(daemon, daemon.config()), daemon.start_in_vain()}) {
      CAPTURE(told.err);
      CHECK(told.code == 1);
      CHECK(told.out == "");
      CHECK(told.err.find(place) != std::string::npos);
      CHECK(told.err.find(wrong.key) != std::string::npos);
    }
    CHECK_FALSE(std::filesystem::exists(daemon.folder() / "state"));
    CHECK_FALSE(std::filesystem::exists(daemon.socket()));
  }
}

TEST_CASE("every problem is told, not only the first") {
  Daemon daemon("[arenas]\nmax_arenas = 0\n[restart]\nintensity = -1\n[spares]\nper_games = 1\n");
  const Finished told = check_config(daemon, daemon.config());
  CAPTURE(told.err);
  CHECK(told.code == 1);
  for (const char* key : {"arenas.max_arenas", "restart.intensity", "spares.per_games"}) {
    CHECK(told.err.find(key) != std::string::npos);
  }
}

TEST_CASE("a file that is not there") {
  Daemon daemon("");
  const Finished told = check_config(daemon, (daemon.folder() / "none.toml").string());
  CHECK(told.code == 1);
  CHECK(told.err.find("none.toml") != std::string::npos);
}
