// A configuration that changes under running arenas: SIGHUP and arenactl reload-config.
#include <array>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <thread>

#include <doctest/doctest.h>

#include "chaos/rig/ledger_player.h"
#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;

namespace fs = std::filesystem;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t count_of(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

// [restart] with so many restarts and nothing that ends a row.
std::string restarts(int intensity) {
  return "[restart]\nintensity = " + std::to_string(intensity) +
         "\nwindow_ms = 600000\nfirst_delay_ms = 1\nmax_delay_ms = 2\nhealthy_ms = 600000\n";
}

// The whole file: also what Daemon::reconfigure() does not leave to its caller.
void write_config(const Daemon& daemon, const std::string& of_daemon, const std::string& sections) {
  write_file(daemon.config(),
             "[daemon]\nruntime_directory = \"run\"\nworker = \"" ARENAD_TEST_WORKER "\"\n" + of_daemon + sections);
}

Finished reload(const Daemon& daemon, std::vector<std::string> options = {}) {
  options.insert(options.begin(), "reload-config");
  return daemon.arenactl(options);
}

void reload_well(const Daemon& daemon) {
  const Finished told = reload(daemon);
  INFO(told.err);
  INFO(daemon.log());
  REQUIRE(told.code == 0);
}

std::string version_of(Daemon& daemon, const std::string& arena) {
  ControlClient control = daemon.connect();
  auto answer = control.call([&](wire::Request::Builder request) { select_one(request.initStatus(), arena); }, {}, kPatienceMs);
  REQUIRE(answer.ok());
  return answer->root().getReply().getStatus().getArenas()[0].getGameVersion();
}

size_t kept_modules(const Daemon& daemon) {
  std::error_code error;
  const fs::directory_iterator all(daemon.folder() / "state/modules", error);
  return static_cast<size_t>(std::distance(begin(all), end(all)));
}

// Put in place as a build does it: the old file stays whole for whoever has it open.
void put_module(const Daemon& daemon, const std::string& module) {
  fs::copy_file(module_path(module), daemon.folder() / "new.so", fs::copy_options::overwrite_existing);
  fs::rename(daemon.folder() / "new.so", daemon.folder() / "ledger.so");
}

std::string ledger_section(const Daemon& daemon) {
  return game_section("ledger", (daemon.folder() / "ledger.so").string(), "snapshot_interval_ms = 20\n");
}

}  // namespace

TEST_CASE("what differs is shown and in force, and players notice nothing") {
  Daemon daemon(echo_section() + restarts(5));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "64"}});
  Player player(daemon.socket(), "duel", "ann");
  player.say();
  const uint64_t epoch = daemon.arena("duel").epoch;

  daemon.reconfigure(echo_section() + restarts(7) + "[checkpoint]\ninterval_ms = 100\n[snapshot]\ninterval_ms = 50\n");
  const Finished dry = reload(daemon, {"--dry-run"});
  CHECK(dry.code == 0);
  CHECK(holds(dry.out, "would be in force at once\n"));
  CHECK(holds(dry.err, "nothing was changed"));
  CHECK_FALSE(holds(daemon.log(), "the configuration was read again"));

  const Finished told = reload(daemon);
  CHECK(told.code == 0);
  CHECK(told.err == "");
  CHECK(told.out ==
        "in force now\n"
        "  checkpoint.interval_ms  1000  ->  100\n"
        "  restart.intensity       5     ->  7\n"
        "for what begins from now on\n"
        "  snapshot.interval_ms             500  ->  50\n"
        "  games.echo.snapshot_interval_ms  500  ->  50\n");
  CHECK(daemon.has_logged("key=restart.intensity from=5 to=7 takes_effect=at-once"));
  CHECK(reload(daemon).out == "no changes\n");

  for (int i = 0; i < 100; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
  CHECK(player.rejections().empty());
  CHECK(daemon.arena("duel").epoch == epoch);
}

TEST_CASE("SIGHUP does the same, as often as it comes") {
  Daemon daemon(echo_section() + restarts(5));
  daemon.start();
  daemon.start_arena("duel", {{"hz", "64"}});
  Player player(daemon.socket(), "duel", "ann");
  daemon.reconfigure(echo_section() + restarts(7));
  ::kill(daemon.pid(), SIGHUP);
  CHECK(eventually([&] { return holds(daemon.log(), "key=restart.intensity from=5 to=7 takes_effect=at-once"); }));
  for (int i = 0; i < 1000; ++i) {
    ::kill(daemon.pid(), SIGHUP);
    (void)player.try_say();
    player.listen();
  }
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
  CHECK(reload(daemon).out == "no changes\n");
}

