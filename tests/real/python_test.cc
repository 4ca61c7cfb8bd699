// A game in Python under a real arenad: it plays, dies in every way, is recovered, tells of itself, and changes its code, as a game in C++ does.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <tuple>

#include <doctest/doctest.h>

#include "tests/real/reports.h"
#include "tests/real/scrape.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kLimits =
    "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n"
    "[hang]\nsoft_limit_ms = 100\nhard_limit_ms = 3000\n"
    "[snapshot]\ninterval_ms = 100\n";

std::string echo_py(const std::string& more = "") {
  return std::string(kLimits) + game_section("echo_py", module_path("echo_py"), more);
}

std::string counter(const std::string& variant) {
  return std::string(kLimits) + game_section("counter", module_path("counter_" + variant));
}

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

std::string version_of(const Daemon& daemon, const std::string& arena) {
  const Finished shown = daemon.arenactl({"status", arena});
  const size_t at = shown.out.find("version ");
  return at == std::string::npos ? shown.out : shown.out.substr(at + 8, shown.out.find(',', at) - at - 8);
}

}  // namespace

TEST_CASE("a game in Python plays, and goes on as it was after each death") {
  Daemon daemon(echo_py());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  Player ben(daemon.socket(), "duel", "ben");
  for (int death = 0; death < 5; ++death) {
    play(ann, 50);
    for (int i = 0; i < 20; ++i) {
      ann.say();
      ben.say();
    }
    const uint64_t epoch = daemon.kill_worker("duel");
    CHECK(daemon.runs_again("duel", epoch));
    CHECK(ann.hears_all());
    CHECK(ben.hears_all());
    CHECK(ann.complaint() == "");
    CHECK(ben.complaint() == "");
  }
  const Player::State state = ann.ask();
  CHECK(state.applied == 5 * 90);
  CHECK(state.joins == 2);
  CHECK(state.last.at(0) == ann.said());
  CHECK(daemon.arena("duel").divergences == 0);
  CHECK(daemon.arena("duel").restarts_total == 5);
  // Each of these workers has rehearsed before.
  CHECK(daemon.log().find("rehearsal") == std::string::npos);
}

TEST_CASE("a native crash in a game in Python, an exit and a hang are survived") {
  Daemon daemon(echo_py("hard_limit_ms = 1000\n"));
  const auto cause = daemon.folder() / "cause";
  daemon.start();
  daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  for (const std::string how : {"segv", "write", "exit", "hang"}) {
    INFO(how);
    write_file(cause, "");
    play(ann, 5);
    const uint64_t epoch = daemon.arena("duel").epoch;
    misbehave(ann, {.how = how, .while_file = cause.string(), .when = Wish::When::in_tick});
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.epoch > epoch; }));
    std::filesystem::remove(cause);
    REQUIRE(daemon.runs_again("duel", epoch));
    play(ann, 5);
  }
  const auto all = crashes(daemon, "duel");
  const auto is = [&](const std::string& kind) {
    return std::ranges::any_of(all, [&](const Report& one) { return one.kind == kind; });
  };
  CHECK(is("crash"));
  CHECK(is("exit"));
  CHECK(is("hang"));
}

