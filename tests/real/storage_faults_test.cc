// The disk fails under an arenad that runs: its arenas go on, what is not durable is told, and all is made up for when the disk is well
// again.
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "chaos/disk/faulty_vfs.h"
#include "ipc/crash_point.h"
#include "tests/real/daemon.h"
#include "tests/real/player.h"

using namespace arenad;
using namespace arenad::test;

namespace {

const std::string kConfig =
    "[snapshot]\ninterval_ms = 20\n[checkpoint]\ninterval_ms = 40\nalarm_ms = 300\n[restart]\nintensity = 100\n" +
    echo_section();

bool is_stopped(pid_t pid) {
  return read_file("/proc/" + std::to_string(pid) + "/stat").find(") T ") != std::string::npos;
}

// An arenad whose disk obeys.
class FaultyDaemon {
 public:
  FaultyDaemon() {
    const std::filesystem::path path = daemon.folder() / "faults";
    const Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(::ftruncate(file.get(), sizeof(FaultOrders)) == 0);
    void* memory = ::mmap(nullptr, sizeof(FaultOrders), PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    REQUIRE(memory != MAP_FAILED);
    orders_ = static_cast<FaultOrders*>(memory);
    auto points = CrashPointTable::create(daemon.folder() / "points");
    REQUIRE(points);
    points_.emplace(std::move(*points));
    start();
  }
  FaultyDaemon(const FaultyDaemon&) = delete;
  FaultyDaemon& operator=(const FaultyDaemon&) = delete;
  ~FaultyDaemon() {
    disk().heal();
    ::munmap(orders_, sizeof(FaultOrders));
  }
  void start() { daemon.start(prefix()); }
  // The database is open when the fault begins, and no arena is known yet.
  void start_with(const Fault& fault) {
    points_->arm(crash_point("arenad.adoption.begun"), 1, CrashAction::stop);
    std::thread order([&] {
      CHECK(eventually([&] { return points_->fired() && is_stopped(points_->fired_pid()); }));
      disk().arm(fault);
      ::kill(points_->fired_pid(), SIGCONT);
    });
    start();
    order.join();
  }
  FaultOrders& disk() { return *orders_; }

  Daemon daemon{kConfig};

 private:
  [[nodiscard]] std::vector<std::string> prefix() const {
    return {"env", "LD_PRELOAD=" ARENAD_TEST_FAULTY_VFS, "ARENAD_TEST_FAULTS=" + (daemon.folder() / "faults").string(),
            kCrashPointsVariable + ("=" + (daemon.folder() / "points").string())};
  }

  FaultOrders* orders_ = nullptr;
  std::optional<CrashPointTable> points_;
};

void award(Player& player) {
  REQUIRE(player.arena().send<echo::Award>([](echo::Award::Builder) {}) == Sent::ok);
}

void say_and_hear(Player& player, int times) {
  for (int i = 0; i < times; ++i) player.say();
  CHECK(player.hears_all());
  CHECK(player.complaint() == "");
}

bool is_up_to_date(Daemon& daemon, const std::string& arena) {
  const uint64_t frame = daemon.arena(arena).frame;
  return daemon.becomes(arena, [&](const ArenaFacts& facts) { return facts.durable_frame >= frame; });
}

void check_results(Daemon& daemon, const std::string& arena, size_t count) {
  CHECK(eventually([&] { return daemon.results(arena).size() >= count; }));
  const auto results = daemon.results(arena);
  CHECK(results.size() == count);
  uint64_t sequence = 0;
  for (const StoredResult& result : results) CHECK(result.sequence == ++sequence);
}

// The whole machine's processes die, and the arena goes on from its last checkpoint.
void check_comes_back(FaultyDaemon& faulty, size_t results) {
  REQUIRE(is_up_to_date(faulty.daemon, "duel"));
  const uint64_t durable = faulty.daemon.arena("duel").durable_frame;
  faulty.daemon.crash();
  faulty.start();
  CHECK(faulty.daemon.becomes("duel",
                              [&](const ArenaFacts& facts) { return facts.state == "running" && facts.frame >= durable; }));
  check_results(faulty.daemon, "duel", results);
}

}  // namespace

TEST_CASE("the preloaded disk is arenad's alone, and counts") {
  FaultyDaemon faulty;
  faulty.daemon.start_arena("duel", {{"hz", "50"}});
  REQUIRE(is_up_to_date(faulty.daemon, "duel"));
  CHECK(faulty.disk().count(Call::sync, FileKind::wal) > 0);
  const pid_t worker = faulty.daemon.arena("duel").pid;
  CHECK(read_file("/proc/" + std::to_string(faulty.daemon.pid()) + "/maps").find("faulty_vfs") != std::string::npos);
  CHECK(read_file("/proc/" + std::to_string(worker) + "/maps").find("faulty_vfs") == std::string::npos);
}

TEST_CASE("while the disk fails the game goes on, and when it is well again nothing is missing") {
  struct Way {
    std::string name;
    Fault fault;
  };
  constexpr auto kLasts = Lasting::until_healed;
  const Way ways[] = {
      {"locked by another", {.calls = bit(Call::lock), .lasting = kLasts}},
      {"I/O error until healed", {.lasting = kLasts}},
      {"failed syncs", {.calls = bit(Call::sync), .lasting = kLasts}},
      {"full", {.calls = bit(Call::write), .lasting = kLasts, .code = SQLITE_FULL}},
      {"done, but failed", {.calls = kChangingCalls, .effect = Effect::done, .lasting = kLasts}},
  };
  for (const Way& way : ways) {
    CAPTURE(way.name);
    FaultyDaemon faulty;
    Daemon& daemon = faulty.daemon;
    daemon.start_arena("duel", {{"hz", "50"}});
    Player ann(daemon.socket(), "duel", "ann");
    say_and_hear(ann, 5);
    award(ann);
    check_results(daemon, "duel", 1);
    REQUIRE(is_up_to_date(daemon, "duel"));

    faulty.disk().arm(way.fault);
    award(ann);
    CHECK(eventually([&] {
      ann.say();
      return ann.hears_all() && daemon.facts().store_error != "";
    }));
    CHECK(daemon.knows("duel"));
    const uint64_t lag = daemon.facts().checkpoint_lag_ms;
    CHECK(eventually([&] { return daemon.facts().checkpoint_lag_ms > lag + 100; }));
    CHECK(eventually([&] { return daemon.facts().checkpoint_alarm; }));
    CHECK(daemon.has_logged("have not reached the database"));
    const uint64_t frame = daemon.arena("duel").frame;
    CHECK(daemon.runs_again("duel", daemon.kill_worker("duel")));
    CHECK(daemon.arena("duel").frame >= frame);
    say_and_hear(ann, 5);
    award(ann);
    say_and_hear(ann, 5);
    CHECK(faulty.disk().fired() > 0);

    faulty.disk().heal();
    CHECK(eventually([&] { return daemon.facts().store_error == ""; }));
    CHECK(is_up_to_date(daemon, "duel"));
    CHECK(eventually([&] {
      const DaemonFacts facts = daemon.facts();
      return !facts.checkpoint_alarm && facts.checkpoint_lag_ms < 100;
    }));
    CHECK(daemon.has_logged("checkpoints reach the database in time again"));
    check_results(daemon, "duel", 3);
    CHECK(daemon.facts().notices.empty());
    say_and_hear(ann, 1);
    check_comes_back(faulty, 3);
  }
}

// What cannot be read at the moment may be there: no arena begins anew because of it.
TEST_CASE("an arenad that cannot read what its arenas begin with asks again, and in the end tells an operator") {
  FaultyDaemon faulty;
  Daemon& daemon = faulty.daemon;
  // More than SQLite keeps in memory when it has opened a database.
  constexpr int kArenas = 40;
  std::map<std::string, uint64_t> durable;
  for (int i = 0; i < kArenas; ++i) durable[daemon.start_arena("duel-" + std::to_string(i), {{"hz", "10"}, {"grow", "60000"}})];
  const auto come_back_with = [&](const Fault& fault) {
    for (auto& [arena, frame] : durable) {
      REQUIRE(daemon.becomes(arena, [](const ArenaFacts& facts) { return facts.durable_frame > 5; }));
      frame = daemon.arena(arena).durable_frame;
    }
    daemon.crash();
    faulty.start_with(fault);
  };
  const auto run_on = [&] {
    for (const auto& [arena, frame] : durable) {
      CHECK(daemon.becomes(arena, [&](const ArenaFacts& facts) { return facts.state == "running" && facts.frame >= frame; }));
    }
  };

  for (const uint64_t nth : {1, 2, 10}) {
    CAPTURE(nth);
    come_back_with({.calls = bit(Call::read), .nth = nth});
    CHECK(faulty.disk().fired() == 1);
    run_on();
  }

  // For longer than arenad asks.
  come_back_with({.calls = bit(Call::read), .lasting = Lasting::until_healed});
  CHECK(faulty.disk().fired() > 10);
  std::vector<std::string> failed;
  for (const auto& [arena, frame] : durable) {
    const ArenaFacts facts = daemon.arena(arena);
    if (facts.state != "failed") continue;
    failed.push_back(arena);
    CHECK(facts.reason.find("its checkpoints cannot be read: ") == 0);
  }
  MESSAGE(failed.size(), " arenas are told of");
  CHECK(failed.size() > 0);
  faulty.disk().heal();
  for (const std::string& arena : failed) CHECK(daemon.restart(arena).ok());
  run_on();
  CHECK(daemon.log().find("begins anew") == std::string::npos);
}

TEST_CASE("a disk that takes longer to tell of the arenas than their workers are waited for ends none of them") {
  FaultyDaemon faulty;
  Daemon& daemon = faulty.daemon;
  // More than SQLite keeps in memory when it has opened a database.
  constexpr int kArenas = 40;
  std::map<std::string, pid_t> workers;
  for (int i = 0; i < kArenas; ++i) {
    const std::string arena = daemon.start_arena("duel-" + std::to_string(i), {{"hz", "10"}, {"grow", "60000"}});
    REQUIRE(daemon.becomes(arena, [](const ArenaFacts& facts) { return facts.durable_frame > 5; }));
    workers[arena] = daemon.arena(arena).pid;
  }
  daemon.kill_arenad();
  const uint64_t began_ns = monotonic_ns();
  // 15 pages of each.
  faulty.start_with({.calls = bit(Call::read), .effect = Effect::delayed, .lasting = Lasting::until_healed, .delay_ms = 10});
  CHECK(monotonic_ns() - began_ns > 3 * kSecond);  // adoption_timeout_ms is 2000
  faulty.disk().heal();
  for (const auto& [arena, worker] : workers) {
    CHECK(daemon.arena(arena).pid == worker);
    CHECK(daemon.arena(arena).epoch == 1);
  }
}

TEST_CASE("a frame that waits for the disk goes on under the next arenad, in the same worker") {
  FaultyDaemon faulty;
  Daemon& daemon = faulty.daemon;
  daemon.start_arena("duel", {{"hz", "50"}});
  Player ann(daemon.socket(), "duel", "ann");
  say_and_hear(ann, 5);
  REQUIRE(is_up_to_date(daemon, "duel"));
  const pid_t worker = daemon.arena("duel").pid;
  faulty.disk().arm({.calls = bit(Call::lock), .lasting = Lasting::until_healed});
  size_t awards = 0;
  uint64_t stood_at = 0;
  // Until no more results fit, and the frame waits for those that are there to be stored.
  REQUIRE(eventually([&] {
    for (int i = 0; i < 200; ++i) {
      if (ann.arena().send<echo::Award>([](echo::Award::Builder) {}) == Sent::ok) ++awards;
    }
    ::usleep(200'000);
    return daemon.arena("duel").frame == std::exchange(stood_at, daemon.arena("duel").frame);
  }));
  // He comes while it waits, and the next arenad must know of him.
  Player bob(daemon.socket(), "duel", "bob");
  daemon.kill_arenad();
  faulty.disk().heal();
  faulty.start();
  CHECK(
      daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.state == "running" && facts.frame > stood_at + 10; }));
  check_results(daemon, "duel", awards);
  say_and_hear(ann, 5);
  say_and_hear(bob, 5);
  CHECK(daemon.arena("duel").pid == worker);
  CHECK(daemon.arena("duel").epoch == 1);
  REQUIRE(daemon.runs_again("duel", daemon.kill_worker("duel")));
  say_and_hear(ann, 5);
  say_and_hear(bob, 5);
  CHECK(bob.ask().joins == 2);
}

