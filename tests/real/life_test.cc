// The life of arenas under a real arenad: start, play, death and return, in the words of those who play.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sched.h>
#include <sstream>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "arenad/module_abi.h"
#include "ipc/incarnation.h"
#include "ipc/recording.h"
#include "tests/real/daemon.h"
#include "tests/real/player.h"
#include "tests/real/reports.h"
#include "tests/support/child.h"
#include "tests/support/seed.h"
#include "tests/support/why_not.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kManyRestarts =
    "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n";
constexpr const char* kFewRestarts =
    "[restart]\nintensity = 3\nwindow_ms = 600000\nfirst_delay_ms = 1\nmax_delay_ms = 2\nhealthy_ms = 600000\n";
constexpr const char* kId = "01JD3M7S9XQ2V8T4KZ5W6Y7R0B";

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::stringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

struct StoredScore {
  uint64_t seat;
  uint64_t last;
  bool operator==(const StoredScore&) const = default;
};

std::vector<StoredScore> scores_of(Daemon& daemon, const std::string& arena) {
  std::vector<StoredScore> scores;
  uint64_t sequence = 0;
  for (const StoredResult& result : daemon.results(arena)) {
    CHECK(result.sequence > sequence);
    sequence = result.sequence;
    std::vector<uint64_t> words(result.message.size() / 8);
    std::memcpy(words.data(), result.message.data(), words.size() * 8);
    MessageView view(words.data(), words.size());
    const auto score = view.root<echo::Score>();
    CHECK(score.getSeat() == result.seat);
    scores.push_back({result.seat, score.getLast()});
  }
  return scores;
}

}  // namespace

TEST_CASE("start, with an id, is done once") {
  Daemon daemon(echo_section());
  daemon.start();
  const Finished first = daemon.arenactl({"start", "echo", "--id", kId, "--name", "duel", "--json"});
  CAPTURE(first.err);
  CHECK(first.code == 0);
  CHECK(holds(first.out, kId));
  const ArenaFacts before = daemon.arena("duel");
  const Finished second = daemon.arenactl({"start", "echo", "--id", kId});
  CHECK(second.code == 0);
  CHECK(holds(second.out, "runs already"));
  CHECK(daemon.arena(kId).pid == before.pid);
  CHECK(daemon.facts().running == 1);
  SUBCASE("also after its worker and arenad died") {
    daemon.crash();
    daemon.start();
    REQUIRE(daemon.runs_again("duel", before.epoch));
    const auto third = daemon.try_start_arena("", {}, "echo", kId);
    REQUIRE(third.ok());
    CHECK(third.value() == kId);
    CHECK(daemon.facts().running == 1);
  }
  SUBCASE("a name that is taken is refused") {
    CHECK(daemon.arenactl({"start", "echo", "--name", "duel"}).code == 6);
    CHECK(daemon.facts().running == 1);
  }
}

TEST_CASE("whoever comes back gets the same seat") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  Seat seat = 0;
  {
    Player bob(daemon.socket(), "duel", "bob");
    seat = bob.arena().seat();
    CHECK(seat != ann.arena().seat());
    play(bob, 10);
  }
  Player carl(daemon.socket(), "duel", "carl");
  CHECK(carl.arena().seat() != seat);
  Player bob(daemon.socket(), "duel", "bob");
  CHECK(bob.arena().seat() == seat);
  play(bob, 10);
  const Player::State state = ann.ask();
  CHECK(state.joins == 4);
  CHECK(state.left == 1);
  CHECK(state.dropped == 0);
  SUBCASE("also after a crash of the worker") {
    bob.leave();
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    Player again(daemon.socket(), "duel", "bob");
    CHECK(again.arena().seat() == seat);
    play(again, 10);
    play(ann, 10);
  }
  SUBCASE("twice at the same time is refused") {
    auto client = Client::connect(daemon.socket());
    REQUIRE(client.ok());
    const auto second = (*client)->attach({.arena = "duel", .player = "bob"});
    REQUIRE_FALSE(second.ok());
    CHECK(second.error().code == ErrorCode::refused);
    play(bob, 10);
  }
}

