// Another program of arenad under running arenas: nobody but arenad notices, and whoever cannot take over does not.
#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "chaos/rig/ledger_player.h"
#include "ipc/clock.h"
#include "ipc/control_client.h"
#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kPatientRestarts =
    "[restart]\nintensity = 3\nwindow_ms = 600000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 600000\n";

Result<ControlIncoming> ask_to_upgrade(Daemon& daemon, const std::string& program = "", uint32_t timeout_ms = 0,
                                       bool dry_run = false) {
  ControlClient control = daemon.connect();
  return control.call(
      [&](wire::Request::Builder request) {
        auto upgrade = request.initUpgrade();
        upgrade.setProgram(program);
        upgrade.setTimeoutMs(timeout_ms);
        upgrade.setDryRun(dry_run);
      },
      {}, kPatienceMs);
}

std::string upgrade(Daemon& daemon, const std::string& program = "", uint32_t timeout_ms = 0) {
  auto answer = ask_to_upgrade(daemon, program, timeout_ms);
  return answer ? "upgraded" : answer.error().text();
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

void play(Player& player, int count) {
  for (int i = 0; i < count; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

}  // namespace

TEST_CASE("arenad is upgraded under arenas and players, and none of them notices") {
  for (const Daemon::Parent parent : {Daemon::Parent::test, Daemon::Parent::keeper}) {
    Daemon daemon(kPatientRestarts + echo_section(), parent);
    daemon.start();
    daemon.start_arena("duel");
    daemon.start_arena("ticking", {{"hz", "100"}});
    daemon.start_arena("stopped");
    CHECK(daemon.stop_arena("stopped").ok());
    Player ann(daemon.socket(), "duel", "ann");
    Player bob(daemon.socket(), "ticking", "bob");
    play(ann, 10);
    play(bob, 10);
    const pid_t arenad = daemon.pid();
    const ArenaFacts duel = daemon.arena("duel");
    const ArenaFacts ticking = daemon.arena("ticking");
    for (int i = 0; i < 5; ++i) {
      // What is said on the way is heard on the other side.
      ann.say();
      CHECK(upgrade(daemon) == "upgraded");
      play(ann, 10);
      play(bob, 10);
    }
    CHECK(daemon.pid() == arenad);
    for (const auto& [name, was] : {std::pair("duel", duel), std::pair("ticking", ticking)}) {
      const ArenaFacts now = daemon.arena(name);
      CHECK(now.state == "running");
      CHECK(now.pid == was.pid);
      CHECK(now.epoch == was.epoch);
      CHECK(now.restarts_total == 0);
      CHECK(now.clients == 1);
    }
    CHECK(daemon.facts().running == 2);
    CHECK(daemon.arena("stopped").state == "stopped");
    // No client had to attach again.
    CHECK(ann.ask().joins == 1);
    CHECK(ann.ask().dropped == 0);

    // All that arenad does it still does.
    const uint64_t epoch = daemon.kill_worker("duel");
    REQUIRE(daemon.runs_again("duel", epoch));
    play(ann, 10);
    CHECK(daemon.arena("duel").last_exit == "signal=KILL");
    CHECK(daemon.restart("stopped").ok());
    daemon.start_arena("another");
    Player carl(daemon.socket(), "duel", "carl");
    play(carl, 5);
    CHECK(ann.ask().joins == 2);
    carl.leave();
    REQUIRE(ann.listens_until([&] { return ann.departed().size() == 1; }));
    if (parent == Daemon::Parent::keeper) {
      daemon.kill_arenad();
      play(ann, 10);
      CHECK(daemon.arena("ticking").pid == ticking.pid);
      CHECK(upgrade(daemon) == "upgraded");
      play(bob, 10);
    }
    CHECK(daemon.stop_arena("duel").ok());
    CHECK(ann.listens_until([&] { return ann.is_gone(); }));
  }
}

TEST_CASE("whoever waits for an answer gets it from the program that has taken over") {
  Daemon daemon(game_section("ledger", module_path("ledger")));
  daemon.start();
  daemon.start_arena("drained", {{"hz", "50"}}, "ledger");
  Result<ControlIncoming> drained = make_error(ErrorCode::failed, "not answered");
  std::thread waiting([&] {
    ControlClient control = daemon.connect();
    drained = control.call(
        [](wire::Request::Builder request) {
          auto drain = request.initDrain();
          drain.setDeadlineMs(6000);
          select_one(drain.initSelection(), "drained");
        },
        {}, kPatienceMs);
  });
  CHECK(eventually([&] { return contains(daemon.arenactl({"status", "drained"}).out, "drain"); }));
  CHECK(upgrade(daemon) == "upgraded");
  CHECK(daemon.arena("drained").state == "draining");
  CHECK(upgrade(daemon) == "upgraded");
  waiting.join();
  REQUIRE(drained.ok());
  const auto items = drained->root().getReply().getItems();
  REQUIRE(items.size() == 1);
  CHECK(items[0].isOk());
  CHECK(std::string(items[0].getName()) == "drained");
  CHECK(daemon.arena("drained").state == "stopped");

  // Over one connection, in one piece: the second is read by the next program.
  const ControlClient connection = daemon.connect();
  capnp::MallocMessageBuilder first;
  auto request = first.initRoot<wire::Request>();
  request.setId(1);
  request.initUpgrade();
  capnp::MallocMessageBuilder second;
  request = second.initRoot<wire::Request>();
  request.setId(2);
  request.setVersion();
  auto bytes = capnp::messageToFlatArray(first);
  auto more = capnp::messageToFlatArray(second);
  std::string both(reinterpret_cast<const char*>(bytes.begin()), bytes.asBytes().size());
  both.append(reinterpret_cast<const char*>(more.begin()), more.asBytes().size() - 8);
  REQUIRE(::write(connection.fd().get(), both.data(), both.size()) == static_cast<ssize_t>(both.size()));
  ControlStream stream(Fd(connection.fd().duplicate().value().release()), limits::kMaxControlMessageBytes);
  const auto next_id = [&] {
    std::unique_ptr<ControlMessage> message;
    CHECK(eventually([&] {
      CHECK(stream.receive() == ControlStream::Io::ok);
      message = stream.next();
      return message != nullptr;
    }));
    return message == nullptr ? 0 : message->root<wire::FromDaemon>().getReply().getId();
  };
  CHECK(next_id() == 1);
  // The rest of a message whose beginning the program before has read.
  REQUIRE(::write(connection.fd().get(), more.asBytes().end() - 8, 8) == 8);
  CHECK(next_id() == 2);
}

TEST_CASE("a program that cannot take over is refused, and arenad goes on as it was") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  const ArenaFacts before = daemon.arena("duel");
  const size_t files = open_files_of(daemon.pid());
  CHECK(contains(upgrade(daemon, ARENAD_TEST_BAD_ARENAD "crashes"), "signal=ABRT"));
  CHECK(contains(upgrade(daemon, ARENAD_TEST_BAD_ARENAD "is_silent", 300), "has not answered in time"));
  CHECK(contains(upgrade(daemon, ARENAD_TEST_BAD_ARENAD "is_older"), "knows only 1"));
  CHECK(contains(upgrade(daemon, ARENAD_TEST_BAD_ARENAD "babbles"), "is no answer"));
  CHECK(contains(upgrade(daemon, ARENAD_TEST_BAD_ARENAD "says_nothing"), "is no answer"));
  CHECK(contains(upgrade(daemon, "/bin/true"), "before it has answered"));
  CHECK(contains(upgrade(daemon, "/nonexistent/arenad"), "cannot read the program /nonexistent/arenad"));
  CHECK(contains(upgrade(daemon, daemon.config()), "not a program"));
  CHECK(contains(upgrade(daemon, "arenad"), "whole path"));
  CHECK(contains(upgrade(daemon, "/"), "not a program"));
  const std::string text = (daemon.folder() / "text").string();
  write_file(text, "no program\n");
  std::filesystem::permissions(text, std::filesystem::perms::owner_all);
  CHECK(contains(upgrade(daemon, text), "does not take over"));

  const std::string config = read_file(daemon.config());
  write_file(daemon.config(), config + "[spares]\nper_game = \"many\"\n");
  CHECK(contains(upgrade(daemon), "spares.per_game"));
  std::string elsewhere = config;
  elsewhere.insert(elsewhere.find("[daemon]") + 8, "\nsocket = \"other.sock\"");
  write_file(daemon.config(), elsewhere);
  CHECK(contains(upgrade(daemon), "daemon.socket"));
  write_file(daemon.config(), config);

  const ArenaFacts now = daemon.arena("duel");
  CHECK(now.pid == before.pid);
  CHECK(now.epoch == before.epoch);
  play(ann, 5);
  // Twelve of them were refused; a spare that was not there yet, when files were counted, has a few.
  constexpr size_t kOfSpare = 6;
  CHECK(eventually([&] { return open_files_of(daemon.pid()) <= files + kOfSpare; }));
  CHECK(ask_to_upgrade(daemon, "", 0, true).ok());
  CHECK(upgrade(daemon) == "upgraded");
  play(ann, 5);
}

TEST_CASE("the restart history goes over an upgrade") {
  Daemon daemon(kPatientRestarts + echo_section());
  daemon.start();
  daemon.start_arena("duel");
  daemon.start_arena("failing");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  for (int i = 0; i < 2; ++i) REQUIRE(daemon.runs_again("failing", daemon.kill_worker("failing")));
  CHECK(daemon.arena("failing").restarts == 2);
  CHECK(upgrade(daemon) == "upgraded");
  CHECK(daemon.arena("failing").restarts == 2);
  REQUIRE(daemon.runs_again("failing", daemon.kill_worker("failing")));
  CHECK(upgrade(daemon) == "upgraded");
  daemon.kill_worker("failing");
  CHECK(daemon.becomes("failing", [](const ArenaFacts& a) { return a.state == "failed"; }));
  CHECK(upgrade(daemon) == "upgraded");
  CHECK(daemon.arena("failing").state == "failed");
  CHECK(daemon.arena("failing").restarts_total == 4);
  CHECK(daemon.restart("failing").ok());
  play(ann, 5);
}

TEST_CASE("an arena that waits for its restart gets it after the upgrade") {
  Daemon daemon(
      "[restart]\nintensity = 10\nwindow_ms = 600000\nfirst_delay_ms = 8000\nmax_delay_ms = 8000\nhealthy_ms = 600000\n" +
      echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  play(ann, 5);
  const uint64_t epoch = daemon.kill_worker("duel");
  CHECK(daemon.becomes("duel", [](const ArenaFacts& a) { return a.state == "backoff"; }));
  CHECK(upgrade(daemon) == "upgraded");
  CHECK(daemon.arena("duel").state == "backoff");
  ann.say();
  REQUIRE(daemon.runs_again("duel", epoch));
  play(ann, 5);
  CHECK(ann.ask().joins == 1);
}

TEST_CASE("a worker that has no memory for the board of the program that takes over maps it when it has some") {
  Daemon daemon("[arenas]\nadoption_timeout_ms = 60000\n" + echo_section(), Daemon::Parent::keeper);
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}});
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  const pid_t worker = daemon.arena("duel").pid;
  // Where it lies, and in which file.
  const auto board = [&] {
    std::istringstream maps(read_file("/proc/" + std::to_string(worker) + "/maps"));
    std::string found;
    for (std::string line; std::getline(maps, line);) {
      if (line.find("arenad-board") != std::string::npos) found += line + "\n";
    }
    return found;
  };
  const std::string before = board();
  REQUIRE(before != "");
  {
    const LimitedResource nothing_more(worker, RLIMIT_AS, 4096);
    SUBCASE("upgraded") {
      CHECK(upgrade(daemon) == "upgraded");
    }
    SUBCASE("adopted") {
      daemon.kill_arenad();
    }
    play(ann, 50);
    CHECK(board() == before);
  }
  CHECK(eventually([&] { return board() != before && board() != ""; }));
  play(ann, 5);
  CHECK(daemon.arena("duel").pid == worker);
  CHECK(daemon.arena("duel").epoch == 1);
}

