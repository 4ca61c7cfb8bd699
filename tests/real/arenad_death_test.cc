// arenad dies, alone or with everybody else: its arenas go on, and nothing is lost.
#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <poll.h>
#include <sys/wait.h>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "arenad/module_abi.h"
#include "chaos/rig/ledger_player.h"
#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/socket.h"
#include "tests/real/daemon.h"
#include "tests/real/player.h"
#include "tests/real/reports.h"
#include "tests/support/child.h"
#include "tests/support/seed.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kManyRestarts =
    "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n";

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

// Listening all the time, as a client does: that is when it finds the next arenad.
bool is_back(Daemon& daemon, Player& player, const std::string& arena) {
  return player.listens_until([&] { return daemon.arena(arena).clients == 1; });
}

}  // namespace

TEST_CASE("arenad dies alone: its arenas go on without it, and the next one adopts them") {
  Daemon daemon(kManyRestarts + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("ticking", {{"hz", "100"}});
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "ticking", "bob");
  play(ann, 10);
  play(bob, 10);
  const ArenaFacts before = daemon.arena("duel");
  const ArenaFacts ticking = daemon.arena("ticking");
  daemon.kill_arenad();
  // There is no arenad now.
  play(ann, 500);
  play(bob, 50);
  daemon.start();
  for (const auto& [name, was] : {std::pair("duel", before), std::pair("ticking", ticking)}) {
    const ArenaFacts now = daemon.arena(name);
    CHECK(now.state == "running");
    CHECK(now.pid == was.pid);
    CHECK(now.epoch == was.epoch);
    CHECK(now.id == was.id);
    CHECK(now.restarts_total == 0);
  }
  CHECK(daemon.facts().running == 2);
  CHECK(daemon.facts().notices.empty());
  play(ann, 10);
  play(bob, 10);
  CHECK(is_back(daemon, ann, "duel"));
  CHECK(is_back(daemon, bob, "ticking"));
  CHECK(ann.ask().applied == 520);
  const Player::State state = ann.ask();
  CHECK(state.joins == 1);
  CHECK(state.dropped == 0);

  SUBCASE("a template and two spares are ready before anybody needs them, and again when they were killed") {
    // The adopted workers are no children of this arenad.
    const auto all_are_ready = [&] { return children_of(daemon.pid()).size() == 3; };
    REQUIRE(eventually(all_are_ready));
    // One that ends sooner after its beginning is loaded when it is needed.
    const uint64_t useful_ns = monotonic_ns() + 1100 * kMillisecond;
    while (monotonic_ns() < useful_ns) play(ann, 10);
    const std::vector<pid_t> killed = children_of(daemon.pid());
    for (const pid_t child : killed) ::kill(child, SIGKILL);
    CHECK(eventually([&] { return std::ranges::none_of(killed, [](pid_t pid) { return !has_ended(pid); }); }));
    CHECK(eventually(all_are_ready));
  }
  SUBCASE("an adopted worker that dies is recovered like any other") {
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    play(ann, 20);
    CHECK(ann.ask().applied == 540);
    CHECK(daemon.arena("duel").restarts_total == 1);
  }
  SUBCASE("newcomers get other places") {
    Player carl(daemon.socket(), "duel", "carl");
    CHECK(carl.arena().seat() != ann.arena().seat());
    CHECK(carl.arena().channel() != ann.arena().channel());
    play(carl, 10);
  }
  SUBCASE("it can be stopped and started") {
    CHECK(daemon.stop_arena("duel").ok());
    CHECK(ann.listens_until([&] { return ann.is_gone(); }));
    CHECK(daemon.restart("duel").ok());
    Player again(daemon.socket(), "duel", "ann");
    CHECK(again.ask().applied == 520);
  }
  SUBCASE("once more") {
    daemon.kill_arenad();
    play(ann, 10);
    daemon.start();
    play(ann, 10);
    CHECK(ann.ask().applied == 540);
    CHECK(daemon.arena("duel").pid == before.pid);
  }
}