// No checkpoint is made in time: what releases records here are the snapshots in shared memory.
TEST_CASE("a full channel refuses, loses nothing, and does not wait for the disk") {
  Daemon daemon("[checkpoint]\ninterval_ms = 600000\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), AttachOptions{.arena = "duel", .player = "ann", .channel_bytes = limits::kMinChannelBytes});
  play(ann, 1);
  const ArenaFacts facts = daemon.arena("duel");
  ::kill(facts.pid, SIGSTOP);
  Sent sent = Sent::ok;
  while ((sent = ann.try_say()) == Sent::ok) {
  }
  CHECK(sent == Sent::full);
  CHECK(ann.arena().full_count() == 1);
  CHECK(ann.said() > 100);
  CHECK(ann.try_say() == Sent::full);
  CHECK(ann.arena().full_count() == 2);
  SUBCASE("the worker goes on") {
    ::kill(facts.pid, SIGCONT);
  }
  SUBCASE("the worker dies") {
    ::kill(facts.pid, SIGKILL);
  }
  play(ann, 2000);
  CHECK(ann.arena().events_sent() == ann.said());
  CHECK(ann.ask().applied == ann.said());
}

TEST_CASE("a reader who falls behind is told, and goes on") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  Player slow(daemon.socket(), "duel", "slow");
  for (int i = 0; i < 64; ++i) {
    const Sent sent = ann.arena().send<echo::Flood>([](echo::Flood::Builder flood) {
      flood.setOutputs(16);
      flood.setBytes(1024);
    });
    REQUIRE(sent == Sent::ok);
    play(ann, 1);
  }
  CHECK(slow.listens_until([&] { return slow.times_lagged() > 0; }));
  CHECK(slow.lag_bytes() > 0);
  CHECK(slow.lag_bytes() % 8 == 0);
  play(slow, 10);
  CHECK(ann.times_lagged() == 0);
  CHECK(ann.pieces() == 64 * 16);
}

TEST_CASE("restart and stop") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 10);
  const ArenaFacts before = daemon.arena("duel");
  CHECK(daemon.arenactl({"restart", "duel"}).code == 0);
  const ArenaFacts after = daemon.arena("duel");
  CHECK(after.state == "running");
  CHECK(after.epoch == before.epoch + 1);
  CHECK(after.pid != before.pid);
  CHECK(after.restarts == 0);
  CHECK(after.restarts_total == 0);
  CHECK(after.divergences == 0);
  play(ann, 10);

  CHECK(daemon.arenactl({"stop", "duel"}).code == 0);
  CHECK(daemon.arena("duel").state == "stopped");
  CHECK(daemon.arena("duel").pid == 0);
  CHECK(ann.listens_until([&] { return ann.is_gone(); }));
  REQUIRE(ann.is_gone());
  CHECK(ann.departures()[0].state == "stopped");
  CHECK(ann.try_say() == Sent::closed);
  CHECK(daemon.arenactl({"stop", "duel"}).code == 0);  // already so
  CHECK(daemon.arenactl({"status", "duel"}).code == 3);
  CHECK(daemon.arenactl({"stop", "nobody"}).code == 4);

  CHECK(daemon.arenactl({"restart", "duel"}).code == 0);
  CHECK(daemon.arena("duel").state == "running");
  Player again(daemon.socket(), "duel", "ann");
  CHECK(again.ask().applied == 20);
  play(again, 10);
}

TEST_CASE("an arena that cannot begin for want of descriptors is not lost: it begins when there are some") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}});
  uint64_t said = 0;
  {
    Player ann(daemon.socket(), "duel", "ann");
    for (int i = 0; i < 10; ++i) ann.say();
    CHECK(ann.hears_all());
    said = ann.said();
  }
  REQUIRE(daemon.stop_arena("duel").ok());
  {
    // It has a worker that waits for an arena, and the database is open.
    const LimitedResource no_descriptors(daemon.pid(), RLIMIT_NOFILE, 3);
    CHECK_FALSE(daemon.restart("duel").ok());
    CHECK(daemon.arena("duel").state != "lost");
  }
  (void)daemon.restart("duel");
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "running"; }));
  CHECK(daemon.arena("duel").events == said);
}

