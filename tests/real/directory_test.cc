// What the machine denies arenad: its directory, its database, shared memory, disk space.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "ipc/clock.h"
#include "ipc/socket.h"
#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;

namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

size_t times_in(const std::string& text, const std::string& part) {
  size_t times = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++times;
  return times;
}

void damage_checkpoints(const std::filesystem::path& path, const std::string& which) {
  sqlite3* database = nullptr;
  REQUIRE(::sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  const std::string sql = "UPDATE checkpoints SET bytes = zeroblob(length(bytes))" + which;
  CHECK(::sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  CHECK(::sqlite3_close(database) == SQLITE_OK);
}

// A player of an arena that was there before the trouble.
void check_goes_on(Daemon& daemon, Player& player, const std::string& arena, uint64_t epoch) {
  for (int i = 0; i < 5; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
  const ArenaFacts facts = daemon.arena(arena);
  CHECK(facts.state == "running");
  CHECK(facts.epoch == epoch);
}

size_t files_beside(const std::filesystem::path& folder, const std::string& name) {
  const std::filesystem::directory_iterator files(folder);
  return static_cast<size_t>(std::count_if(begin(files), end(files), [&](const auto& entry) {
    const std::string other = entry.path().filename().string();
    return other.starts_with(name + ".") && other != name;
  }));
}

}  // namespace

TEST_CASE("a second arenad on the same directory refuses, and the first goes on") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("good");
  const Finished second = daemon.start_in_vain();
  CAPTURE(second.err);
  CHECK(second.code == 1);
  CHECK(holds(second.err, "pid " + std::to_string(daemon.pid())));
  CHECK(daemon.arena("good").state == "running");
  // It did not take the socket with it.
  CHECK(daemon.arenactl({"status"}).code == 0);
}

TEST_CASE("a second arenad with the same runtime directory refuses, and the first keeps its socket") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("good");
  std::string config = read_file(daemon.config());
  config.replace(config.find("\"state\""), 7, "\"other\"");
  write_file(daemon.folder() / "other.toml", config);
  const Finished second =
      run_to_end({ARENAD_TEST_ARENAD, "--config", (daemon.folder() / "other.toml").string()}, daemon.folder());
  CAPTURE(second.err);
  CHECK(second.code == 1);
  CHECK(holds(second.err, "pid " + std::to_string(daemon.pid())));
  CHECK(daemon.arenactl({"status"}).code == 0);
}

TEST_CASE("damaged checkpoints: an older one is told as that, and without any the arena is lost, never made up") {
  enum class End { stopped, killed };
  enum class Damage { newest, all };
  for (const End end : {End::stopped, End::killed}) {
    for (const Damage damage : {Damage::newest, Damage::all}) {
      Daemon daemon("[snapshot]\ninterval_ms = 10\n[checkpoint]\ninterval_ms = 20\n" + echo_section());
      daemon.start();
      daemon.start_arena("duel", {{"hz", "50"}});
      REQUIRE(daemon.becomes("duel", [](const ArenaFacts& facts) { return facts.durable_frame > 10; }));
      end == End::stopped ? daemon.stop() : daemon.crash();
      damage_checkpoints(daemon.folder() / "state" / "arenad.db",
                         damage == Damage::all ? "" : " WHERE frame = (SELECT max(frame) FROM checkpoints)");
      daemon.start();
      const bool is_lost = damage == Damage::all;
      CHECK(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.state == (is_lost ? "lost" : "running"); }));
      CHECK(daemon.has_logged(is_lost ? "it is lost" : "set back to an older, undamaged checkpoint"));
      const auto notices = daemon.facts().notices;
      CHECK(
          std::any_of(notices.begin(), notices.end(), [](const std::string& notice) { return holds(notice, "damaged row"); }));
    }
  }
}