TEST_CASE("a client that looks once a frame and never waits finds the next arenad too") {
  Daemon daemon(kManyRestarts + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 10);
  daemon.kill_arenad();
  daemon.start();
  // As many frames as two seconds have.
  int frames = 0;
  while (daemon.arena("duel").clients != 1 && frames < 120) {
    ann.listen();
    ++frames;
    std::this_thread::sleep_for(std::chrono::milliseconds(16));
  }
  CHECK(daemon.arena("duel").clients == 1);
  play(ann, 10);
}

TEST_CASE("an arenad that takes connections and says nothing keeps no client from its arena, which plays on") {
  Daemon daemon(kManyRestarts + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 10);
  daemon.kill_arenad();
  std::filesystem::remove(daemon.socket());
  auto silent = listen_unix(daemon.socket());
  REQUIRE(silent);
  const uint64_t began_ns = monotonic_ns();
  uint64_t longest_ns = 0;
  for (uint64_t turn_ns = began_ns; turn_ns - began_ns < 500 * kMillisecond;) {
    play(ann, 5);
    const uint64_t now_ns = monotonic_ns();
    longest_ns = std::max(longest_ns, now_ns - turn_ns);
    turn_ns = now_ns;
  }
  // It waits for an answer of a real one for ten seconds.
  CHECK(longest_ns < 5 * kSecond);
  silent->reset();
  std::filesystem::remove(daemon.socket());
  daemon.start();
  CHECK(is_back(daemon, ann, "duel"));
  play(ann, 10);
}

TEST_CASE("a client that leaves or dies while no arenad is there has left") {
  Daemon daemon("[arenas]\nreclaim_timeout_ms = 3000\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  auto bob = std::make_unique<Player>(daemon.socket(), "duel", "bob");
  play(*bob, 5);
  daemon.kill_arenad();
  bob.reset();
  daemon.start();
  REQUIRE(ann.listens_until([&] { return ann.departed().size() == 1; }));
  CHECK(ann.departed()[0].reason == ARENAD_DROPPED);
  play(ann, 5);
  Player again(daemon.socket(), "duel", "bob");
  CHECK(again.arena().seat() == ann.departed()[0].seat);
  play(again, 5);
  CHECK(ann.ask().applied == 15);
}

TEST_CASE("results of the time without arenad are stored, once") {
  Daemon daemon("[checkpoint]\ninterval_ms = 600000\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 3);
  REQUIRE(ann.arena().send<echo::Award>([](echo::Award::Builder) {}) == Sent::ok);
  REQUIRE(eventually([&] { return daemon.results("duel").size() == 1; }));
  daemon.kill_arenad();
  REQUIRE(ann.arena().send<echo::Award>([](echo::Award::Builder) {}) == Sent::ok);
  play(ann, 3);
  SUBCASE("the match goes on") {
    daemon.start();
    CHECK(eventually([&] { return daemon.results("duel").size() == 2; }));
    REQUIRE(ann.arena().send<echo::Award>([](echo::Award::Builder) {}) == Sent::ok);
    CHECK(eventually([&] { return daemon.results("duel").size() == 3; }));
  }
  SUBCASE("the match has ended meanwhile") {
    REQUIRE(ann.arena().send<echo::Finish>([](echo::Finish::Builder) {}) == Sent::ok);
    daemon.start();
    CHECK(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "ended"; }));
    CHECK(eventually([&] { return daemon.results("duel").size() == 3; }));
  }
  uint64_t sequence = 0;
  for (const StoredResult& result : daemon.results("duel")) CHECK(result.sequence == ++sequence);
}