TEST_CASE("clients that come and go while nothing is taken do not keep their arena from being recovered") {
  Daemon daemon("[hang]\nhard_limit_ms = 600000\n[restart]\nfirst_delay_ms = 0\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}});
  Player ann(daemon.socket(), "duel", "ann");
  for (int i = 0; i < 5; ++i) ann.say();
  CHECK(ann.hears_all());
  auto client = Client::connect(daemon.socket());
  REQUIRE(client);
  const pid_t worker = daemon.arena("duel").pid;
  ::kill(worker, SIGSTOP);
  const auto come_and_go = [&] { return (*client)->attach({.arena = "duel", .player = "", .observer = true}); };
  int came = 0;
  for (; came < 1000; ++came) {
    const auto attached = come_and_go();
    if (attached.ok()) continue;
    CHECK(attached.error().code == ErrorCode::exhausted);
    CHECK(attached.error().message.find("of clients that have left") != std::string::npos);
    break;
  }
  CHECK(came > 128);  // all seats, and as many observers
  CHECK(came < 1000);
  ::kill(worker, SIGKILL);
  REQUIRE(daemon.runs_again("duel", 1));
  for (int i = 0; i < 5; ++i) ann.say();
  CHECK(ann.hears_all());
  CHECK(eventually([&] { return come_and_go().ok(); }));
  CHECK(daemon.arena("duel").epoch == 2);
}

// Nothing else happens in arenad meanwhile that could wake it: no checkpoint, no request.
TEST_CASE("a restart that has to wait comes when its time has come") {
  Daemon daemon(
      "[restart]\nintensity = 100\nwindow_ms = 600000\nfirst_delay_ms = 20\nmax_delay_ms = 40\nhealthy_ms = 600000\n"
      "[checkpoint]\ninterval_ms = 600000\n" +
      echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  std::vector<pid_t> workers;
  ann.arena().on_incarnation([&](int region, Epoch) {
    auto view = IncarnationView::map(Fd(::dup(region)));
    REQUIRE(view.ok());
    workers.push_back(static_cast<pid_t>(view->pid()));
  });
  for (size_t deaths = 1; deaths <= 5; ++deaths) {
    ::kill(workers.back(), SIGKILL);
    const uint64_t killed_ns = monotonic_ns();
    REQUIRE(ann.listens_until([&] { return workers.size() == deaths + 1; }));
    CHECK(monotonic_ns() - killed_ns < 30 * kSecond);
    play(ann, 3);
  }
}

TEST_CASE("stopping several: each is told by itself") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("a");
  daemon.start_arena("b");
  const Finished stopped = daemon.arenactl({"stop", "a", "nobody", "b"});
  CHECK(stopped.code == 4);
  CHECK(daemon.arena("a").state == "stopped");
  CHECK(daemon.arena("b").state == "stopped");
  CHECK(holds(stopped.err + stopped.out, "nobody"));
  const Finished again = daemon.arenactl({"start", "echo", "--id", daemon.arena("a").id});
  CHECK(again.code == 6);
  CHECK(holds(again.err, "stopped"));
}

TEST_CASE("operators' restarts are not charged to the budget") {
  Daemon daemon(kFewRestarts + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  for (int i = 0; i < 10; ++i) {
    const auto restarted = daemon.restart("duel");
    REQUIRE_MESSAGE(restarted.ok(), why_not(restarted));
    play(ann, 3);
  }
  CHECK(daemon.arena("duel").restarts == 0);
  CHECK(ann.ask().applied == 30);
}

TEST_CASE("a drain ends matches and takes no newcomers") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("other");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  CHECK(daemon.arenactl({"drain", "duel", "--deadline", "60s"}).code == 0);
  CHECK(daemon.arena("duel").state == "ended");
  CHECK(ann.listens_until([&] { return ann.is_gone(); }));
  CHECK(scores_of(daemon, "duel") == std::vector<StoredScore>{{ann.arena().seat(), 5}});
  CHECK(daemon.arena("other").state == "running");
  CHECK(daemon.try_start_arena("more").ok());
  CHECK(daemon.arenactl({"drain", "--all", "--deadline", "60s", "--yes"}).code == 0);
  CHECK(daemon.facts().running == 0);
  const auto late = daemon.try_start_arena("late");
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == ErrorCode::refused);
}