// They are older than every snapshot that its successors begin with.
TEST_CASE("results that wait for a sick disk outlive their worker, its successor and arenad") {
  FaultyDaemon faulty;
  Daemon& daemon = faulty.daemon;
  daemon.start_arena("duel", {{"hz", "50"}});
  Player ann(daemon.socket(), "duel", "ann");
  award(ann);
  check_results(daemon, "duel", 1);
  REQUIRE(is_up_to_date(daemon, "duel"));

  faulty.disk().arm({.calls = bit(Call::lock), .lasting = Lasting::until_healed});
  for (int i = 0; i < 3; ++i) award(ann);
  say_and_hear(ann, 1);
  for (int death = 0; death < 2; ++death) {
    const uint64_t frame = daemon.arena("duel").frame;
    REQUIRE(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.snapshot_frame > frame + 5; }));
    CHECK(daemon.runs_again("duel", daemon.kill_worker("duel")));
  }
  daemon.kill_arenad();
  faulty.disk().heal();
  faulty.start();
  check_results(daemon, "duel", 4);
  award(ann);
  say_and_hear(ann, 5);
  check_results(daemon, "duel", 5);
}

TEST_CASE("a single error is made up for by the next try") {
  for (const Effect effect : {Effect::refused, Effect::done}) {
    FaultyDaemon faulty;
    Daemon& daemon = faulty.daemon;
    daemon.start_arena("duel", {{"hz", "50"}});
    Player ann(daemon.socket(), "duel", "ann");
    size_t awards = 0;
    for (const uint32_t call : {bit(Call::write), bit(Call::sync)}) {
      faulty.disk().arm({.calls = call, .effect = effect});
      award(ann);
      say_and_hear(ann, 5);
      CHECK(eventually([&] { return faulty.disk().fired() == 1; }));
      check_results(daemon, "duel", ++awards);
      CHECK(is_up_to_date(daemon, "duel"));
    }
    CHECK(daemon.facts().notices.empty());
    check_comes_back(faulty, awards);
  }
}