TEST_CASE("workers that nobody adopts in time end, and leave nothing") {
  Daemon daemon(
      "[arenas]\norphan_timeout_ms = 200\nadoption_timeout_ms = 300\n[snapshot]\ninterval_ms = 10\n[checkpoint]\n"
      "interval_ms = 10\n" +
      echo_section());
  daemon.start();
  daemon.start_arena("duel");
  {
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 10);
    const uint64_t frame = daemon.arena("duel").frame;
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.durable_frame >= frame; }));
    const pid_t worker = daemon.arena("duel").pid;
    daemon.kill_arenad();
    REQUIRE(eventually([&] { return name_of(worker).empty() || ::waitpid(worker, nullptr, WNOHANG) == worker; }));
  }
  daemon.start();
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "running"; }));
  CHECK(daemon.facts().notices.size() == 1);
  Player again(daemon.socket(), "duel", "ann");
  CHECK(again.ask().applied == 10);
}

TEST_CASE("a keeper starts arenad again, many times, and no worker is lost") {
  Daemon daemon(kManyRestarts + echo_section(), Daemon::Parent::keeper);
  daemon.start();
  Random random(test_seed());
  std::vector<std::unique_ptr<Player>> players;
  std::map<std::string, pid_t> workers;
  for (int i = 0; i < 5; ++i) {
    const std::string name = "duel-" + std::to_string(i);
    daemon.start_arena(name, i % 2 == 0 ? Params{} : Params{{"hz", "100"}});
    players.push_back(std::make_unique<Player>(daemon.socket(), name, "ann"));
    workers[name] = daemon.arena(name).pid;
  }
  for (int round = 0; round < 20; ++round) {
    for (uint64_t i = random.below(100); i > 0; --i) players[random.below(players.size())]->say();
    daemon.kill_arenad();
    for (const auto& [name, pid] : workers) CHECK(daemon.arena(name).pid == pid);
  }
  for (const auto& player : players) {
    CHECK(player->hears_all());
    CHECK(player->complaint() == "");
    CHECK(player->ask().applied == player->said());
    CHECK(player->times_lagged() == 0);
    CHECK(player->ask().joins == 1);
  }
}

TEST_CASE("arenad and all workers are killed at once: the keeper has kept it all, and nothing is lost") {
  // No checkpoint is ever made: what comes back comes from shared memory.
  Daemon daemon(std::string(kManyRestarts) + "[checkpoint]\ninterval_ms = 600000\n" + echo_section(), Daemon::Parent::keeper);
  daemon.start();
  Random random(test_seed());
  std::vector<std::unique_ptr<Player>> players;
  for (int i = 0; i < 5; ++i) {
    const std::string name = "duel-" + std::to_string(i);
    daemon.start_arena(name, i % 2 == 0 ? Params{} : Params{{"hz", "100"}});
    players.push_back(std::make_unique<Player>(daemon.socket(), name, "ann"));
    players.push_back(std::make_unique<Player>(daemon.socket(), name, "bob"));
  }
  for (int round = 0; round < 10; ++round) {
    for (uint64_t i = 50 + random.below(200); i > 0; --i) {
      Player& player = *players[random.below(players.size())];
      player.say();
      if (random.one_in(3)) player.listen();
    }
    daemon.crash();
  }
  for (size_t i = 0; i < players.size(); ++i) {
    CHECK(players[i]->hears_all());
    CHECK(players[i]->complaint() == "");
    CHECK(players[i]->times_lagged() == 0);
  }
  for (size_t i = 0; i < players.size(); i += 2) {
    const Player::State state = players[i]->ask();
    CHECK(state.applied == players[i]->said() + players[i + 1]->said());
    CHECK(state.joins == 2);
    CHECK(state.dropped == 0);
    CHECK(daemon.arena("duel-" + std::to_string(i / 2)).divergences == 0);
  }
  CHECK(daemon.facts().notices.empty());
}