TEST_CASE("a damaged database is moved aside loudly, and arenad starts") {
  Daemon daemon(echo_section());
  const auto database = daemon.folder() / "state" / "arenad.db";
  daemon.start();
  daemon.start_arena("old");
  daemon.stop();
  REQUIRE(std::filesystem::file_size(database) > 4096);
  SUBCASE("garbage") {
    write_file(database, std::string(64 * 1024, 'x'));
  }
  size_t set_aside = 1;
  SUBCASE("emptied") {
    set_aside = 0;  // there is nothing in it to keep
    std::filesystem::resize_file(database, 0);
  }
  SUBCASE("cut off") {
    std::filesystem::resize_file(database, std::filesystem::file_size(database) / 2 + 100);
  }
  SUBCASE("a page overwritten") {
    std::fstream file(database, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file << std::string(4096, 'x');
  }
  daemon.start();
  REQUIRE(daemon.facts().notices.size() >= 1);
  CHECK(holds(daemon.facts().notices[0], "arenad.db"));
  CHECK(daemon.has_logged(daemon.facts().notices[0]));
  const Finished told = daemon.arenactl({"status"});
  CHECK(told.code == 0);
  CHECK(holds(told.err, "arenad.db"));
  CHECK(files_beside(daemon.folder() / "state", "arenad.db") >= set_aside);
  daemon.start_arena("new");
  CHECK(daemon.becomes("new", [](const ArenaFacts& facts) { return facts.state == "running"; }));
}

TEST_CASE("arenad dies while the database takes nothing: the next one knows how often an arena was restarted") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  Player ann(daemon.socket(), "duel", "ann");
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  REQUIRE(eventually([&] { return daemon.facts().checkpoint_lag_ms == 0; }));
  sqlite3* database = nullptr;
  REQUIRE(::sqlite3_open((daemon.folder() / "state/arenad.db").c_str(), &database) == SQLITE_OK);
  ::sqlite3_busy_timeout(database, 5000);
  REQUIRE(::sqlite3_exec(database, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) == SQLITE_OK);
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  CHECK(daemon.arena("duel").restarts_total == 2);
  daemon.kill_arenad();
  REQUIRE(::sqlite3_close(database) == SQLITE_OK);
  daemon.start();
  CHECK(daemon.arena("duel").restarts_total == 2);
  for (int i = 0; i < 5; ++i) ann.say();
  CHECK(ann.hears_all());
}

TEST_CASE("a directory that may not be written") {
  if (::geteuid() == 0) {
    MESSAGE("skipped: root may write anywhere");
    return;
  }
  Daemon daemon(echo_section());
  std::filesystem::create_directory(daemon.folder() / "state");
  ::chmod((daemon.folder() / "state").c_str(), 0500);
  const Finished told = daemon.start_in_vain();
  ::chmod((daemon.folder() / "state").c_str(), 0700);
  CHECK(told.code == 1);
  CHECK(holds(told.err, "state"));
}

TEST_CASE("a directory that cannot be made") {
  Daemon daemon(echo_section());
  write_file(daemon.folder() / "state", "a file\n");
  const Finished told = daemon.start_in_vain();
  CAPTURE(told.err);
  CHECK(told.code == 1);
  CHECK(holds(told.err, (daemon.folder() / "state").string()));
  std::filesystem::remove(daemon.folder() / "state");
}

TEST_CASE("a worker program that is not there: starts are refused, and arenad runs") {
  Daemon daemon(echo_section());
  std::string config = read_file(daemon.config());
  config.replace(config.find(ARENAD_TEST_WORKER), std::string(ARENAD_TEST_WORKER).size(), "/nowhere/arena-worker");
  write_file(daemon.config(), config);
  daemon.start();
  const auto answer = daemon.try_start_arena("a");
  REQUIRE_FALSE(answer.ok());
  CAPTURE(answer.error().text());
  CHECK(answer.error().text() != "");
  CHECK(daemon.facts().running == 0);
}

TEST_CASE("arenas that would take more shared memory than is allowed are refused") {
  Daemon daemon("[arenas]\nshared_memory_mib = 4\n[spares]\nper_game = 0\n" + echo_section());
  daemon.start();
  const std::string first = daemon.start_arena("a0");
  Player player(daemon.socket(), "a0", "ann");
  const uint64_t epoch = daemon.arena("a0").epoch;
  Result<std::string> answer = std::string();
  for (int i = 1; i < 20 && answer; ++i) answer = daemon.try_start_arena("a" + std::to_string(i));
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::exhausted);
  CHECK(holds(answer.error().text(), "arenas.shared_memory_mib"));
  const Finished told = daemon.arenactl({"start", "echo"});
  CHECK(told.code == 1);
  CHECK(holds(told.err, "arenas.shared_memory_mib"));
  check_goes_on(daemon, player, "a0", epoch);
  // Room is made by an end.
  CHECK(daemon.stop_arena("a1").ok());
  CHECK(eventually([&] { return daemon.try_start_arena("again").ok(); }));
}