TEST_CASE("another restart budget counts from the next crash on") {
  Daemon daemon(echo_section() + restarts(1));
  daemon.start();
  daemon.start_arena("duel");
  Player player(daemon.socket(), "duel", "ann");
  const auto survives = [&] {
    const bool runs = daemon.runs_again("duel", daemon.kill_worker("duel"));
    player.say();
    return runs && player.hears_all();
  };
  CHECK(survives());
  daemon.reconfigure(echo_section() + restarts(3));
  reload_well(daemon);
  CHECK(survives());
  CHECK(survives());
  CHECK(player.complaint() == "");
  daemon.kill_worker("duel");
  CHECK(daemon.becomes("duel", [](const ArenaFacts& arena) { return arena.state == "failed"; }));
}

TEST_CASE("another log level counts at once, and is told whichever way it goes") {
  Daemon daemon("");
  write_config(daemon, "directory = \"state\"\nlog_format = \"plain\"\nlog_level = \"info\"\n", restarts(1));
  daemon.start();
  write_config(daemon, "directory = \"state\"\nlog_format = \"plain\"\nlog_level = \"error\"\n", restarts(1));
  reload_well(daemon);
  CHECK(daemon.has_logged("key=daemon.log_level from=\"info\" to=\"error\""));
  write_config(daemon, "directory = \"state\"\nlog_format = \"plain\"\nlog_level = \"error\"\n", restarts(2));
  reload_well(daemon);
  CHECK_FALSE(holds(daemon.log(), "key=restart.intensity"));
  write_config(daemon, "directory = \"state\"\nlog_format = \"logfmt\"\nlog_level = \"info\"\n", restarts(2));
  reload_well(daemon);
  CHECK(daemon.has_logged("key=daemon.log_level from=\"error\" to=\"info\""));
  CHECK(daemon.has_logged("level=info pid=" + std::to_string(daemon.pid()) + " key=daemon.log_format"));
}

TEST_CASE("an invalid file is refused as a whole, with all that is wrong") {
  Daemon daemon(echo_section() + restarts(5));
  daemon.start();
  const std::string sections = echo_section() + restarts(7) + "[arenas]\nmax_arenas = 0\nkeep_finish = 3\n";
  daemon.reconfigure(sections);
  const std::string text = read_file(daemon.config());
  const auto line = [&](const std::string& key) { return std::to_string(1 + count_of(text.substr(0, text.find(key)), "\n")); };
  const std::array problems{daemon.config() + ":" + line("max_arenas") + ": arenas.max_arenas: ",
                            daemon.config() + ":" + line("keep_finish") + ": arenas.keep_finish: "};
  const Finished told = reload(daemon);
  CHECK(told.code == 2);
  CHECK(told.out == "");
  for (const std::string& problem : problems) CHECK(holds(told.err, "arenactl: " + problem));
  CHECK(holds(told.err, "refused as a whole"));
  CHECK(eventually([&] { return count_of(daemon.log(), "refused as a whole: 2 problems") == 1; }));
  ::kill(daemon.pid(), SIGHUP);
  CHECK(eventually([&] { return count_of(daemon.log(), "refused as a whole: 2 problems") == 2; }));
  for (const std::string& problem : problems) CHECK(eventually([&] { return count_of(daemon.log(), problem) == 2; }));
  // What was right in it is not in force either.
  daemon.reconfigure(echo_section() + restarts(7));
  CHECK(holds(reload(daemon, {"--dry-run"}).out, "restart.intensity  5  ->  7"));

  fs::remove(daemon.config());
  CHECK(holds(reload(daemon).err, daemon.config() + ": cannot be opened"));
  REQUIRE(::mkfifo(daemon.config().c_str(), 0600) == 0);
  CHECK(holds(reload(daemon).err, "is no regular file"));
  CHECK(daemon.try_start_arena("duel").ok());
  fs::remove(daemon.config());
}