TEST_CASE("who had left before everybody was killed has left, and nothing that it had said is applied again") {
  Daemon daemon(
      std::string(kManyRestarts) + "[snapshot]\ninterval_ms = 10\n[checkpoint]\ninterval_ms = 600000\n" + echo_section(),
      Daemon::Parent::keeper);
  daemon.start();
  daemon.start_arena("duel", {{"hz", "100"}});
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "duel", "bob");
  play(bob, 20);
  play(ann, 20);
  bob.leave();
  REQUIRE(ann.listens_until([&] { return ann.ask().left == 1; }));
  // Its channel is kept, because no checkpoint has come, and the snapshots do not name it any more.
  const uint64_t frame = daemon.arena("duel").frame;
  REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.snapshot_frame > frame + 10; }));
  for (int round = 0; round < 2; ++round) daemon.crash();
  REQUIRE(is_back(daemon, ann, "duel"));
  Player again(daemon.socket(), "duel", "bob");  // at once: nobody has to be waited for
  play(ann, 5);
  const Player::State state = ann.ask();
  CHECK(state.applied == ann.said() + bob.said());
  CHECK(state.joins == 3);
  CHECK(state.left == 1);
  CHECK(state.dropped == 0);
}

// Its socket holds ten messages, and it takes them when all players are there, or when arenad cannot go on without it.
TEST_CASE("a client that is attached is kept already, however slow the keeper is") {
  Daemon daemon(std::string(kManyRestarts) + "[checkpoint]\ninterval_ms = 600000\n" + echo_section(), Daemon::Parent::keeper);
  daemon.start();
  constexpr int kArenas = 4;
  for (int i = 0; i < kArenas; ++i) daemon.start_arena("duel-" + std::to_string(i));
  ::kill(daemon.keeper(), SIGSTOP);
  std::thread goes_on([keeper = daemon.keeper()] {
    const uint64_t since_ns = monotonic_ns();
    (void)eventually([&] { return monotonic_ns() - since_ns > 200 * kMillisecond; });
    ::kill(keeper, SIGCONT);
  });
  std::vector<std::unique_ptr<Player>> players;
  for (int i = 0; i < 4 * kArenas; ++i) {
    const std::string arena = "duel-" + std::to_string(i % kArenas);
    players.push_back(std::make_unique<Player>(daemon.socket(), arena, "player-" + std::to_string(i)));
  }
  daemon.crash();
  goes_on.join();
  for (const auto& player : players) play(*player, 3);
  for (int i = 0; i < kArenas; ++i) CHECK(daemon.arena("duel-" + std::to_string(i)).clients == 4);
}

TEST_CASE("a worker that dies, or is stopped, while no arenad is there") {
  Daemon daemon(std::string(kManyRestarts) + "[checkpoint]\ninterval_ms = 600000\n[arenas]\nadoption_timeout_ms = 3000\n" +
                    echo_section(),
                Daemon::Parent::keeper);
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("other");
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "other", "bob");
  play(ann, 10);
  play(bob, 10);
  const pid_t worker = daemon.arena("duel").pid;
  const pid_t other = daemon.arena("other").pid;
  SUBCASE("dies") {
    ::kill(worker, SIGKILL);
  }
  SUBCASE("is stopped, and is continued when it has been replaced") {
    ::kill(worker, SIGSTOP);
  }
  daemon.kill_arenad();
  REQUIRE(daemon.runs_again("duel", 1));
  CHECK(daemon.arena("duel").pid != worker);
  CHECK(daemon.arena("other").pid == other);
  ::kill(worker, SIGCONT);
  play(ann, 10);
  play(bob, 10);
  CHECK(ann.ask().applied == 20);
  CHECK(bob.ask().applied == 20);
}

TEST_CASE("an arena that has failed keeps its state when everybody is killed") {
  Daemon daemon("[restart]\nintensity = 0\n[checkpoint]\ninterval_ms = 600000\n" + echo_section(), Daemon::Parent::keeper);
  const auto cause = daemon.folder() / "cause";
  write_file(cause, "");
  daemon.start();
  daemon.start_arena("duel");
  {
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 10);
    misbehave(ann, {.how = "segv", .while_file = cause.string(), .when = Wish::When::in_tick});
    REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "failed"; }));
  }
  daemon.crash();
  // If that was not in the database yet, it fails once more.
  CHECK(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "failed"; }));
  std::filesystem::remove(cause);
  CHECK(daemon.restart("duel").ok());
  Player again(daemon.socket(), "duel", "ann");
  CHECK(again.ask().applied == 10);
  play(again, 5);
}