TEST_CASE("more arenas than are allowed are refused") {
  Daemon daemon("[arenas]\nmax_arenas = 1\n" + echo_section());
  daemon.start();
  daemon.start_arena("a0");
  const auto answer = daemon.try_start_arena("a1");
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().code == ErrorCode::refused);
  CHECK(holds(answer.error().text(), "arenas.max_arenas"));
}

TEST_CASE("no shared memory left: a new arena is refused, and the running ones go on") {
  // Without spares each worker is forked when it is needed, and inherits the template's limit.
  Daemon daemon("[spares]\nper_game = 0\n" + echo_section());
  daemon.start();
  daemon.start_arena("a0");
  Player player(daemon.socket(), "a0", "ann");
  const uint64_t epoch = daemon.arena("a0").epoch;
  const auto children = children_of(daemon.pid());
  const auto found = std::ranges::find_if(children, [](pid_t child) { return name_of(child) == "template"; });
  REQUIRE(found != children.end());
  {
    const LimitedResource files(*found, RLIMIT_FSIZE, 64 * 1024);
    const auto answer = daemon.try_start_arena("a1");
    REQUIRE_FALSE(answer.ok());
    CAPTURE(answer.error().text());
    CHECK(answer.error().code == ErrorCode::exhausted);
    CHECK(holds(answer.error().text(), "memory"));
    CHECK_FALSE(daemon.knows("a1"));
    check_goes_on(daemon, player, "a0", epoch);
  }
  CHECK(daemon.try_start_arena("a1").ok());
}

TEST_CASE("no shared memory left for arenad itself") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("a0");
  Player player(daemon.socket(), "a0", "ann");
  const uint64_t epoch = daemon.arena("a0").epoch;
  {
    const LimitedResource files(daemon.pid(), RLIMIT_FSIZE, 0);
    const auto answer = daemon.try_start_arena("a1");
    REQUIRE_FALSE(answer.ok());
    CAPTURE(answer.error().text());
    CHECK(answer.error().text() != "");
    check_goes_on(daemon, player, "a0", epoch);
  }
  CHECK(eventually([&] { return daemon.try_start_arena("a1").ok(); }));
}

TEST_CASE("no process can be forked: a new arena is refused, and the running ones go on") {
  if (::geteuid() == 0) {
    MESSAGE("skipped: the limit of processes does not hold for root");
    return;
  }
  Daemon daemon("[spares]\nper_game = 0\n" + echo_section());
  daemon.start();
  daemon.start_arena("a0");
  Player player(daemon.socket(), "a0", "ann");
  const uint64_t epoch = daemon.arena("a0").epoch;
  const auto children = children_of(daemon.pid());
  const auto found = std::ranges::find_if(children, [](pid_t child) { return name_of(child) == "template"; });
  REQUIRE(found != children.end());
  {
    const LimitedResource processes(*found, RLIMIT_NPROC, 1);
    const auto answer = daemon.try_start_arena("a1");
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == ErrorCode::exhausted);
    check_goes_on(daemon, player, "a0", epoch);
  }
  CHECK(daemon.try_start_arena("a1").ok());
}

TEST_CASE("no file descriptors left: a new arena is refused, and the running ones go on") {
  Daemon daemon("[spares]\nper_game = 0\n" + echo_section());
  daemon.start();
  daemon.start_arena("a0");
  Player player(daemon.socket(), "a0", "ann");
  const uint64_t epoch = daemon.arena("a0").epoch;
  {
    const LimitedResource files(daemon.pid(), RLIMIT_NOFILE, open_files_of(daemon.pid()));
    const auto answer = daemon.try_start_arena("a1");
    REQUIRE_FALSE(answer.ok());
    CAPTURE(answer.error().text());
    CHECK(answer.error().code == ErrorCode::exhausted);
    check_goes_on(daemon, player, "a0", epoch);
    // Whoever connects has to wait, and arenad neither spins nor fills the log.
    std::vector<Fd> waiting;
    for (int i = 0; i < 20; ++i) {
      auto connection = connect_unix(daemon.socket());
      REQUIRE(connection.ok());
      waiting.push_back(std::move(*connection));
    }
    CHECK(eventually([&] { return times_in(daemon.log(), "cannot accept") > 0; }));
    for (int i = 0; i < 20; ++i) check_goes_on(daemon, player, "a0", epoch);
    CHECK(times_in(daemon.log(), "cannot accept") == 1);
  }
  CHECK(eventually([&] { return daemon.try_start_arena("a1").ok(); }));
  CHECK(daemon.arenactl({"status"}).code == 0);
}