TEST_CASE("a module that is not there or cannot be loaded is refused, and nothing of it is left") {
  Daemon daemon(echo_section() + restarts(5));
  daemon.start();
  daemon.start_arena("duel");
  const size_t kept = kept_modules(daemon);
  // Its template, its worker, two spares.
  REQUIRE(eventually([&] { return children_of(daemon.pid()).size() == 4; }));
  const auto children = children_of(daemon.pid());
  struct Bad {
    std::string module;
    const char* why;
  };
  for (const auto& [module, why] :
       {Bad{"/nowhere.so", "there is no file /nowhere.so"}, Bad{module_path("no_entry"), "cannot be used"},
        Bad{module_path("crashing_constructor"), "cannot be used"}}) {
    CAPTURE(module);
    daemon.reconfigure(echo_section() + restarts(7) + game_section("bad", module) +
                       game_section("ledger", module_path("ledger")));
    const Finished told = reload(daemon);
    CHECK(told.code == 2);
    CHECK(holds(told.err, "games.bad.module: "));
    CHECK(holds(told.err, why));
    CHECK_FALSE(daemon.try_start_arena("one", {}, "bad").ok());
    CHECK_FALSE(daemon.try_start_arena("one", {}, "ledger").ok());
    // The configured one may not be replaced by it either.
    daemon.reconfigure(game_section("echo", module));
    CHECK(reload(daemon).code == 2);
  }
  CHECK(eventually([&] { return children_of(daemon.pid()) == children; }));
  CHECK(daemon.try_start_arena("two").ok());
  daemon.reconfigure(echo_section() + restarts(7));
  CHECK(holds(reload(daemon, {"--dry-run"}).out, "restart.intensity  5  ->  7"));
  CHECK(kept_modules(daemon) == kept);
}

TEST_CASE("what needs a restart is named as long as it waits for one, and everything else is applied") {
  Daemon daemon("");
  write_config(daemon, "directory = \"state\"\n", restarts(5));
  daemon.start();
  write_config(daemon, "directory = \"other\"\nsocket = \"other.sock\"\n", restarts(7));
  const Finished first = reload(daemon);
  CHECK(first.code == 0);
  CHECK(holds(first.out, "in force now\n  restart.intensity  5  ->  7\nneeds a restart of arenad\n  daemon.directory  "));
  CHECK(first.err == "arenactl: 2 changes need a restart of arenad; until then the old values stay in force\n");
  const Finished second = reload(daemon);
  CHECK(second.code == 0);
  CHECK(second.out.starts_with("needs a restart of arenad\n  daemon.directory  "));
  CHECK_FALSE(fs::exists(daemon.folder() / "other"));
  write_config(daemon, "directory = \"state\"\n", restarts(7));
  CHECK(reload(daemon).out == "no changes\n");
}

TEST_CASE("a game that is added can be started; it is not removed under its arenas, and what is left of them waits for it") {
  Daemon daemon(echo_section());
  daemon.start();
  CHECK_FALSE(daemon.try_start_arena("match", {}, "ledger").ok());
  const std::string both = echo_section() + game_section("ledger", module_path("ledger"));
  daemon.reconfigure(both);
  CHECK(holds(reload(daemon).out, "games.ledger  -  ->  { module = \"" + module_path("ledger") + "\" }"));
  const ArenaId id = *ArenaId::parse(daemon.start_arena("match", {{"hz", "64"}}, "ledger"));
  LedgerPlayer player(daemon.socket(), "ann");
  REQUIRE(eventually([&] { return player.attach(id).ok(); }));
  const auto plays = [&] {
    for (int i = 0; i < 20; ++i) (void)player.say();
    return eventually([&] {
      player.listen();
      return player.hears_all();
    });
  };
  CHECK(plays());

  daemon.reconfigure(echo_section() + restarts(7));
  const Finished refused = reload(daemon);
  CHECK(refused.code == 6);
  CHECK(holds(refused.err, "games.ledger: the game is removed, and arenas of it still run: match; stop or drain them first"));
  CHECK(plays());
  REQUIRE(daemon.stop_arena("match").ok());
  player.leave();

  const Finished removed = reload(daemon);
  CHECK(removed.code == 0);
  CHECK(holds(removed.out, "  games.ledger "));
  CHECK(holds(removed.out, "{ module = \"" + module_path("ledger") + "\" }  ->  -\n"));
  CHECK_FALSE(daemon.try_start_arena("other", {}, "ledger").ok());
  CHECK_FALSE(daemon.restart("match").ok());
  CHECK(eventually([&] { return children_of(daemon.pid()).empty(); }));
  CHECK(daemon.arenactl({"status", "match", "--finished"}).code == 3);
  CHECK(daemon.arenactl({"versions", "ledger"}).code == 0);
  // One that never was is another matter.
  const Finished never = daemon.arenactl({"versions", "chess"});
  CHECK(never.code == 2);
  CHECK(never.err == "arenactl: the configuration has no game chess. It has: echo\n");

  daemon.reconfigure(both);
  reload_well(daemon);
  REQUIRE(daemon.restart("match").ok());
  REQUIRE(eventually([&] { return player.attach(id).ok(); }));
  CHECK(plays());
  CHECK(player.complaint() == "");
}

