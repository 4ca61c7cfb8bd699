// Events that kill: they are left out after two deaths, or after one if the game blames them, kept with all that is known of them, and
// the arena goes on.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <optional>
#include <thread>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "tests/real/reports.h"
#include "tests/support/why_not.h"

using namespace arenad;
using namespace arenad::test;

namespace {

// Not one restart to spare: what is charged shows at once.
constexpr const char* kTwoRestarts =
    "[restart]\nintensity = 2\nwindow_ms = 600000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 600000\n";

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

// While it lives, arenad's database takes nothing.
class LockedDatabase {
 public:
  explicit LockedDatabase(const Daemon& daemon) {
    REQUIRE(::sqlite3_open((daemon.folder() / "state/arenad.db").c_str(), &database_) == SQLITE_OK);
    ::sqlite3_busy_timeout(database_, 5000);
    REQUIRE(::sqlite3_exec(database_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  }
  ~LockedDatabase() { ::sqlite3_close(database_); }
  LockedDatabase(const LockedDatabase&) = delete;
  LockedDatabase& operator=(const LockedDatabase&) = delete;

 private:
  sqlite3* database_ = nullptr;
};

}  // namespace

TEST_CASE("an event that kills twice is left out; the arena goes on, uncharged") {
  Daemon daemon(std::string(kTwoRestarts) + echo_section(), Daemon::Parent::keeper);
  daemon.start();
  for (const bool ticks : {false, true}) {
    const std::string arena = ticks ? "ticking" : "duel";
    INFO(arena);
    daemon.start_arena(arena, {{"hz", ticks ? "100" : "0"}});
    Player ann(daemon.socket(), arena, "ann");
    Player bob(daemon.socket(), arena, "bob");
    play(ann, 10);
    play(bob, 10);
    uint64_t poisons = 0;
    for (const std::string how : {"write", "throw", "exit", "_exit", "segv", "abort", "overflow"}) {
      INFO(how);
      const uint64_t epoch = daemon.arena(arena).epoch;
      // In the middle of others, of both players.
      bob.say();
      ann.say();
      misbehave(ann, {.how = how});
      ann.say();
      bob.say();
      ++poisons;
      REQUIRE(daemon.becomes(arena, [&](const ArenaFacts& facts) { return facts.quarantined == poisons; }));
      REQUIRE(daemon.runs_again(arena, epoch + 1));
      play(ann, 2);
      play(bob, 2);
      const ArenaFacts facts = daemon.arena(arena);
      CHECK(facts.restarts == 0);
      CHECK(facts.restarts_total == 2 * poisons);
      CHECK(facts.divergences == 0);
    }
    REQUIRE(ann.listens_until([&] { return ann.rejections().size() >= 1; }));
    CHECK(ann.rejections().back().reason == Rejection::Reason::quarantined);
    CHECK(bob.rejections().empty());
    CHECK(ann.ask().applied == ann.said() + bob.said());
    REQUIRE(eventually([&] { return quarantine(daemon).size() >= poisons * (ticks ? 2 : 1); }));  // of both arenas
    // Whatever dies now, they stay away: the frames' records say so.
    for (int round = 0; round < 3; ++round) {
      daemon.kill_worker(arena);
      if (round == 1) daemon.crash();
      if (round == 2) daemon.kill_arenad();
      play(ann, 2);
      play(bob, 2);
    }
    // At the desk too: the recording holds what was left out.
    const std::string recording = (daemon.folder() / (ticks ? "ticking.arena" : "duel.arena")).string();
    CHECK(daemon.arenactl({"export", arena, recording}).code == 0);
    const std::vector<std::string> command{ARENAD_TEST_WORKER, "--replay",          recording,
                                           "--module",         module_path("echo"), "--summary"};
    const Finished replayed = run_to_end(command, daemon.folder());
    INFO(replayed.out);
    CHECK(replayed.code == 0);
    CHECK(replayed.out.find(" 0 divergences") != std::string::npos);
    const ArenaFacts facts = daemon.arena(arena);
    CHECK(facts.quarantined == poisons);
    CHECK(facts.divergences == 0);
    CHECK(ann.ask().applied == ann.said() + bob.said());
    CHECK(daemon.stop_arena(arena).ok());
  }
}

TEST_CASE("an event that the game blames is left out after one death; the arena goes on, uncharged") {
  Daemon daemon(std::string(kTwoRestarts) + echo_section(), Daemon::Parent::keeper);
  const auto cause = daemon.folder() / "cause";
  write_file(cause, "");
  daemon.start();
  daemon.start_arena("duel", {{"hz", "100"}});
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "duel", "bob");
  play(ann, 5);
  play(bob, 5);
  for (uint64_t blamed = 1; blamed <= 4; ++blamed) {
    INFO(blamed);
    const uint64_t epoch = daemon.arena("duel").epoch;
    bob.say();
    misbehave(ann, {.how = "blame", .while_file = cause.string()});
    ann.say();
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.quarantined == blamed; }));
    REQUIRE(daemon.runs_again("duel", epoch));
    play(ann, 2);
    play(bob, 2);
    const ArenaFacts facts = daemon.arena("duel");
    CHECK(facts.restarts == 0);
    CHECK(facts.restarts_total == blamed);
    CHECK(facts.divergences == 0);
    CHECK(facts.last_exit.find("on_event failed: no such move") != std::string::npos);
  }
  REQUIRE(ann.listens_until([&] { return !ann.rejections().empty(); }));
  CHECK(ann.rejections().back().reason == Rejection::Reason::quarantined);
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 4; }));
  const Report report = crash(daemon, quarantine(daemon)[0].incident);
  CHECK(report.quarantined == quarantine(daemon)[0].id);
  CHECK(report.player == "ann");
  CHECK(crashes(daemon, "duel").size() == 4);
  // Replays do the same, whoever dies.
  daemon.crash();
  play(ann, 2);
  play(bob, 2);
  CHECK(ann.ask().applied == ann.said() + bob.said());
  CHECK(daemon.arena("duel").divergences == 0);
  // It is blamed again when it is tried again, until its cause is gone.
  const uint64_t id = quarantine(daemon)[0].id;
  const uint64_t deaths = daemon.arena("duel").restarts_total;
  auto outcome = retry(daemon, id);
  REQUIRE_FALSE(outcome.ok());
  CHECK(outcome.error().text().find("again") != std::string::npos);
  CHECK(daemon.arena("duel").restarts_total == deaths + 1);
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "running"; }));
  std::filesystem::remove(cause);
  CHECK(retry(daemon, id).ok());
  CHECK(quarantine(daemon).size() == 3);
}