TEST_CASE("results are stored exactly once") {
  Daemon daemon(std::string(kManyRestarts) + "[snapshot]\ninterval_ms = 5\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "duel", "bob");
  play(ann, 7);
  play(bob, 9);
  SUBCASE("at an end in order") {}
  SUBCASE("after crashes") {
    for (int i = 0; i < 3; ++i) {
      REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    }
  }
  REQUIRE(bob.arena().send<echo::Finish>([](echo::Finish::Builder) {}) == Sent::ok);
  CHECK(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "ended"; }));
  const std::vector<StoredScore> expected{{ann.arena().seat(), 7}, {bob.arena().seat(), 9}};
  CHECK(eventually([&] { return scores_of(daemon, "duel") == expected; }));
  CHECK(ann.listens_until([&] { return ann.is_gone(); }));
  CHECK(ann.departures().at(0).state == "ended");
  // They outlive arenad.
  daemon.stop();
  daemon.start();
  CHECK(scores_of(daemon, "duel") == expected);
  CHECK(daemon.arena("duel").state == "ended");
  CHECK(daemon.arenactl({"results", "duel"}).code == 0);
}

TEST_CASE("results that a dead worker has left behind are stored all the same") {
  // arenad has no other cause to look at them than the death.
  Daemon daemon(std::string(kManyRestarts) + "[snapshot]\ninterval_ms = 5\n[checkpoint]\ninterval_ms = 600000\n" +
                echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  std::vector<StoredScore> expected;
  for (uint64_t round = 1; round <= 5; ++round) {
    play(ann, 3);
    REQUIRE(ann.arena().send<echo::Award>([](echo::Award::Builder) {}) == Sent::ok);
    play(ann, 1);
    expected.push_back({ann.arena().seat(), ann.said() - 1});
    // A successor begins behind the result.
    const uint64_t frame = daemon.arena("duel").frame;
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.snapshot_frame >= frame; }));
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    CHECK(eventually([&] { return scores_of(daemon, "duel") == expected; }, 5000));
  }
}

TEST_CASE("a match that is killed at its end has ended") {
  Daemon daemon(std::string(kManyRestarts) + "[snapshot]\ninterval_ms = 1\n" + echo_section());
  daemon.start();
  for (int round = 0; round < 30; ++round) {
    const std::string name = "duel-" + std::to_string(round);
    daemon.start_arena(name);
    Player ann(daemon.socket(), name, "ann");
    play(ann, 3);
    const pid_t pid = daemon.arena(name).pid;
    REQUIRE(pid > 0);
    REQUIRE(ann.arena().send<echo::Finish>([](echo::Finish::Builder) {}) == Sent::ok);
    for (int pause = 0; pause < round; ++pause) ::sched_yield();
    ::kill(pid, SIGKILL);
    CHECK(daemon.becomes(name, [](const ArenaFacts& facts) { return facts.state == "ended"; }));
    CHECK(scores_of(daemon, name) == std::vector<StoredScore>{{ann.arena().seat(), 3}});
  }
}