TEST_CASE("signals that come while arenad is replaced reach the program that has taken over") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  std::thread upgrading([&] { (void)ask_to_upgrade(daemon); });
  REQUIRE(eventually([&] { return contains(daemon.log(), "gives its place"); }));
  daemon.stop();
  upgrading.join();
  daemon.start();
  CHECK(daemon.becomes("duel", [](const ArenaFacts& a) { return a.state == "running"; }));
  CHECK(daemon.facts().notices.empty());
}

namespace {

// Another version of the same code.
std::string copy_of_module(Daemon& daemon, const std::string& module) {
  std::string copy = (daemon.folder() / "copy.so").string();
  std::filesystem::copy_file(module_path(module), copy, std::filesystem::copy_options::overwrite_existing);
  write_file(copy, read_file(copy) + "another");
  return copy;
}

std::vector<std::string> reload_command(const std::string& game, const std::string& module) {
  return {"reload", game, module, "--probation", "2s", "--probation-frames", "5", "--batch", "1"};
}

}  // namespace

TEST_CASE("a rollout goes on over upgrades, probation and all, and whoever waits for it is told") {
  Daemon daemon(kPatientRestarts + echo_section());
  daemon.start();
  std::vector<std::unique_ptr<Player>> players;
  for (const char* name : {"one", "two", "three"}) {
    daemon.start_arena(name, {{"hz", "50"}});
    players.push_back(std::make_unique<Player>(daemon.socket(), name, "ann"));
    play(*players.back(), 5);
  }
  Finished ended;
  std::thread waiting([&] { ended = daemon.arenactl(reload_command("echo", copy_of_module(daemon, "echo"))); });
  for (int i = 0; i < 3; ++i) {
    CHECK(eventually([&] {
      return std::ranges::any_of(std::array{"one", "two", "three"},
                                 [&](const char* name) { return daemon.arena(name).probation; });
    }));
    CHECK(upgrade(daemon) == "upgraded");
    for (auto& player : players) play(*player, 5);
  }
  waiting.join();
  INFO(ended.out);
  INFO(ended.err);
  CHECK(ended.code == 0);
  const std::string versions = daemon.arenactl({"versions", "echo"}).out;
  CHECK(contains(versions, "previous"));
  for (auto& player : players) {
    play(*player, 5);
    CHECK(player->ask().joins == 1);
    CHECK(player->times_rolled_back() == 0);
  }
}