TEST_CASE("a client that comes back after two more deaths of the worker misses nothing") {
  Daemon daemon(std::string(kManyRestarts) + "[checkpoint]\ninterval_ms = 600000\n" +
                    game_section("ledger", module_path("ledger"), "snapshot_interval_ms = 1\n"),
                Daemon::Parent::keeper);
  daemon.start();
  const ArenaId id = *ArenaId::parse(daemon.start_arena("duel", {{"hz", "100"}}, "ledger"));
  LedgerPlayer ann(daemon.socket(), "ann");
  REQUIRE(ann.attach(id).ok());
  REQUIRE(eventually([&] {
    ann.listen();
    return ann.model().frame() >= 3;
  }));
  // From here on ann does not listen: she hears neither of arenad's death nor of an incarnation.
  daemon.kill_arenad();
  for (int round = 0; round < 2; ++round) {
    const ArenaFacts facts = daemon.arena("duel");
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& now) { return now.frame >= facts.frame + 3; }));
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  }
  const uint64_t frame = daemon.arena("duel").frame;
  REQUIRE(eventually([&] {
    ann.listen();
    return ann.model().frame() > frame || !ann.complaint().empty() || !ann.gone().empty();
  }));
  CHECK(ann.complaint() == "");
  CHECK(ann.gone() == "");
  CHECK(ann.epoch() == 3);
}

#ifdef ARENAD_CRASH_POINTS

// The channel is kept, but no worker was ever told of it; the client attaches again, with another one.
TEST_CASE("arenad dies while a client attaches: its two channels are not taken for each other when everybody dies") {
  Daemon daemon(
      std::string(kManyRestarts) + "[checkpoint]\ninterval_ms = 600000\n" + game_section("ledger", module_path("ledger")),
      Daemon::Parent::keeper);
  auto points = CrashPointTable::create(daemon.folder() / "points");
  REQUIRE(points.ok());
  ::setenv(kCrashPointsVariable, (daemon.folder() / "points").c_str(), 1);
  daemon.start();
  ::unsetenv(kCrashPointsVariable);
  const ArenaId id = *ArenaId::parse(daemon.start_arena("duel", {}, "ledger"));
  points->arm(crash_point("arenad.attach.kept"), 1);
  LedgerPlayer ann(daemon.socket(), "ann");
  REQUIRE(eventually([&] { return ann.attach(id).ok(); }));
  CHECK(points->fired());
  const auto plays = [&] {
    for (int i = 0; i < 5; ++i) REQUIRE(ann.say());
    return eventually([&] {
      ann.listen();
      return ann.hears_all() || !ann.gone().empty();
    });
  };
  CHECK(plays());
  daemon.crash();
  CHECK(plays());
  CHECK(ann.gone() == "");
  CHECK(ann.complaint() == "");
  CHECK(daemon.arena("duel").divergences == 0);
}

// Between the record of a new arena and its first worker, twice; a client comes after the first time.
TEST_CASE("arenad dies twice before a new arena has begun: who has attached meanwhile keeps the place") {
  Daemon daemon(std::string(kManyRestarts) + game_section("ledger", module_path("ledger"), "spares = 0\n"),
                Daemon::Parent::keeper);
  auto points = CrashPointTable::create(daemon.folder() / "points");
  REQUIRE(points.ok());
  ::setenv(kCrashPointsVariable, (daemon.folder() / "points").c_str(), 1);
  daemon.start();
  ::unsetenv(kCrashPointsVariable);
  const ArenaId id = ArenaId::make(unix_ms(), random_u64(), random_u64());
  points->arm(crash_point("arenad.spare.ready"), 1);
  points->arm_second(crash_point("arenad.spare.ready"), 1);
  // Its answer is lost with arenad, and so may be what it asked for.
  const auto start = [&] {
    auto control = ControlClient::connect(daemon.socket());
    if (!control) return;
    (void)control->call(
        [&](wire::Request::Builder request) {
          auto wanted = request.initStart();
          wanted.setGame("ledger");
          wanted.setName("duel");
          wanted.setId(id.text());
        },
        {}, kPatienceMs);
  };
  LedgerPlayer ann(daemon.socket(), "ann");
  REQUIRE(eventually([&] {
    start();
    return ann.attach(id).ok();
  }));
  REQUIRE(ann.say());
  CHECK(eventually([&] {
    ann.listen();
    return ann.hears_all() || !ann.gone().empty();
  }));
  CHECK(points->fired());
  CHECK(ann.gone() == "");
  CHECK(ann.complaint() == "");
}