TEST_CASE("an exported arena runs again at the desk, frame by frame the same") {
  Daemon daemon("[snapshot]\ninterval_ms = 600000\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "100"}});
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "duel", "bob");
  for (int i = 0; i < 20; ++i) {
    play(ann, 5);
    play(bob, 5);
  }
  SUBCASE("of one incarnation") {}
  SUBCASE("after a crash") {
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    play(ann, 5);
    CHECK(daemon.arena("duel").divergences == 0);
  }
  SUBCASE("after one of the players left") {
    bob.leave();
    play(ann, 5);
  }
  const std::string file = (daemon.folder() / "duel.arena").string();
  const uint64_t frame = daemon.arena("duel").frame;
  const Finished exported = daemon.arenactl({"export", "duel", file});
  CAPTURE(exported.err);
  REQUIRE(exported.code == 0);
  const std::vector<std::string> command{ARENAD_TEST_WORKER, "--replay", file, "--module", module_path("echo")};
  const Finished replayed = run_to_end(command, daemon.folder());
  CAPTURE(replayed.err);
  CHECK(replayed.code == 0);
  const auto lines = lines_of(replayed.out);
  REQUIRE(lines.size() >= 3);
  CHECK(holds(lines.back(), " 0 divergences"));
  CHECK(lines.size() >= frame);
  CHECK(holds(lines[1], "state "));
  // Another run, and other hashes in no frame.
  CHECK(run_to_end(command, daemon.folder()).out == replayed.out);
  SUBCASE("the snapshot of the last frame is what a recording of the frames behind it can begin with") {
    const std::string snapshot = (daemon.folder() / "duel.snapshot").string();
    std::vector<std::string> with_snapshot = command;
    with_snapshot.insert(with_snapshot.end(), {"--snapshot", snapshot});
    CHECK(run_to_end(with_snapshot, daemon.folder()).code == 0);
    auto recording = decode_recording(content_of(file));
    REQUIRE(recording);
    recording->snapshot = content_of(snapshot);
    recording->frames.clear();
    std::ofstream(file, std::ios::binary) << encode_recording(*recording);
    const auto after = lines_of(run_to_end(command, daemon.folder()).out);
    REQUIRE(after.size() == 2);
    // "frame 12 state 0123456789abcdef", as the run before has ended with.
    CHECK(lines[lines.size() - 2].starts_with(after[0]));
    CHECK(after[1] == lines.back());
  }
  SUBCASE("a recording that is cut off is refused") {
    std::filesystem::resize_file(file, std::filesystem::file_size(file) / 2);
    const Finished refused = run_to_end(command, daemon.folder());
    CHECK(refused.code == 1);
    CHECK(refused.err != "");
  }
}

TEST_CASE("50 killed workers, and each event is applied exactly once") {
  Daemon daemon(std::string(kManyRestarts) + "[snapshot]\ninterval_ms = 20\n[checkpoint]\ninterval_ms = 50\n" + echo_section());
  daemon.start();
  Params params;
  SUBCASE("without ticks") {}
  SUBCASE("with ticks") {
    params = {{"hz", "100"}};
  }
  daemon.start_arena("duel", params);
  std::vector<std::unique_ptr<Player>> players;
  for (const char* name : {"ann", "bob", "carl", "dora"}) {
    players.push_back(std::make_unique<Player>(daemon.socket(), "duel", name));
  }
  Random random(test_seed());
  uint64_t epoch = daemon.arena("duel").epoch;
  for (int kills = 0; kills < 50; ++kills) {
    for (uint64_t i = 50 + random.below(200); i > 0; --i) {
      Player& player = *players[random.below(players.size())];
      player.say();
      if (random.one_in(4)) player.listen();
    }
    daemon.kill_worker("duel");
    for (uint64_t i = random.below(50); i > 0; --i) players[random.below(players.size())]->say();
    REQUIRE(daemon.runs_again("duel", epoch));
    epoch = daemon.arena("duel").epoch;
  }
  uint64_t said = 0;
  for (const auto& player : players) {
    CHECK(player->hears_all());
    CHECK(player->complaint() == "");
    CHECK(player->times_lagged() == 0);
    CHECK(player->heard() == player->said());
    said += player->said();
  }
  CHECK(players[0]->ask().applied == said);
  const ArenaFacts facts = daemon.arena("duel");
  CHECK(facts.divergences == 0);
  CHECK(facts.restarts_total == 50);
  CHECK(daemon.facts().recoveries == 50);
}