TEST_CASE("a version that dies on probation after an upgrade is taken back") {
  Daemon daemon(kPatientRestarts + echo_section());
  daemon.start();
  daemon.start_arena("duel", {{"hz", "50"}});
  Player ann(daemon.socket(), "duel", "ann");
  play(ann, 5);
  Finished ended;
  std::thread waiting([&] {
    ended = daemon.arenactl({"reload", "echo", copy_of_module(daemon, "echo"), "--probation", "60s"});
  });
  CHECK(daemon.becomes("duel", [](const ArenaFacts& a) { return a.probation; }));
  play(ann, 5);
  CHECK(upgrade(daemon) == "upgraded");
  const uint64_t epoch = daemon.kill_worker("duel");
  REQUIRE(daemon.runs_again("duel", epoch));
  waiting.join();
  CHECK(ended.code != 0);
  CHECK(contains(ended.out + ended.err, "duel"));
  play(ann, 5);
  CHECK(ann.times_rolled_back() == 1);
  CHECK(ann.ask().joins == 1);
}

TEST_CASE("clients that die while arenad is replaced have left") {
  Daemon daemon(kPatientRestarts + echo_section());
  daemon.start();
  std::vector<std::string> arenas;
  for (int i = 0; i < 40; ++i) {
    arenas.push_back("arena-" + std::to_string(i));
    daemon.start_arena(arenas.back());
  }
  int attached[2];
  REQUIRE(::pipe(attached) == 0);
  const pid_t clients = ::fork();
  if (clients == 0) {
    std::vector<std::unique_ptr<Player>> players;
    for (const std::string& arena : arenas) players.push_back(std::make_unique<Player>(daemon.socket(), arena, "ann"));
    (void)!::write(attached[1], "!", 1);
    for (;;) ::pause();
  }
  char all_are = 0;
  REQUIRE(::read(attached[0], &all_are, 1) == 1);
  for (const int end : attached) ::close(end);
  std::string upgraded;
  std::thread upgrading([&] { upgraded = upgrade(daemon); });
  CHECK(eventually([&] { return contains(daemon.log(), "gives its place"); }));
  ::kill(clients, SIGKILL);
  CHECK(::waitpid(clients, nullptr, 0) == clients);
  upgrading.join();
  CHECK(upgraded == "upgraded");
  for (const std::string& arena : arenas) {
    CHECK(daemon.becomes(arena, [](const ArenaFacts& facts) { return facts.clients == 0; }));
  }
  Player ann(daemon.socket(), arenas[0], "ann");
  play(ann, 3);
  CHECK(ann.ask().dropped == 1);
}