TEST_CASE("an adopted worker's blame counts as well; where there is no event, none is blamed") {
  Daemon daemon(std::string(kTwoRestarts) + echo_section(), Daemon::Parent::keeper);
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 4);
  daemon.kill_arenad();
  play(ann, 1);
  const uint64_t epoch = daemon.arena("duel").epoch;
  misbehave(ann, {.how = "blame"});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.quarantined == 1; }));
  REQUIRE(daemon.runs_again("duel", epoch));
  play(ann, 2);
  CHECK(daemon.arena("duel").restarts_total == 1);
  // In its tick, each time, until there are no restarts to spare.
  misbehave(ann, {.how = "blame", .when = Wish::When::in_tick});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "failed"; }));
  CHECK(daemon.arena("duel").quarantined == 1);
  CHECK(quarantine(daemon).size() == 1);
}

TEST_CASE("what is kept of it: bytes, sender, type, and the death that decided it") {
  Daemon daemon(std::string(kTwoRestarts) + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 4);
  misbehave(ann, {.how = "abort"});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.quarantined == 1; }));
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
  const Quarantined entry = quarantined(daemon, quarantine(daemon)[0].id);
  CHECK(entry.player == "ann");
  CHECK(entry.sequence == 5);
  CHECK(entry.type == capnp::typeId<echo::Misbehave>());
  REQUIRE(entry.message.size() % 8 == 0);
  const std::vector<uint64_t> words = [&] {
    std::vector<uint64_t> copy(entry.message.size() / 8);
    std::memcpy(copy.data(), entry.message.data(), entry.message.size());
    return copy;
  }();
  MessageView view(words.data(), words.size());
  CHECK(std::string(view.root<echo::Misbehave>().getHow().cStr()) == "abort");
  CHECK(entry.schema_bytes > 100);
  const Report report = crash(daemon, entry.incident);
  CHECK(report.quarantined == entry.id);
  CHECK(report.sequence == 5);
  CHECK(report.player == "ann");
  CHECK(report.epoch == 2);
  SUBCASE("it can be dropped") {
    REQUIRE(daemon.runs_again("duel", 2));  // while it recovers its quarantine is left alone
    CHECK(drop(daemon, entry.id).ok());
    CHECK(eventually([&] { return quarantine(daemon).empty(); }));
    CHECK(daemon.arena("duel").quarantined == 0);
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    play(ann, 4);
    CHECK(daemon.arena("duel").quarantined == 0);
    CHECK_FALSE(drop(daemon, entry.id).ok());
  }
  SUBCASE("it is known after a restart of arenad, and its number is not used again") {
    daemon.stop();
    daemon.start();
    CHECK(daemon.arena("duel").quarantined == 1);
    CHECK(quarantine(daemon).at(0).id == entry.id);
    REQUIRE(daemon.runs_again("duel", 1));
    CHECK(drop(daemon, entry.id).ok());
    daemon.stop();
    daemon.start();
    Player again(daemon.socket(), "duel", "ann");
    misbehave(again, {.how = "abort"});
    REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
    CHECK(quarantine(daemon)[0].id > entry.id);
  }
}