TEST_CASE("a game that always crashes fails, and a restart revives it once the cause is gone") {
  // Often enough that what was played is durable before it crashes.
  Daemon daemon(std::string(kFewRestarts) + "[snapshot]\ninterval_ms = 5\n[checkpoint]\ninterval_ms = 10\n" + echo_section());
  const auto cause = daemon.folder() / "cause";
  write_file(cause, "");
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("other");
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "other", "bob");
  play(ann, 10);
  const uint64_t played = daemon.arena("duel").frame;
  REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.durable_frame >= played; }));
  misbehave(ann, {.how = "segv", .while_file = cause.string(), .when = Wish::When::in_tick});
  REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "failed"; }));
  const ArenaFacts failed = daemon.arena("duel");
  CHECK(failed.restarts == 3);
  CHECK(failed.restarts_total == 4);
  CHECK(holds(failed.last_exit, "SEGV"));
  CHECK(holds(failed.reason, "SEGV"));
  CHECK(failed.pid == 0);
  CHECK(ann.listens_until([&] { return ann.is_gone(); }));
  CHECK(ann.departures().at(0).state == "failed");
  CHECK(daemon.arena("other").restarts_total == 0);
  play(bob, 5);
  SUBCASE("the cause is there still") {
    CHECK_FALSE(daemon.restart("duel").ok());
    CHECK(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "failed"; }));
  }
  SUBCASE("the cause is gone") {
    std::filesystem::remove(cause);
    CHECK(daemon.arenactl({"restart", "duel"}).code == 0);
    CHECK(daemon.arena("duel").state == "running");
    CHECK(daemon.arena("duel").restarts == 0);
    Player again(daemon.socket(), "duel", "ann");
    CHECK(again.ask().applied == 10);
    play(again, 10);
  }
  SUBCASE("arenad is started again, then the cause is gone") {
    daemon.stop();
    daemon.start();
    CHECK(daemon.arena("duel").state == "failed");
    std::filesystem::remove(cause);
    CHECK(daemon.restart("duel").ok());
    Player again(daemon.socket(), "duel", "ann");
    CHECK(again.ask().applied == 10);
    play(again, 10);
  }
}

TEST_CASE("everything is killed at once: arenas are back as of their last checkpoints, and the loss is told") {
  Daemon daemon("[snapshot]\ninterval_ms = 10\n[checkpoint]\ninterval_ms = 20\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}});
  daemon.start_arena("calm");
  uint64_t applied = 0;
  {
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 10);
    const uint64_t frame = daemon.arena("duel").frame;
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.durable_frame > frame; }));
    applied = ann.said();
    const ArenaFacts before = daemon.arena("duel");
    daemon.crash();
    daemon.start();
    // What she had written to is gone, and with it her place.
    CHECK(ann.listens_until([&] { return ann.is_gone(); }));
    CHECK(ann.departures().at(0).state == "dropped");
    REQUIRE(daemon.runs_again("duel", before.epoch));
    const ArenaFacts after = daemon.arena("duel");
    CHECK(after.id == before.id);
    CHECK(after.frame >= before.durable_frame);
    CHECK(after.rung == "checkpoint");
  }
  CHECK(daemon.becomes("calm", [](const ArenaFacts& facts) { return facts.state == "running"; }));
  const DaemonFacts facts = daemon.facts();
  REQUIRE(facts.notices.size() == 1);
  CHECK(holds(facts.notices[0], "set back"));
  CHECK(holds(daemon.arenactl({"status"}).err, "set back"));
  Player again(daemon.socket(), "duel", "ann");
  CHECK(again.arena().seat() == 0);
  const Player::State state = again.ask();
  CHECK(state.applied == applied);
  CHECK(state.dropped == 1);  // she was gone when it began again
  CHECK(state.joins == 2);
  play(again, 10);
}

TEST_CASE("arenad is stopped and started: exactly the same frame, and nothing is lost") {
  Daemon daemon("[snapshot]\ninterval_ms = 600000\n[checkpoint]\ninterval_ms = 600000\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("ticking", {{"hz", "50"}});
  daemon.start_arena("still");
  {
    Player carl(daemon.socket(), "still", "carl");
    play(carl, 7);
  }
  REQUIRE(daemon.becomes("still", [](const ArenaFacts& facts) { return facts.events == 7 && facts.clients == 0; }));
  daemon.start_arena("put-down");
  CHECK(daemon.stop_arena("put-down").ok());
  ArenaFacts before;
  uint64_t said = 0;
  {
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 25);
    said = ann.said();
    ann.leave();
    // Her leaving is a frame of its own.
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.frame > 0 && facts.clients == 0; }));
  }
  Player last(daemon.socket(), "duel", "last");
  CHECK(last.ask().left == 1);
  before = daemon.arena("duel");
  const ArenaFacts ticking = daemon.arena("ticking");
  // In `still` nothing happens any more: it must be the same frame.
  const ArenaFacts still = daemon.arena("still");
  daemon.stop();
  daemon.start();
  REQUIRE(daemon.runs_again("duel", before.epoch));
  REQUIRE(daemon.runs_again("ticking", ticking.epoch));
  REQUIRE(daemon.runs_again("still", still.epoch));
  CHECK(daemon.facts().notices.empty());
  CHECK(daemon.arena("put-down").state == "stopped");
  CHECK(daemon.arena("ticking").frame >= ticking.frame);
  CHECK(daemon.arena("still").frame == still.frame);
  CHECK(daemon.arena("still").events == still.events);
  const ArenaFacts after = daemon.arena("duel");
  // One frame more at most: the one in which the last player is seen to have gone.
  CHECK(after.frame >= before.frame);
  CHECK(after.frame <= before.frame + 1);
  CHECK(after.restarts_total == 0);
  Player again(daemon.socket(), "duel", "ann");
  const Player::State state = again.ask();
  CHECK(state.applied == said);
  CHECK(state.left == 1);
  CHECK(state.dropped == 1);
  play(again, 5);
}