TEST_CASE("what was drained before and runs again is left alone by an upgrade") {
  Daemon daemon(kPatientRestarts + game_section("ledger", module_path("ledger")));
  daemon.start();
  const ArenaId id = *ArenaId::parse(daemon.start_arena("match", {{"hz", "50"}}, "ledger"));
  CHECK(daemon.arenactl({"drain", "match", "--deadline", "200ms"}).code == 0);
  CHECK(daemon.arena("match").state == "stopped");
  CHECK(daemon.restart("match").ok());
  CHECK(upgrade(daemon) == "upgraded");
  LedgerPlayer ann(daemon.socket(), "ann");
  CHECK(ann.attach(id).ok());
  for (int i = 0; i < 50; ++i) CHECK(eventually([&] { return ann.say(); }));
  CHECK(eventually([&] {
    ann.listen();
    return ann.hears_all();
  }));
  CHECK(ann.gone() == "");
  CHECK(daemon.arena("match").state == "running");
}

TEST_CASE("an upgrade takes no game away from arenas that run it, and the service is as old as before") {
  Daemon daemon(kPatientRestarts + echo_section() + game_section("ledger", module_path("ledger")));
  daemon.start();
  daemon.start_arena("match", {}, "ledger");
  daemon.reconfigure(kPatientRestarts + echo_section());
  CHECK(contains(upgrade(daemon), "the configuration has no game ledger any more, and arena match runs it"));
  CHECK(daemon.stop_arena("match").ok());
  const auto uptime_ms = [&] {
    ControlClient control = daemon.connect();
    auto answer = control.call([](wire::Request::Builder request) { request.setVersion(); }, {}, kPatienceMs);
    REQUIRE(answer.ok());
    return answer->root().getReply().getVersion().getUptimeMs();
  };
  const uint64_t before_ms = uptime_ms();
  CHECK(upgrade(daemon) == "upgraded");
  CHECK(uptime_ms() >= before_ms);
  CHECK(daemon.arena("match").state == "stopped");
}