TEST_CASE("an exception is told with its place, and the event that raises again and again is left out") {
  Daemon daemon(echo_py());
  daemon.start();
  daemon.start_arena("duel", {}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  misbehave(ann, {.how = "raise"});
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
  play(ann, 3);
  const auto all = crashes(daemon, "duel");
  REQUIRE(!all.empty());
  CHECK(all[0].cause.find("on_event failed: echo_py.misbehave.Burst: this game has burst (echo_py/misbehave.py:") !=
        std::string::npos);
  CHECK(quarantine(daemon)[0].player == "ann");
}

TEST_CASE("a game whose policy is quarantine has an event that raises left out at once") {
  Daemon daemon(std::string(kLimits) + game_section("echo_py", module_path("echo_blames")));
  daemon.start();
  daemon.start_arena("duel", {}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  misbehave(ann, {.how = "raise"});
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
  play(ann, 3);
  CHECK(crashes(daemon, "duel").size() == 1);
  CHECK(daemon.arena("duel").restarts_total == 1);
}

TEST_CASE("a slow frame and a death are told with the stack of Python") {
  Daemon daemon(echo_py("hard_limit_ms = 60000\n"));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  for (const auto& [how, function, native] : {std::tuple{"burn", "burn (echo_py/misbehave.py:", false},
                                              {"heavy", "call_something_heavy (echo_py/misbehave.py:", true}}) {
    INFO(std::string(how));
    misbehave(ann, {.how = how, .ms = 700});
    play(ann, 1);
    REQUIRE(eventually([&] {
      return daemon.arenactl({"slow", "echo_py", "--stacks"}).out.find(function) != std::string::npos;
    }));
    const std::string said = daemon.arenactl({"slow", "echo_py", "--stacks"}).out;
    INFO(said);
    CHECK(said.find("Echo.on_event (echo_py/game.py:") != std::string::npos);
    if (native) CHECK(said.find("  (native)\n") != std::string::npos);
  }
  const auto flame = daemon.folder() / "flame.html";
  CHECK(daemon.arenactl({"slow", "echo_py", "--flame", flame.string()}).code == 0);
  CHECK(read_file(flame).find("call_something_heavy") != std::string::npos);
  misbehave(ann, {.how = "raise"});
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
  const std::string report = daemon.arenactl({"crashes", "show", std::to_string(crashes(daemon, "duel")[0].id)}).out;
  INFO(report);
  CHECK(report.find("misbehave (echo_py/misbehave.py:") != std::string::npos);
  CHECK(report.find("Echo.on_event") + report.find("on_event (echo_py/game.py:") != 2 * std::string::npos);
}

TEST_CASE("a start that the game refuses tells why, and so does a game that cannot be loaded") {
  Daemon daemon(echo_py());
  daemon.start();
  const auto refused = daemon.try_start_arena("duel", {{"init", "raise"}}, "echo_py");
  REQUIRE(!refused.ok());
  CHECK(refused.error().text().find("parameter init=raise: there is no such match") != std::string::npos);
  daemon.stop();
  daemon.reconfigure(counter("raises_at_import"));
  daemon.start();
  const auto broken = daemon.try_start_arena("duel", {}, "counter");
  REQUIRE(!broken.ok());
  CHECK(broken.error().text().find("RuntimeError: this version cannot be imported (counter/__init__.py:") != std::string::npos);
}

TEST_CASE("that there is no time to collect garbage is counted, for an alert") {
  Daemon daemon(echo_py("hard_limit_ms = 60000\n"));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "120"}}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  const std::string counted = "arenad_garbage_put_off_total{game=\"echo_py\"}";
  CHECK(Scrape(daemon)[counted] == 0);
  // More in one frame than can be looked at before the next.
  misbehave(ann, {.how = "leak", .ms = 150'000});
  play(ann, 3);
  CHECK(eventually([&] { return Scrape(daemon)[counted] >= 1; }));
}

TEST_CASE("frames that take longer than a tick leave the collector no time at all: it is counted, and the arena plays on") {
  Daemon daemon(echo_py("hard_limit_ms = 60000\n"));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "120"}}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  CHECK(daemon.arenactl({"tell", "duel", "overload"}).code == 0);
  CHECK(eventually([&] { return Scrape(daemon)["arenad_garbage_put_off_total{game=\"echo_py\"}"] >= 1; }));
  play(ann, 3);
  CHECK(daemon.arena("duel").restarts_total == 0);
}