TEST_CASE("arenad is stopped while an arena has no worker: what is in memory alone is recovered and saved first") {
  // The first restart is at once, the next one after a minute.
  const std::string config = "[restart]\nintensity = 5\nwindow_ms = 60000\nfirst_delay_ms = 60000\nmax_delay_ms = 60000\n";
  Daemon daemon(config + "[snapshot]\ninterval_ms = 600000\n[checkpoint]\ninterval_ms = 600000\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  {
    Player ann(daemon.socket(), "duel", "ann");
    play(ann, 25);
  }
  SUBCASE("it has just died") {
    daemon.kill_worker("duel");
  }
  SUBCASE("it waits for its restart") {
    REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
    daemon.kill_worker("duel");
    REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.state == "backoff"; }));
  }
  daemon.stop();
  daemon.start();
  CHECK(daemon.facts().notices.empty());
  Player again(daemon.socket(), "duel", "ann");
  CHECK(again.ask().applied == 25);
  play(again, 5);
}

TEST_CASE("arenad ends when its worker hangs") {
  Daemon daemon("[arenas]\nstop_timeout_ms = 500\n[snapshot]\ninterval_ms = 10\n" + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  const ArenaFacts before = daemon.arena("duel");
  REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.durable_frame >= before.frame; }));
  ::kill(before.pid, SIGSTOP);
  daemon.stop();
  daemon.start();
  REQUIRE(daemon.runs_again("duel", before.epoch));
  Player again(daemon.socket(), "duel", "ann");
  CHECK(again.ask().applied == 5);
}

TEST_CASE("a client that dies is seen as dropped") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  Shared<std::atomic<int>> heard;
  Child bob([&] {
    Player player(daemon.socket(), "duel", "bob");
    for (int i = 0; i < 10; ++i) player.say();
    if (!player.hears_all()) return 1;
    *heard = 10;
    for (;;) ::pause();
  });
  REQUIRE(eventually([&] { return *heard == 10; }));
  bob.kill();
  REQUIRE(ann.listens_until([&] { return ann.departed().size() == 1; }));
  CHECK(ann.departed()[0].reason == ARENAD_DROPPED);
  const Player::State state = ann.ask();
  CHECK(state.dropped == 1);
  CHECK(state.left == 0);
  CHECK(state.last.at(ann.departed()[0].seat) == 10);
  play(ann, 10);
  Player again(daemon.socket(), "duel", "bob");
  CHECK(again.arena().seat() == ann.departed()[0].seat);
}

TEST_CASE("a client that dies while it writes an event harms nobody") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  enum class Written { words, committed };
  Written written = Written::words;
  SUBCASE("half of its words") {
    written = Written::words;
  }
  SUBCASE("not published") {
    written = Written::committed;
  }
  Shared<std::atomic<int>> ready;
  Child bob([&] {
    Player player(daemon.socket(), "duel", "bob");
    player.say();
    if (!player.hears_all()) return 1;
    Sent why_not = Sent::ok;
    void* space = player.arena().reserve(64, why_not);
    if (space == nullptr) return 2;
    std::memset(space, 0xEE, 256);
    if (written == Written::committed) player.arena().commit(capnp::typeId<echo::Say>(), 64);
    *ready = 1;
    for (;;) ::pause();
  });
  REQUIRE(eventually([&] { return *ready == 1; }));
  play(ann, 10);
  bob.kill();
  REQUIRE(ann.listens_until([&] { return ann.departed().size() == 1; }));
  CHECK(ann.departed()[0].reason == ARENAD_DROPPED);
  CHECK(ann.ask().applied == 11);
  CHECK(daemon.arena("duel").rejected == 0);
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  play(ann, 10);
  CHECK(ann.ask().applied == 21);
}

