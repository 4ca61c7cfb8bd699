// What operators and their scripts rely on of arenactl as a whole, with a real arenad: JSON of every verb, the page's last lines of the log,
// progress at a terminal, colours, Ctrl-C, readers that go away, and what is said about what is wrong.
#include <csignal>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include <CLI/App.hpp>
#include <doctest/doctest.h>

#include "cli/command_line.h"
#include "cli/exit_code.h"
#include "tests/cli_program.h"
#include "tests/real/daemon.h"

using namespace arenad;
using namespace arenad::test;
using cli::ExitCode;
using cli_test::contains;
using cli_test::Ended;
using nlohmann::json;
using Words = std::vector<std::string>;

namespace {

Words at(const Daemon& daemon, Words words) {
  words.insert(words.begin(), {"--socket", daemon.socket()});
  return words;
}

// "crashes show" for a verb within a verb.
void collect_verbs(const CLI::App& app, const std::string& before, Words& verbs) {
  for (const CLI::App* verb : app.get_subcommands([](const CLI::App*) { return true; })) {
    verbs.push_back(before + verb->get_name());
    collect_verbs(*verb, before + verb->get_name() + " ", verbs);
  }
}

Words all_verbs() {
  Words verbs;
  cli::look_at_command_line(cli::all_commands(), [&](const CLI::App& app) { collect_verbs(app, "", verbs); });
  return verbs;
}

// With what each verb is called, so that it has something to tell and does no harm.
const std::map<std::string, Words> kCalls = {
    {"start", {"echo", "--dry-run"}},
    {"status", {}},
    {"list", {}},
    {"inspect", {"duel"}},
    {"top", {"-n", "1"}},
    {"restart", {"duel", "--dry-run"}},
    {"drain", {"duel", "--dry-run"}},
    {"undrain", {"duel"}},
    {"stop", {"duel", "--dry-run"}},
    {"reset-failed", {"--dry-run"}},
    {"snapshot", {"duel"}},
    {"kill", {"-s", "USR1", "duel", "--dry-run"}},
    {"signal", {"USR1", "duel", "--dry-run"}},
    {"tell", {"duel", "count"}},
    {"state", {"duel"}},
    {"logs", {}},
    {"events", {}},
    {"crashes", {}},
    {"crashes list", {}},
    {"crashes show", {"1"}},
    {"slow", {"--stacks"}},
    {"quarantine", {}},
    {"quarantine list", {}},
    {"quarantine show", {"1"}},
    {"quarantine retry", {"1"}},
    {"quarantine drop", {"1"}},
    {"results", {"duel"}},
    {"export", {"duel", "duel.arena"}},
    {"history", {}},
    {"gate", {"none.recording", "--module", "none.so"}},
    {"reload-config", {"--dry-run"}},
    {"shutdown", {"--dry-run"}},
    {"version", {}},
    {"reload", {"echo", "--dry-run"}},
    {"rollback", {"echo", "--dry-run"}},
    {"rollout", {}},
    {"rollout status", {}},
    {"rollout pause", {"echo"}},
    {"rollout resume", {"echo"}},
    {"rollout abort", {"echo"}},
    {"pin", {"duel", "1.0"}},
    {"unpin", {"duel"}},
    {"versions", {}},
    {"upgrade", {"--dry-run"}},
    {"new-game", {"--cpp", "duel", "--directory", "/dev/null/duel"}},
};

void check_has_schema(const std::string& out) {
  CHECK_FALSE(out.empty());
  std::istringstream lines(out);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    const json parsed = json::parse(line, nullptr, false);
    REQUIRE(parsed.is_object());
    CHECK(parsed.value("schema", 0) == 1);
  }
}

}  // namespace

TEST_CASE("with --json every verb prints objects with the number of the schema") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  for (const std::string& verb : all_verbs()) {
    CAPTURE(verb);
    // A new verb belongs into the table above, and into docs/scripting.md.
    const auto call = kCalls.find(verb);
    REQUIRE(call != kCalls.end());
    Words words;
    std::istringstream parts(verb);
    for (std::string word; parts >> word;) words.push_back(word);
    words.insert(words.end(), call->second.begin(), call->second.end());
    words.emplace_back("--json");
    const Finished told = daemon.arenactl(words);
    CAPTURE(told.err);
    CHECK_FALSE(contains(told.err, "see arenactl"));  // its command line was wrong
    check_has_schema(told.out);
    CHECK(contains(read_file(ARENAD_TEST_SCRIPTING_DOC), "`" + words.front()));
  }
}

TEST_CASE("an arena's page ends with the last lines of its log") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  const auto shows = [&](const Words& words) { return daemon.arenactl(words).out; };
  CHECK(eventually([&] { return contains(shows({"status", "duel"}), "its worker died: signal=KILL"); }));
  CHECK(contains(shows({"inspect", "duel"}), "duel: recovered in"));
  CHECK_FALSE(contains(shows({"status", "duel", "--lines", "0"}), "recovered in"));
  const std::string last = shows({"status", "duel", "--lines", "1"});
  CHECK_FALSE(contains(last, "its worker died"));
  CHECK(contains(last, "recovered in"));
  CHECK(daemon.arenactl({"status", "duel", "--lines", "many"}).code == static_cast<int>(ExitCode::usage));
  CHECK(contains(shows({"status", "duel"}), "1 of 5 within"));
}