TEST_CASE("all die before the entry is in the database: the next arenad knows from the frames what was left out") {
  // Frames are kept for long, so each arenad reads them anew.
  Daemon daemon(std::string(kTwoRestarts) + "[snapshot]\ninterval_ms = 600000\n" + echo_section(), Daemon::Parent::keeper);
  daemon.start();
  daemon.start_arena("duel", {{"hz", "100"}});
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "duel", "bob");
  play(ann, 4);
  play(bob, 4);
  // One that the database has, and that is dropped before all else.
  misbehave(bob, {.how = "abort"});
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
  const uint64_t dropped = quarantine(daemon)[0].id;
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "running"; }));
  REQUIRE(drop(daemon, dropped).ok());
  REQUIRE(eventually([&] { return quarantine(daemon).empty(); }));
  play(ann, 2);
  std::optional<LockedDatabase> locked(std::in_place, daemon);
  ann.say();
  misbehave(ann, {.how = "abort", .ms = 77});
  misbehave(ann, {.how = "blame"});
  ann.say();
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.quarantined == 2 && facts.state == "running"; }));
  play(ann, 2);
  play(bob, 2);
  CHECK(quarantine(daemon).empty());
  SUBCASE("arenad alone") {
    daemon.kill_arenad([&] { locked.reset(); });
  }
  SUBCASE("everybody") {
    daemon.crash([&] { locked.reset(); });
  }
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.quarantined == 2; }));
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 2; }));
  const Quarantined first = quarantined(daemon, quarantine(daemon)[1].id);
  CHECK(first.id > dropped);
  CHECK(first.player == "ann");
  CHECK(first.sequence == 8);
  CHECK(first.type == capnp::typeId<echo::Misbehave>());
  REQUIRE_FALSE(first.message.empty());
  REQUIRE(first.message.size() % 8 == 0);
  std::vector<uint64_t> words(first.message.size() / 8);
  std::memcpy(words.data(), first.message.data(), first.message.size());
  MessageView view(words.data(), words.size());
  CHECK(view.root<echo::Misbehave>().getMs() == 77);
  CHECK(quarantined(daemon, quarantine(daemon)[0].id).sequence == 9);
  CHECK(daemon.has_logged("was left out under the last arenad"));
  play(ann, 2);
  play(bob, 2);
  CHECK(ann.ask().applied == ann.said() + bob.said());
  CHECK(daemon.arena("duel").divergences == 0);
  // From then on they are as any other: what is dropped stays dropped, whoever dies.
  CHECK(drop(daemon, first.id).ok());
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
  for (int round = 0; round < 2; ++round) {
    daemon.crash();
    REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "running"; }));
    CHECK(daemon.arena("duel").quarantined == 1);
    CHECK(quarantine(daemon).size() == 1);
    play(ann, 2);
  }
  CHECK(ann.ask().applied == ann.said() + bob.said());
}