TEST_CASE("an arena that leaks is renewed by a handover: the memory is gone, the state is not") {
  Daemon daemon(echo_py("hard_limit_ms = 60000\n"));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  // More than the collector may look at: it sets them aside, and they stay.
  misbehave(ann, {.how = "leak", .ms = 300'000});
  play(ann, 5);
  REQUIRE(eventually([&] { return Scrape(daemon)["arenad_garbage_put_off_total{game=\"echo_py\"}"] >= 1; }));
  const ArenaFacts before = daemon.arena("duel");
  const size_t leaking_kib = resident_kib_of(before.pid);
  CHECK(daemon.arenactl({"restart", "duel"}).code == 0);
  play(ann, 5);
  const ArenaFacts after = daemon.arena("duel");
  CHECK(after.pid != before.pid);
  CHECK(resident_kib_of(after.pid) + 20'000 < leaking_kib);
  const Player::State state = ann.ask();
  CHECK(state.applied == 15);
  CHECK(state.joins == 1);
  CHECK(after.divergences == 0);
  CHECK(crashes(daemon, "duel").empty());
}

TEST_CASE("a recorded match of a game in Python goes through the gate, and slower code does not") {
  Daemon daemon(echo_py());
  const auto cause = daemon.folder() / "cause";
  const auto file = [&](const char* name) { return (daemon.folder() / name).string(); };
  daemon.start();
  daemon.start_arena("duel", {}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 20);
  misbehave(ann, {.how = "burn", .while_file = cause.string(), .ms = 80});
  play(ann, 20);
  REQUIRE(daemon.arenactl({"export", "duel", file("duel.recording")}).code == 0);
  const auto gate = [&](const std::vector<std::string>& options) {
    std::vector<std::string> words{"gate",     file("duel.recording"), "--module", module_path("echo_py"),
                                   "--worker", ARENAD_TEST_WORKER,     "--rounds", "3"};
    words.insert(words.end(), options.begin(), options.end());
    return daemon.arenactl(words);
  };
  // What the machine does meanwhile is no matter here.
  const Finished same = gate({"--write-baseline", file("before.json"), "--max-slower", "100000"});
  INFO(same.out, same.err);
  CHECK(same.code == 0);
  write_file(cause, "");
  const Finished slower = gate({"--baseline", file("before.json")});
  INFO(slower.out, slower.err);
  CHECK(slower.code == 8);
  CHECK(slower.err.find("failed: ") != std::string::npos);
}

TEST_CASE("hashes are the same in every worker, and what the template has loaded is never looked at by the collector") {
  std::string hash;
  for (int life = 0; life < 2; ++life) {
    Daemon daemon(echo_py());
    daemon.start();
    daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
    const Finished told = daemon.arenactl({"tell", "duel", "hash"});
    CHECK(told.code == 0);
    // Also of what Python 3.11 hashes by its address.
    const std::string of_none = daemon.arenactl({"tell", "duel", "hash-none"}).out;
    if (life == 1) CHECK(told.out + of_none == hash);
    hash = told.out + of_none;
    const std::string frozen = daemon.arenactl({"tell", "duel", "frozen"}).out;
    CHECK(std::stoul(frozen.substr(frozen.find(' ') + 1)) > 1000);
  }
}

TEST_CASE("what a game in Python prints is in the log, in all letters, also when it dies of the next line") {
  Daemon daemon(echo_py());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
  CHECK(daemon.arenactl({"tell", "duel", "print", "zw\xc3\xb6lf \xe2\x82\xac"}).code == 1);  // it dies of it
  CHECK(daemon.has_logged("zw\xc3\xb6lf \xe2\x82\xac"));
  // The template's lines are no worker's.
  CHECK(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "running"; }));
}

TEST_CASE("texts that are no valid Unicode are told as well as they can be") {
  Daemon daemon(echo_py());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
  const Finished refused = daemon.arenactl({"tell", "duel", "odd"});
  CHECK(refused.code == 6);
  CHECK(refused.err == "arenactl: duel: refused: ?\n");
  CHECK(daemon.has_logged("logged: ?"));
  CHECK(daemon.arena("duel").restarts_total == 0);
  CHECK(daemon.arenactl({"tell", "duel", "odd-raise"}).code == 1);
  const Report report = crash(daemon, crashes(daemon, "duel")[0].id);
  INFO(report.cause);
  CHECK(report.cause.find("RuntimeError: raised: ?") != std::string::npos);
}

TEST_CASE("a state that cannot be saved is told with the reason") {
  Daemon daemon(echo_py());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
  CHECK(daemon.arenactl({"tell", "duel", "spoil"}).code == 0);
  CHECK(daemon.has_logged("the state cannot be saved: self.state is not an object of the class State"));
}

TEST_CASE("code in Python is replaced while it plays, with its state; versions that are no good are taken back") {
  Daemon daemon(counter("one"));
  daemon.start();
  daemon.start_arena("duel", {}, "counter");
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.frame > 20; }));
  for (const std::string bad : {"raises_at_import", "refuses", "raises_in_tick"}) {
    INFO(bad);
    const Finished tried = daemon.arenactl({"reload", "counter", module_path("counter_" + bad)});
    CHECK(tried.code != 0);
    // It is over as soon as it is decided: the old code comes after that.
    CHECK(daemon.becomes(
        "duel", [&](const ArenaFacts& facts) { return facts.state == "running" && version_of(daemon, "duel") == "ONE"; }));
  }
  const uint64_t frame = daemon.arena("duel").frame;
  const Finished good = daemon.arenactl({"reload", "counter", module_path("counter_doubles")});
  INFO(good.out);
  CHECK(good.code == 0);
  REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.frame > frame + 20; }));
  CHECK(version_of(daemon, "duel") == "DOUBLES");
  CHECK(daemon.arenactl({"drain", "duel"}).code == 0);
  REQUIRE(eventually([&] { return daemon.results("duel").size() == 1; }));
  // What the new version keeps was made of the old one's state, and has been right ever since.
  uint32_t count = 0;
  uint32_t doubled = 0;
  const std::string message = daemon.results("duel")[0].message;
  REQUIRE(message.size() >= 16);
  std::memcpy(&count, message.data() + 8, sizeof count);
  std::memcpy(&doubled, message.data() + 12, sizeof doubled);
  CHECK(count > frame);
  CHECK(doubled == 2 * count);
  const Finished shown = daemon.arenactl({"results", "duel", "--json"});
  CHECK(shown.out.find("\"doubled\":") != std::string::npos);
  CHECK(shown.out.find("DOUBLES") != std::string::npos);
}

TEST_CASE("what is no function of the frame is found, and who has asked for it is named") {
  Daemon daemon(echo_py("snapshot_interval_ms = 600000\n"));
  daemon.start();
  daemon.start_arena("duel", {}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  REQUIRE(ann.arena().send<echo::AskTime>([](echo::AskTime::Builder) {}) == Sent::ok);
  play(ann, 3);
  const uint64_t epoch = daemon.kill_worker("duel");
  REQUIRE(daemon.runs_again("duel", epoch));
  CHECK(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.divergences > 0; }));
  const std::string first = std::to_string(daemon.arena("duel").first_divergent_frame);
  CHECK(daemon.has_logged(
      "frame " + first +
      " gave other outputs when it was run again; not a function of the frame: time.perf_counter_ns at game.py:"));
}

TEST_CASE("an upgrade or death of arenad does not concern a game in Python") {
  Daemon daemon(echo_py(), Daemon::Parent::keeper);
  daemon.start();
  daemon.start_arena("duel", {{"hz", "30"}}, "echo_py");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  const pid_t worker = daemon.arena("duel").pid;
  daemon.kill_arenad();
  CHECK(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.state == "running"; }));
  CHECK(daemon.arena("duel").pid == worker);
  play(ann, 5);
}