TEST_CASE("a slow disk makes checkpoints rarer, and no frame late") {
  FaultyDaemon faulty;
  Daemon& daemon = faulty.daemon;
  daemon.start_arena("duel", {{"hz", "50"}});
  Player ann(daemon.socket(), "duel", "ann");
  say_and_hear(ann, 5);
  faulty.disk().arm({.calls = bit(Call::sync),
                     .files = bit(FileKind::wal),
                     .effect = Effect::delayed,
                     .lasting = Lasting::until_healed,
                     .delay_ms = 300});
  // Far more is said and heard while few commits are done.
  const uint64_t fired = faulty.disk().fired();
  uint64_t heard = 0;
  CHECK(eventually([&] {
    say_and_hear(ann, 1);
    ++heard;
    return faulty.disk().fired() >= fired + 4;
  }));
  CHECK(heard > 12);  // a player who waited for each commit would hear one number in each
  CHECK(eventually([&] { return daemon.facts().checkpoint_lag_ms > 100; }));
  CHECK(daemon.facts().store_error == "");
  CHECK(is_up_to_date(daemon, "duel"));
  CHECK(daemon.runs_again("duel", daemon.kill_worker("duel")));
  say_and_hear(ann, 5);
  faulty.disk().heal();
  CHECK(eventually([&] { return daemon.facts().checkpoint_lag_ms < 100; }));
  check_comes_back(faulty, 0);
}