TEST_CASE("no file descriptors left for players who come back to the next arenad: they are back when there are some") {
  for (uint64_t left = 0; left < 6; ++left) {
    CAPTURE(left);
    Daemon daemon("[spares]\nper_game = 0\n" + echo_section());
    daemon.start();
    daemon.start_arena("a0");
    Player ann(daemon.socket(), "a0", "ann");
    const uint64_t epoch = daemon.arena("a0").epoch;
    check_goes_on(daemon, ann, "a0", epoch);
    daemon.kill_arenad();
    daemon.start();
    {
      const LimitedResource files(daemon.pid(), RLIMIT_NOFILE, open_files_of(daemon.pid()) + left);
      const uint64_t began_ns = monotonic_ns();
      while (monotonic_ns() - began_ns < 200 * kMillisecond) ann.listen();
      CHECK_FALSE(ann.is_gone());
    }
    CHECK(ann.listens_until([&] { return daemon.arena("a0").clients == 1; }));
    check_goes_on(daemon, ann, "a0", epoch);
    CHECK(ann.ask().joins == 1);
  }
}

TEST_CASE("no disk space left: new arenas are refused, the running ones go on, and it heals") {
  // state/ is a file system of 1 MiB that only this arenad sees.
  const std::vector<std::string> prefix{"unshare",
                                        "--user",
                                        "--map-root-user",
                                        "--mount",
                                        "--",
                                        "sh",
                                        "-c",
                                        "mount -t tmpfs -o size=1m tmpfs ../state && exec \"$@\"",
                                        "sh"};
  Daemon daemon("[checkpoint]\ninterval_ms = 20\n[snapshot]\ninterval_ms = 10\n" + echo_section());
  std::filesystem::create_directory(daemon.folder() / "state");
  {
    std::vector<std::string> trial = prefix;
    trial.emplace_back("true");
    trial[7].replace(trial[7].find("../state"), 8, "state");
    if (const Finished told = run_to_end(trial, daemon.folder()); told.code != 0) {
      MESSAGE("skipped: no file system of one's own is allowed here: ", told.err);
      return;
    }
  }
  daemon.start(prefix);
  daemon.start_arena("a0", {{"hz", "50"}});
  Player player(daemon.socket(), "a0", "ann");
  const uint64_t epoch = daemon.arena("a0").epoch;
  check_goes_on(daemon, player, "a0", epoch);

  const std::filesystem::path seen = "/proc/" + std::to_string(daemon.pid()) + "/root" + (daemon.folder() / "state").string();
  {
    std::ofstream filler(seen / "filler", std::ios::binary);
    for (int i = 0; i < 2000 && filler; ++i) filler << std::string(1024, 'f') << std::flush;
  }
  // What is in the files already may take a few more commits.
  CHECK(eventually([&] {
    player.say();
    return player.hears_all() && daemon.facts().store_error != "";
  }));
  const auto answer = daemon.try_start_arena("a1");
  REQUIRE_FALSE(answer.ok());
  CAPTURE(answer.error().text());
  CHECK(answer.error().code == ErrorCode::exhausted);
  CHECK(holds(answer.error().text(), "database"));
  CHECK_FALSE(daemon.knows("a1"));
  check_goes_on(daemon, player, "a0", epoch);
  const uint64_t frame = daemon.arena("a0").frame;
  CHECK(daemon.becomes("a0", [&](const ArenaFacts& facts) { return facts.frame > frame + 20; }));
  // A worker that dies now comes back all the same, from shared memory.
  CHECK(daemon.runs_again("a0", daemon.kill_worker("a0")));
  check_goes_on(daemon, player, "a0", epoch + 1);

  std::filesystem::remove(seen / "filler");
  CHECK(eventually([&] { return daemon.facts().store_error == ""; }));
  const uint64_t healed = daemon.arena("a0").frame;
  CHECK(daemon.becomes("a0", [&](const ArenaFacts& facts) { return facts.durable_frame > healed; }));
  CHECK(daemon.try_start_arena("a1").ok());
}