TEST_CASE("it can be tried again") {
  Daemon daemon(std::string(kTwoRestarts) + echo_section(), Daemon::Parent::keeper);
  const auto cause = daemon.folder() / "cause";
  write_file(cause, "");
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 4);
  misbehave(ann, {.how = "abort", .while_file = cause.string()});
  play(ann, 4);
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
  const uint64_t id = quarantine(daemon)[0].id;
  SUBCASE("the cause is gone: it is applied, once") {
    std::filesystem::remove(cause);
    auto outcome = retry(daemon, id);
    REQUIRE_MESSAGE(outcome.ok(), why_not(outcome));
    CHECK(*outcome == "applied");
    CHECK(eventually([&] { return quarantine(daemon).empty(); }));
    CHECK(daemon.arena("duel").quarantined == 0);
    // Replays do the same, whoever died.
    for (int round = 0; round < 3; ++round) {
      daemon.kill_worker("duel");
      if (round == 1) daemon.crash();
      play(ann, 2);
      CHECK(daemon.arena("duel").divergences == 0);
    }
    CHECK_FALSE(retry(daemon, id).ok());
  }
  SUBCASE("the cause is there still: it stays, and the arena goes on") {
    auto outcome = retry(daemon, id);
    REQUIRE_FALSE(outcome.ok());
    CHECK(outcome.error().text().find("again") != std::string::npos);
    REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "running"; }));
    play(ann, 4);
    CHECK(daemon.arena("duel").quarantined == 1);
    CHECK(daemon.arena("duel").restarts == 0);
    CHECK(quarantine(daemon).size() == 1);
    std::filesystem::remove(cause);
    CHECK(retry(daemon, id).ok());
  }
  SUBCASE("its player is not there") {
    ann.leave();
    REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.clients == 0; }));
    CHECK_FALSE(retry(daemon, id).ok());
    CHECK(quarantine(daemon).size() == 1);
  }
  SUBCASE("the arena does not run") {
    CHECK(daemon.stop_arena("duel").ok());
    CHECK_FALSE(retry(daemon, id).ok());
    CHECK(drop(daemon, id).ok());
  }
}

TEST_CASE("an event that hangs is poison too") {
  Daemon daemon(std::string(kTwoRestarts) + "[hang]\nhard_limit_ms = 300\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 4);
  misbehave(ann, {.how = "hang"});
  play(ann, 4);
  CHECK(daemon.arena("duel").quarantined == 1);
  CHECK(crashes(daemon, "duel").at(0).kind == "hang");
}

TEST_CASE("kills from outside blame no event, however often they fall on it") {
  Daemon daemon("[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n" +
                echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 4);
  // Long enough to be struck while it is applied.
  misbehave(ann, {.how = "sleep", .ms = 300});
  for (int round = 0; round < 4; ++round) {
    const uint64_t deaths = daemon.arena("duel").restarts_total;
    REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.pid != 0; }));
    ::kill(daemon.arena("duel").pid, SIGKILL);
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.restarts_total > deaths; }));
  }
  play(ann, 4);
  CHECK(daemon.arena("duel").quarantined == 0);
  CHECK(quarantine(daemon).empty());
}