#endif

// It has begun to wait for the workers' offers; they come while it is stopped, for longer than it waits.
TEST_CASE("an arenad that is stopped while it adopts finds nobody late") {
  for (const Daemon::Parent parent : {Daemon::Parent::keeper, Daemon::Parent::test}) {
    CAPTURE(parent == Daemon::Parent::keeper);
    Daemon daemon(
        std::string(kManyRestarts) + "[arenas]\nadoption_timeout_ms = 3000\nreclaim_timeout_ms = 3000\n" + echo_section(),
        parent);
    auto points = CrashPointTable::create(daemon.folder() / "points");
    REQUIRE(points.ok());
    ::setenv(kCrashPointsVariable, (daemon.folder() / "points").c_str(), 1);
    daemon.start();
    daemon.start_arena("duel", {{"hz", "50"}});
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 3);
    const pid_t worker = daemon.arena("duel").pid;
    points->arm(crash_point("arenad.adoption.known"), 1, CrashAction::stop);
    std::thread continues([&] {
      if (!eventually([&] { return points->fired(); })) return;
      const uint64_t since_ns = monotonic_ns();
      if (eventually([&] { return monotonic_ns() - since_ns > 4 * kSecond; })) ::kill(points->fired_pid(), SIGCONT);
    });
    daemon.kill_arenad();
    if (parent == Daemon::Parent::test) daemon.start();
    continues.join();
    ::unsetenv(kCrashPointsVariable);
    CHECK(points->fired());
    CHECK(ann.listens_until([&] { return daemon.arena("duel").clients == 1; }));
    play(ann, 3);
    CHECK(daemon.arena("duel").pid == worker);
    CHECK(daemon.arena("duel").epoch == 1);
    CHECK(ann.ask().dropped == 0);
  }
}

TEST_CASE(
    "who calls without end where workers offer themselves is ended, who says nothing is hung up on, and honest workers are "
    "taken") {
  Daemon daemon(kManyRestarts + echo_section());
  daemon.start();
  for (const char* name : {"one", "two", "three"}) daemon.start_arena(name);
  const std::string socket = (daemon.folder() / "run/workers.sock").string();
  const pid_t before = daemon.arena("one").pid;
  daemon.kill_arenad();
  size_t most_kept = 0;
  SUBCASE("it hangs up much later") {
    most_kept = 500;
  }
  SUBCASE("it hangs up at once") {
    most_kept = 1;
  }
  // Not earlier: an arenad that is killed may take its last lines of the log with it, and so the one that is looked for.
  Child caller([&] {
    std::vector<Fd> kept;
    for (;;) {
      if (auto called = connect_unix(socket, SocketKind::packets)) kept.push_back(std::move(*called));
      if (kept.size() >= most_kept) kept.clear();
    }
    return kChildFine;
  });
  daemon.start();
  for (const char* name : {"one", "two", "three"}) CHECK(daemon.arena(name).epoch == 1);
  CHECK(daemon.arena("one").pid == before);
  const Exit exit = caller.wait();
  CHECK(exit.how == Exit::How::signalled);
  CHECK(exit.value == SIGKILL);
  CHECK(daemon.has_logged("a worker that calls again and again"));

  auto silent = connect_unix(socket, SocketKind::packets);
  REQUIRE(silent.ok());
  CHECK(eventually([&] {
    pollfd end{silent->get(), 0, 0};
    return ::poll(&end, 1, 0) == 1;
  }));
  Player player(daemon.socket(), "one", "ann");
  play(player, 3);
}