TEST_CASE("a module with another content is for new arenas, those that run keep theirs") {
  Daemon daemon("");
  put_module(daemon, "ledger");
  daemon.reconfigure(ledger_section(daemon) + restarts(100));
  daemon.start();
  const ArenaId id = *ArenaId::parse(daemon.start_arena("old", {{"hz", "64"}}, "ledger"));
  LedgerPlayer player(daemon.socket(), "ann");
  REQUIRE(eventually([&] { return player.attach(id).ok(); }));
  CHECK(reload(daemon).out == "no changes\n");

  put_module(daemon, "ledger_good");
  const Finished dry = reload(daemon, {"--dry-run"});
  CHECK(dry.code == 0);
  CHECK(holds(dry.out, "new arenas get version 2.0-good ("));
  CHECK(kept_modules(daemon) == 2);  // with the runtime
  daemon.start_arena("before", {}, "ledger");
  CHECK(version_of(daemon, "before") == "1.0");

  const Finished told = reload(daemon);
  CHECK(told.code == 0);
  CHECK(holds(told.out, "for what begins from now on\n  games.ledger.module  "));
  CHECK(holds(told.out, "arenas that keep theirs until arenactl reload: 2\n"));
  CHECK(reload(daemon).out == "no changes\n");
  daemon.start_arena("new", {}, "ledger");
  CHECK(version_of(daemon, "new") == "2.0-good");
  CHECK(version_of(daemon, "old") == "1.0");
  CHECK(daemon.runs_again("old", daemon.kill_worker("old")));
  CHECK(version_of(daemon, "old") == "1.0");
  for (int i = 0; i < 20; ++i) (void)player.say();
  CHECK(eventually([&] {
    player.listen();
    return player.hears_all();
  }));
  CHECK(player.complaint() == "");

  // Back to the first one: it is the current one also when arenad runs again.
  put_module(daemon, "ledger");
  reload_well(daemon);
  daemon.start_arena("newest", {}, "ledger");
  CHECK(version_of(daemon, "newest") == "1.0");
  player.leave();
  daemon.stop();
  daemon.start();
  daemon.start_arena("after", {}, "ledger");
  CHECK(version_of(daemon, "after") == "1.0");
}

TEST_CASE("no other module while a rollout of the game is not over, but everything else") {
  Daemon daemon("");
  put_module(daemon, "ledger");
  daemon.reconfigure(ledger_section(daemon) + restarts(5));
  daemon.start();
  daemon.start_arena("match", {{"hz", "64"}}, "ledger");
  REQUIRE(daemon.arenactl({"reload", "ledger", module_path("ledger_adds"), "--no-wait", "--probation", "10m"}).code == 0);
  put_module(daemon, "ledger_good");
  daemon.reconfigure(ledger_section(daemon) + restarts(7));
  const Finished refused = reload(daemon);
  CHECK(refused.code == 6);
  CHECK(holds(refused.err, "games.ledger.module: a rollout of ledger is not over yet"));
  CHECK(kept_modules(daemon) == 3);  // two modules and the runtime
  put_module(daemon, "ledger");
  CHECK(holds(reload(daemon).out, "  restart.intensity  5  ->  7\n"));
}

TEST_CASE("spares come and go, and with other rings they are others") {
  Daemon daemon(echo_section("spares = 0\n") + restarts(100));
  daemon.start();
  daemon.start_arena("duel");
  Player player(daemon.socket(), "duel", "ann");
  const auto workers = [&] {
    return children_of(daemon.pid()).size() - 1;  // the template
  };
  CHECK(workers() == 1);
  daemon.reconfigure(echo_section("spares = 3\n") + restarts(100));
  reload_well(daemon);
  CHECK(eventually([&] { return workers() == 4; }));
  daemon.reconfigure(echo_section("spares = 1\n") + restarts(100));
  reload_well(daemon);
  CHECK(eventually([&] { return workers() == 2; }));
  for (const char* rings : {"frame_log_bytes = 131072\n", "frame_log_bytes = 4194304\noutput_ring_bytes = 4194304\n"}) {
    daemon.reconfigure(echo_section(std::string("spares = 1\n") + rings) + restarts(100));
    reload_well(daemon);
    for (int i = 0; i < 100; ++i) player.say();
    CHECK(daemon.runs_again("duel", daemon.kill_worker("duel")));
    CHECK(player.hears_all());
  }
  CHECK(player.complaint() == "");
}