TEST_CASE("an observer gets everyone's outputs and may say nothing") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  Player watcher(daemon.socket(), AttachOptions{.arena = "duel", .observer = true});
  CHECK(watcher.try_say() == Sent::closed);
  play(ann, 5);
  ann.leave();
  CHECK(watcher.listens_until([&] { return watcher.departed().size() == 1; }));
}

TEST_CASE("killed templates and spares are made anew") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  const pid_t worker = daemon.arena("duel").pid;
  REQUIRE(eventually([&] { return children_of(daemon.pid()).size() == 4; }));  // the template, the worker and two spares
  std::vector<pid_t> killed = children_of(daemon.pid());
  std::erase(killed, worker);
  for (const pid_t child : killed) ::kill(child, SIGKILL);
  // A new arena that is given one spare after the other in the moment of their deaths fails, and says so.
  REQUIRE(eventually([&] { return std::ranges::all_of(killed, [](pid_t pid) { return has_ended(pid); }); }));
  play(ann, 5);
  auto started = daemon.try_start_arena("more");
  CHECK_MESSAGE(started.ok(), why_not(started));
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  play(ann, 5);
}

// A worker may be ready before its template has told of it: whose pid is whose must not depend on the order.
TEST_CASE("arenas that start at the same time have their own workers, and each is recovered when it dies") {
  Daemon daemon(std::string(kManyRestarts) + echo_section());
  daemon.start();
  constexpr int kThreads = 4;
  constexpr int kEach = 10;
  std::atomic<int> started = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        ControlClient control = daemon.connect();
        for (int i = 0; i < kEach; ++i) {
          auto answer = control.call(
              [&](wire::Request::Builder request) {
                auto start = request.initStart();
                start.setGame("echo");
                start.setName("duel-" + std::to_string(thread * kEach + i));
              },
              {}, kPatienceMs);
          if (answer) ++started;
        }
      });
    }
  }
  REQUIRE(started == kThreads * kEach);
  auto all_have_their_own = [&] {
    for (int i = 0; i < kThreads * kEach; ++i) {
      const std::string name = "duel-" + std::to_string(i);
      CHECK(name_of(daemon.arena(name).pid) == name);
    }
  };
  all_have_their_own();
  std::vector<uint64_t> epochs;
  std::vector<pid_t> pids;
  for (int i = 0; i < kThreads * kEach; ++i) {
    const ArenaFacts facts = daemon.arena("duel-" + std::to_string(i));
    epochs.push_back(facts.epoch);
    pids.push_back(facts.pid);
  }
  for (const pid_t pid : pids) ::kill(pid, SIGKILL);
  for (int i = 0; i < kThreads * kEach; ++i) {
    const std::string name = "duel-" + std::to_string(i);
    REQUIRE(daemon.runs_again(name, epochs[i]));
    CHECK(daemon.arena(name).epoch == epochs[i] + 1);
  }
  all_have_their_own();
}

TEST_CASE("whoever stops an arena is answered, also when finished arenas are forgotten at once") {
  Daemon daemon("[arenas]\nkeep_finished = 0\n" + echo_section());
  daemon.start();
  constexpr int kThreads = 4;
  constexpr int kEach = 30;
  std::atomic<int> answered = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < kThreads; ++thread) {
      threads.emplace_back([&, thread] {
        ControlClient control = daemon.connect();
        for (int i = 0; i < kEach; ++i) {
          const std::string name = "duel-" + std::to_string(thread) + "-" + std::to_string(i);
          auto started = control.call(
              [&](wire::Request::Builder request) {
                auto start = request.initStart();
                start.setGame("echo");
                start.setName(name);
              },
              {}, kPatienceMs);
          auto stopped =
              control.call([&](wire::Request::Builder request) { select_one(request.initStop(), name); }, {}, kPatienceMs);
          if (started && stopped) ++answered;
        }
      });
    }
  }
  CHECK(answered == kThreads * kEach);
  daemon.start_arena("last");
  CHECK(daemon.facts().running == 1);
}