TEST_CASE("the database is damaged, replaced or deleted under a running arenad: the arenas are written anew") {
  enum class What { deleted, replaced, damaged };
  for (const What what : {What::deleted, What::replaced, What::damaged}) {
    CAPTURE(static_cast<int>(what));
    Daemon daemon(kConfig);
    daemon.start();
    daemon.start_arena("duel", {{"hz", "50"}});
    Player ann(daemon.socket(), "duel", "ann");
    say_and_hear(ann, 5);
    REQUIRE(is_up_to_date(daemon, "duel"));
    const auto database = daemon.folder() / "state" / "arenad.db";
    switch (what) {
      case What::deleted:
        std::filesystem::remove(database);
        break;
      case What::replaced:
        write_file(daemon.folder() / "other",
                   "nothing that SQLite knows, and longer than the header of a database would have to be, "
                   "which has a hundred bytes\n");
        std::filesystem::rename(daemon.folder() / "other", database);
        break;
      case What::damaged:
        // What of it is in use stands in the -wal and in memory: seen when it is opened again.
        write_file(database, std::string(64 * 1024, 'x'));
        break;
    }
    say_and_hear(ann, 5);
    if (what != What::damaged) {
      CHECK(eventually([&] { return !daemon.facts().notices.empty(); }));
    }
    CHECK(is_up_to_date(daemon, "duel"));
    const uint64_t durable = daemon.arena("duel").durable_frame;
    say_and_hear(ann, 5);
    // What SQLite has in memory it does not read again: found out at the next start.
    if (what == What::damaged) continue;
    CHECK(is_up_to_date(daemon, "duel"));
    daemon.crash();
    daemon.start();
    REQUIRE(daemon.knows("duel"));
    CHECK(daemon.becomes("duel", [&](const ArenaFacts& facts) { return facts.state == "running" && facts.frame >= durable; }));
  }
}