TEST_CASE("what takes its time is counted at a terminal, and nowhere else") {
  Daemon daemon(game_section("ledger", module_path("ledger")));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  daemon.start_arena("other", {{"hz", "50"}}, "ledger");
  const Words drain{"drain", "duel", "other", "--deadline", "5s"};
  const auto run_again = [&] {
    for (const char* name : {"duel", "other"}) REQUIRE(daemon.restart(name).ok());
  };
  const Ended seen = cli_test::run_at_terminal(at(daemon, drain), "", {"TERM=xterm"});
  CHECK(seen.code == 0);
  CHECK(contains(seen.out, "\rdraining: 0 of 2, "));
  // What is left there at the end is what was done.
  INFO(seen.out);
  CHECK(contains(seen.out, "duel: stopped\n"));
  CHECK(contains(seen.out, "other: stopped\n"));
  CHECK(seen.out.rfind("draining") < seen.out.find("stopped"));
  run_again();
  Words quiet = drain;
  quiet.emplace_back("--quiet");
  CHECK(cli_test::run_at_terminal(at(daemon, quiet), "", {"TERM=xterm"}).out.empty());
  run_again();
  const Ended piped = cli_test::run(at(daemon, drain));
  CHECK(piped.err.empty());
  CHECK((piped.out == "duel: stopped\nother: stopped\n" || piped.out == "other: stopped\nduel: stopped\n"));
}

TEST_CASE("colours are where they are wanted") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  const auto piped = [&](Words words) { return contains(cli_test::run(at(daemon, std::move(words))).out, "\x1b["); };
  const auto at_terminal = [&](Words words, const Words& environment) {
    return contains(cli_test::run_at_terminal(at(daemon, std::move(words)), "", environment).out, "\x1b[");
  };
  CHECK_FALSE(piped({"status"}));
  CHECK(piped({"status", "--color", "always"}));
  CHECK(piped({"status", "--colour=always"}));
  CHECK(at_terminal({"status"}, {"TERM=xterm"}));
  CHECK_FALSE(at_terminal({"status"}, {"TERM=xterm", "NO_COLOR=1"}));
  CHECK_FALSE(at_terminal({"status", "--color", "never"}, {"TERM=xterm"}));
  CHECK(at_terminal({"status", "--color", "always"}, {"TERM=xterm", "NO_COLOR=1"}));
  CHECK(cli_test::run(at(daemon, {"status", "--color", "sometimes"})).code == static_cast<int>(ExitCode::usage));
}

TEST_CASE("Ctrl-C while a change is waited for says what goes on; who only reads just ends") {
  Daemon daemon(game_section("ledger", module_path("ledger")));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}}, "ledger");
  const cli_test::Running drain = cli_test::begin(at(daemon, {"drain", "duel", "--deadline", "120s"}));
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "draining"; }));
  REQUIRE(::kill(drain.pid, SIGINT) == 0);
  const Ended interrupted = cli_test::end_of(drain);
  CHECK(interrupted.code == static_cast<int>(ExitCode::timeout));
  CHECK(interrupted.out.empty());
  CHECK(contains(interrupted.err, "interrupted; what was asked may have happened, or may still: see arenactl status"));
  CHECK(daemon.arena("duel").state == "draining");

  REQUIRE(::kill(daemon.pid(), SIGSTOP) == 0);
  const cli_test::Running reading = cli_test::begin(at(daemon, {"status"}));
  // However far it is: it ends by the signal.
  REQUIRE(::kill(reading.pid, SIGINT) == 0);
  const Ended ended = cli_test::end_of(reading);
  REQUIRE(::kill(daemon.pid(), SIGCONT) == 0);
  CHECK(ended.code == 1000 + SIGINT);
  CHECK(ended.err.empty());
}

TEST_CASE("who follows ends when nobody reads any more, without a word") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  for (const Words& words : {Words{"events", "--follow"}, Words{"logs", "-f"}}) {
    CAPTURE(words.front());
    cli_test::Running follower = cli_test::begin(at(daemon, words));
    std::string first;
    REQUIRE(cli_test::read_some(follower.out, first));
    follower.out.reset();
    std::string err;
    while (cli_test::read_some(follower.err, err)) continue;
    CHECK(err.empty());
    CHECK(cli_test::exit_code_of(follower.pid) == 0);
  }
  // As head does with the rest of a list.
  cli_test::Running list = cli_test::begin(at(daemon, {"list"}));
  list.out.reset();
  std::string err;
  while (cli_test::read_some(list.err, err)) continue;
  CHECK(err.empty());
  const int code = cli_test::exit_code_of(list.pid);
  CHECK((code == 1000 + SIGPIPE || code == 0));
}