TEST_CASE("a configuration with a relative path is found again") {
  PrivateFolder folder;
  write_file(folder / "arenad.toml",
             "[daemon]\ndirectory = \"state\"\nruntime_directory = \"run\"\nworker = \"" ARENAD_TEST_WORKER "\"\n");
  Program arenad({{ARENAD_TEST_ARENAD, "--config", "arenad.toml"}, folder.path(), folder / "out", folder / "err"});
  const std::vector<std::string> command{ARENAD_TEST_ARENACTL, "--socket", (folder / "run/arenad.sock").string(),
                                         "reload-config"};
  Finished told;
  CHECK(eventually([&] { return (told = run_to_end(command, folder)).code == 0; }));
  CHECK(told.out == "no changes\n");
  arenad.signal(SIGTERM);
  CHECK(arenad.wait()->text() == "code=exited, status=0");
}

TEST_CASE("SIGHUP before arenad has read its configuration, and while it ends") {
  PrivateFolder folder;
  const std::string config = (folder / "arenad.toml").string();
  REQUIRE(::mkfifo(config.c_str(), 0600) == 0);
  Program arenad({{ARENAD_TEST_ARENAD, "--config", config}, folder.path(), folder / "out", folder / "err"});
  // It opens the file, and waits for what is in it.
  Fd writer;
  REQUIRE(eventually([&] {
    writer = Fd(::open(config.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    return static_cast<bool>(writer);
  }));
  arenad.signal(SIGHUP);
  const std::string text =
      "[daemon]\ndirectory = \"state\"\nruntime_directory = \"run\"\nworker = \"" ARENAD_TEST_WORKER "\"\n";
  REQUIRE(::write(writer.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  writer.reset();
  // The signal has waited until there was somebody who could take it: a pipe cannot be read again.
  CHECK(
      eventually([&] { return holds(read_file(folder / "err"), config + ": is no regular file, and cannot be read again"); }));
  arenad.signal(SIGTERM);
  while (!arenad.ended()) arenad.signal(SIGHUP);
  CHECK(arenad.wait()->text() == "code=exited, status=0");
}

TEST_CASE("the service manager is told that the configuration is read again, and when it was") {
  Daemon daemon(echo_section());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = (daemon.folder() / "notify").string();
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.data(), path.size());
  const Fd notified(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  REQUIRE(::bind(notified.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  // What arenad says of itself meanwhile is another matter.
  const auto received = [&]() -> std::string {
    std::array<char, 4096> text{};
    for (;;) {
      const ssize_t count = ::recv(notified.get(), text.data(), text.size(), 0);
      if (count < 0) return "";
      std::string message(text.data(), static_cast<size_t>(count));
      if (!message.starts_with("STATUS=") && !message.starts_with("EXTEND_TIMEOUT_USEC=")) return message;
    }
  };
  const auto next = [&] {
    std::string message;
    CHECK(eventually([&] { return !(message = received()).empty(); }));
    return message;
  };
  daemon.start({"/usr/bin/env", "NOTIFY_SOCKET=" + path});
  CHECK(next() == "READY=1");
  for (const char* sections : {"", "wrong"}) {
    daemon.reconfigure(sections);
    (void)reload(daemon);
    CHECK(next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(next() == "READY=1");
  }
  CHECK(reload(daemon, {"--dry-run"}).code == 2);
  CHECK(received() == "");
}

TEST_CASE("SIGHUP ends arenad in no moment of its life") {
  Daemon daemon(echo_section() + restarts(5), Daemon::Parent::keeper);
  daemon.start();
  daemon.start_arena("duel", {{"hz", "64"}});
  Player player(daemon.socket(), "duel", "ann");
  daemon.reconfigure(echo_section() + restarts(7));
  std::atomic<bool> enough = false;
  std::thread hangups([&] {
    while (!enough) {
      ::kill(daemon.keeper(), SIGHUP);
      ::usleep(200);
    }
  });
  for (int i = 0; i < 3; ++i) daemon.kill_arenad();
  daemon.reconfigure(echo_section() + restarts(9));
  CHECK(eventually([&] { return holds(daemon.log(), "key=restart.intensity from=7 to=9"); }));
  player.say();
  CHECK(player.hears_all());
  enough = true;
  hangups.join();
  CHECK(player.complaint() == "");
  CHECK_FALSE(holds(daemon.log(), "signal=HUP"));
}