TEST_CASE("a game that is not deterministic: counted and shown, or stopped, as the configuration says") {
  for (const bool stops : {false, true}) {
    INFO(stops);
    Daemon daemon("[snapshot]\ninterval_ms = 600000\n" + echo_section(stops ? "on_divergence = \"stop\"\n" : ""),
                  Daemon::Parent::keeper);
    daemon.start();
    daemon.start_arena("duel");
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 4);
    REQUIRE(ann.arena().send<echo::AskTime>([](echo::AskTime::Builder) {}) == Sent::ok);
    play(ann, 1);
    const uint64_t frame = daemon.arena("duel").frame;
    daemon.kill_worker("duel");
    if (!stops) {
      REQUIRE(daemon.runs_again("duel", 1));
      const ArenaFacts facts = daemon.arena("duel");
      CHECK(facts.divergences == 1);
      CHECK(facts.first_divergent_frame > 0);
      CHECK(facts.first_divergent_frame <= frame);
      CHECK(daemon.has_logged("not deterministic"));
      play(ann, 4);
      continue;
    }
    REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "failed"; }));
    CHECK(daemon.arena("duel").reason.find("not deterministic: frame ") != std::string::npos);
    CHECK_FALSE(daemon.restart("duel").ok());  // it gives other outputs each time
    // Its state is kept: once the configuration allows it, the arena goes on where it was.
    daemon.reconfigure("[snapshot]\ninterval_ms = 600000\n" + echo_section());
    daemon.kill_arenad();
    CHECK(daemon.restart("duel").ok());
    CHECK(daemon.arena("duel").divergences == 1);
    Player again(daemon.socket(), "duel", "ann");
    CHECK(again.ask().applied == 5);
  }
}

TEST_CASE("what arenactl shows of it: the event as text, the stack with names") {
  Daemon daemon(std::string(kTwoRestarts) + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 4);
  misbehave(ann, {.how = "write"});
  play(ann, 1);
  REQUIRE(eventually([&] { return quarantine(daemon).size() == 1; }));
  const std::string id = std::to_string(quarantine(daemon)[0].id);
  const auto says = [&](std::vector<std::string> arguments, const std::vector<std::string>& parts) {
    const Finished told = daemon.arenactl(std::move(arguments));
    INFO(told.out);
    INFO(told.err);
    CHECK(told.code == 0);
    for (const std::string& part : parts) {
      INFO(part);
      CHECK(told.out.find(part) != std::string::npos);
    }
  };
  says({"quarantine"}, {"duel", "ann"});
  says({"quarantine", "show", id}, {"how = \"write\"", "ann"});
  says({"crashes"}, {"duel", "crash", "signal=SEGV", "ann"});
  const std::string crash_id = std::to_string(crashes(daemon, "duel").at(0).id);
  says({"crashes", "show", crash_id}, {"echo.so+0x", "arena-worker+0x", "0x10 is not mapped"});
  says({"crashes", "show", crash_id, "--symbols"}, {"arenad::echo::misbehave(", "misbehaviour.cc"});
  says({"status", "duel"}, {"quarantine"});
  CHECK(daemon.arenactl({"crashes", "no-such"}).code == 4);
  CHECK(daemon.arenactl({"quarantine", "show", "77"}).code == 2);
  says({"quarantine", "drop", id}, {"dropped"});
}

TEST_CASE(
    "an event that kills during a probation, in both versions: the old code is back, without it, and nobody else is blamed") {
  Daemon daemon(std::string(kTwoRestarts) + echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}});
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "duel", "bob");
  play(ann, 10);
  play(bob, 10);
  // Another version of the same code.
  const std::string copy = (daemon.folder() / "copy.so").string();
  write_file(copy, read_file(module_path("echo")) + "another");
  Finished ended;
  std::thread waiting([&] { ended = daemon.arenactl({"reload", "echo", copy, "--probation", "60s"}); });
  CHECK(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.probation; }));
  play(ann, 3);
  play(bob, 3);
  bob.say();
  ann.say();
  misbehave(ann, {.how = "abort"});
  ann.say();
  bob.say();
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.quarantined == 1 && facts.state == "running"; }));
  waiting.join();
  CHECK(ended.code != 0);
  CHECK((ended.out + ended.err).find("duel") != std::string::npos);
  play(ann, 5);
  play(bob, 5);
  CHECK(ann.ask().applied == ann.said() + bob.said());
  CHECK(daemon.arena("duel").divergences == 0);
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  play(ann, 2);
  play(bob, 2);
  CHECK(ann.ask().applied == ann.said() + bob.said());
}