TEST_CASE("what is wrong is named, with what to do") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  struct Wrong {
    Words words;
    ExitCode code;
    std::string says;
  };
  const std::string long_name(5000, 'x');
  const Wrong all[] = {
      {{}, ExitCode::usage, "A verb is missing"},
      {{"stop"}, ExitCode::usage, "name one or more arenas, or give --all"},
      {{"stop", ""}, ExitCode::usage, "name is empty"},
      {{"stop", "--all", "duel"}, ExitCode::usage, "not both"},
      {{"stop", "--all"}, ExitCode::usage, "--yes"},
      {{"stop", "nobody"}, ExitCode::unknown_arena, "nobody"},
      {{"stop", "["}, ExitCode::unknown_arena, "no arena ["},
      {{"stop", "no-*"}, ExitCode::unknown_arena, "no-*"},
      {{"inspect", "\xff\xfe"}, ExitCode::unknown_arena, "\\xff\\xfe"},
      {{"status", long_name}, ExitCode::usage, "5000 bytes, and there are none of more than 256"},
      {{"start"}, ExitCode::usage, "GAME"},
      {{"start", "chess"}, ExitCode::usage, "no game chess"},
      {{"start", ""}, ExitCode::usage, "name is empty"},
      {{"start", "echo", "--name", long_name}, ExitCode::usage, "name"},
      {{"start", "echo", "--name", "\xff"}, ExitCode::usage, "name"},
      {{"start", "echo", "--id", "short"}, ExitCode::usage, "26 characters"},
      {{"start", "echo", "--param", "=5"}, ExitCode::usage, "KEY=VALUE"},
      {{"start", "echo", "--timeout", "soon"}, ExitCode::usage, "soon"},
      {{"start", "echo", "--name", "duel"}, ExitCode::refused, "duel"},
      {{"kill", "duel"}, ExitCode::usage, "--signal"},
      {{"kill", "-s", "SIGNOTHING", "duel"}, ExitCode::usage, "SIGNOTHING"},
      {{"kill", "-s", "9999", "duel"}, ExitCode::usage, "9999"},
      {{"logs", "-n", "-5"}, ExitCode::usage, "-5"},
      {{"events", "--since", "x"}, ExitCode::usage, "--since"},
      {{"events", "--type", "exploded"}, ExitCode::usage, "exploded"},
      {{"crashes", "show", "x"}, ExitCode::usage, "x"},
      {{"crashes", "show", "999"}, ExitCode::usage, "999"},
      {{"history", "--limit", "0"}, ExitCode::usage, "0"},
      {{"rollout", "status", "-o", "gmae"}, ExitCode::usage, "did you mean 'game'?"},
      {{"rollout", "pause", "chess"}, ExitCode::refused, "no rollout of chess"},
      {{"reload", "echo", "/nonexistent.so"}, ExitCode::failed, "/nonexistent.so"},
      {{"pin", "duel", "9.9"}, ExitCode::usage, "9.9"},
      {{"upgrade", "/nonexistent"}, ExitCode::failed, "/nonexistent"},
      {{"export", "duel", "/nonexistent/file"}, ExitCode::failed, "/nonexistent"},
  };
  for (const Wrong& wrong : all) {
    const Finished told = daemon.arenactl(wrong.words);
    CAPTURE(wrong.words.size());
    CAPTURE(wrong.says);
    CAPTURE(told.err);
    CHECK(told.code == static_cast<int>(wrong.code));
    CHECK(told.out.empty());
    CHECK(contains(told.err, wrong.says));
  }
}

TEST_CASE("a configuration that was written since arenad has read it is told") {
  Daemon daemon(echo_section());
  daemon.start();
  CHECK(daemon.arenactl({"status"}).err.empty());
  daemon.reconfigure(echo_section() + "\n# another line\n");
  CHECK(contains(daemon.arenactl({"status"}).err, "arenad.toml was written since arenad has read it: arenactl reload-config"));
  CHECK(daemon.arenactl({"reload-config"}).code == 0);
  CHECK(daemon.arenactl({"status"}).err.empty());
}

TEST_CASE("an arenad that cannot be asked is told from one that is not there") {
  const PrivateFolder folder;
  const auto status = [&](const std::string& socket) { return cli_test::run({"--socket", socket, "status"}); };
  const Ended missing = status(folder / "arenad.sock");
  CHECK(missing.code == static_cast<int>(ExitCode::unreachable));
  CHECK(contains(missing.err, "start it"));
  std::ofstream(folder / "file") << "text";
  const Ended file = status(folder / "file");
  CHECK(file.code == static_cast<int>(ExitCode::unreachable));
  CHECK(contains(file.err, "this is no socket"));
  Daemon daemon(echo_section());
  daemon.start();
  daemon.kill_arenad();
  const Ended dead = status(daemon.socket());
  CHECK(dead.code == static_cast<int>(ExitCode::unreachable));
  CHECK(contains(dead.err, "nobody listens"));
  daemon.start();
}
