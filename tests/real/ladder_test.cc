// The recovery ladder on real processes: a worker is stopped, what its successor would begin with is damaged in its memory, and it is
// killed. The next rung is taken, arenactl and the log name it, and the outputs go on as if nothing had been.
#include <algorithm>
#include <csignal>
#include <functional>

#include <doctest/doctest.h>

#include "chaos/rig/ledger_player.h"
#include "chaos/rig/worker_memory.h"
#include "tests/real/daemon.h"
#include "tests/support/seed.h"
#include "tests/support/why_not.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kManyRestarts =
    "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n";
constexpr const char* kCheckpoints = "[checkpoint]\ninterval_ms = 10\n";
constexpr const char* kNoCheckpoints = "[checkpoint]\ninterval_ms = 600000\n";

// Snapshots that are some frames apart.
std::string ledger_section() {
  return game_section("ledger", module_path("ledger"), "snapshot_interval_ms = 15\n");
}

// A match of one player that is damaged again and again.
class Match {
 public:
  Match(Daemon& daemon, std::string name) : daemon_(daemon), name_(std::move(name)), ann_(daemon.socket(), "ann") {
    id_ = *ArenaId::parse(daemon.start_arena(name_, {}, "ledger"));
    const auto attached = ann_.attach(id_);
    REQUIRE_MESSAGE(attached.ok(), why_not(attached));
  }

  void play(int entries) {
    for (int i = 0; i < entries; ++i) {
      REQUIRE(hears([&] { return ann_.say(); }));
      REQUIRE(hears([&] { return ann_.hears_all(); }));
    }
  }
  template <class Condition>
  bool hears(Condition&& holds) {
    return eventually([&] {
      ann_.listen();
      return holds() || !ann_.gone().empty();
    });
  }
  // Stops the worker with two snapshots, and behind the newer one frames that must be run again.
  pid_t stop_worker() {
    const ArenaFacts facts = daemon_.arena(name_);
    const pid_t worker = facts.pid;
    REQUIRE(worker > 0);
    epoch_ = facts.epoch;
    for (;;) {
      play(3);
      ::kill(worker, SIGSTOP);
      REQUIRE(eventually([&] { return is_stopped(worker); }));
      const WorkerMemory memory(worker);
      const auto newest = memory.frame_of(memory.newest());
      const auto older = memory.frame_of(memory.older());
      if (newest && older && *older != 0 && *older < *newest && *newest < memory.frame_decided()) return worker;
      ::kill(worker, SIGCONT);
    }
  }
  static void kill_worker(pid_t worker) { ::kill(worker, SIGKILL); }
  // It goes on from this rung, and nothing is missing.
  void goes_on_from(const std::string& rung) {
    REQUIRE(is_decided());
    const ArenaFacts facts = daemon_.arena(name_);
    CAPTURE(facts.reason);
    REQUIRE(facts.state == "running");
    CHECK(facts.rung == rung);
    CHECK(facts.divergences == 0);
    play(5);
    CHECK(ann_.complaint() == "");
    CHECK(ann_.gone() == "");
    CHECK(daemon_.arena(name_).events == ann_.said());
  }
  void is_lost() {
    REQUIRE(is_decided());
    CHECK(daemon_.arena(name_).state == "lost");
    CHECK(daemon_.arena(name_).reason != "");
    REQUIRE(hears([&] { return false; }));
    // Told by the next arenad, it is that the place is lost, with the arena.
    CHECK(ann_.gone().find("lost") != std::string::npos);
    CHECK(ann_.complaint() == "");  // up to here
  }
  [[nodiscard]] bool is_durable() {
    return daemon_.becomes(name_, [](const ArenaFacts& facts) { return facts.durable_frame > 0; });
  }
  LedgerPlayer& ann() { return ann_; }

 private:
  // Another incarnation runs, or none will.
  bool is_decided() {
    return daemon_.becomes(name_, [&](const ArenaFacts& facts) {
      return facts.state == "lost" || facts.state == "failed" || (facts.epoch > epoch_ && facts.state == "running");
    });
  }
  static bool is_stopped(pid_t pid) {
    const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    const size_t end = stat.rfind(')');
    return end != std::string::npos && stat[end + 2] == 'T';
  }

  Daemon& daemon_;
  std::string name_;
  ArenaId id_;
  LedgerPlayer ann_;
  uint64_t epoch_ = 0;
};

// Which bytes of a snapshot belong together.
struct Parts {
  uint64_t channels = 0;  // offsets from the snapshot's begin
  uint64_t state = 0;
  uint64_t end = 0;
};

Parts parts_of(const WorkerMemory& memory, int slot) {
  const SnapshotHeader header = memory.header(slot);
  return {sizeof(SnapshotHeader), header.total_bytes - header.state_words * 8, header.total_bytes};
}

void flip_in(const WorkerMemory& memory, int slot, uint64_t begin, uint64_t end, Random& random) {
  REQUIRE(begin < end);
  memory.flip(memory.snapshot(slot) + begin + random.below(end - begin), static_cast<unsigned>(random.below(8)));
}

}  // namespace

TEST_CASE("ladder: a flipped bit anywhere in the newest slot: the older one is taken") {
  Daemon daemon(std::string(kManyRestarts) + kNoCheckpoints + ledger_section());
  daemon.start();
  Match match(daemon, "duel");
  Random random(test_seed());
  const auto damaged = [&](auto&& where) {
    const pid_t worker = match.stop_worker();
    const WorkerMemory memory(worker);
    where(memory, memory.newest());
    match.kill_worker(worker);
    match.goes_on_from("older slot");
  };
  // Each word of the header, the checksum among them.
  for (uint64_t at = 0; at < sizeof(SnapshotHeader); at += 8) {
    damaged([&](const WorkerMemory& memory, int slot) { flip_in(memory, slot, at, at + 8, random); });
  }
  for (int i = 0; i < 4; ++i) {
    damaged([&](const WorkerMemory& memory, int slot) {
      const Parts parts = parts_of(memory, slot);
      flip_in(memory, slot, parts.channels, parts.state, random);
    });
    damaged([&](const WorkerMemory& memory, int slot) {
      const Parts parts = parts_of(memory, slot);
      flip_in(memory, slot, parts.state, parts.end, random);
    });
  }
  CHECK(daemon.has_logged("a snapshot cannot be used"));
  CHECK(daemon.has_logged("from the older slot"));
  CHECK(daemon.arenactl({"status", "duel"}).out.find("older slot") != std::string::npos);
}

TEST_CASE("ladder: the newest slot is torn, shortened, another arena's, or stale") {
  Daemon daemon(std::string(kManyRestarts) + kNoCheckpoints + ledger_section());
  daemon.start();
  Match match(daemon, "duel");
  Match other(daemon, "other");
  std::string rung = "older slot";
  const pid_t worker = match.stop_worker();
  const WorkerMemory memory(worker);
  const int newest = memory.newest();
  const uint64_t at = memory.snapshot(newest);
  const uint64_t room = memory.slot_bytes() - sizeof(SlotHeader);
  const auto older = memory.read(memory.slot(memory.older()), memory.slot_bytes());
  const auto length = [&](uint64_t bytes) { memory.put(at + offsetof(SnapshotHeader, total_bytes), bytes); };
  SUBCASE("no length") {
    length(0);
  }
  SUBCASE("half of its length") {
    length(memory.header(newest).total_bytes / 16 * 8);
  }
  SUBCASE("longer than its slot") {
    length(room + 8);
  }
  SUBCASE("an endless length") {
    length(UINT64_MAX - 7);
  }
  SUBCASE("more state than there is") {
    memory.put(at + offsetof(SnapshotHeader, state_words), UINT64_MAX / 8);
  }
  SUBCASE("more channels than there can be") {
    memory.put(at + offsetof(SnapshotHeader, cursor_count), UINT32_MAX);
  }
  SUBCASE("nothing but zeros") {
    memory.write(at, std::vector<std::byte>(room));
  }
  SUBCASE("torn: the older one's first half") {
    const uint64_t half = memory.header(newest).total_bytes / 2;
    memory.write(at, std::span(older).subspan(sizeof(SlotHeader), half));
  }
  SUBCASE("torn: the older one's second half") {
    const uint64_t total = memory.header(newest).total_bytes;
    memory.write(at + total / 2, std::span(older).subspan(sizeof(SlotHeader) + total / 2, total - total / 2));
  }
  SUBCASE("stale: the older snapshot under the newer one's number") {
    memory.write(at, std::span(older).subspan(sizeof(SlotHeader)));
  }
  SUBCASE("stale: the older slot as it was") {
    // It says by itself that it is older, and is whole: nothing tells that another was here, and nothing needs to.
    memory.write(memory.slot(newest), older);
    rung = "newest slot";
  }
  SUBCASE("being written") {
    memory.put(memory.slot(newest), uint64_t{0});
    rung = "newest slot";
  }
  SUBCASE("a number that is far ahead") {
    memory.put(memory.slot(newest), uint64_t{1} << 60);
  }
  SUBCASE("another arena's, whole, with its number") {
    const pid_t stranger = other.stop_worker();
    const WorkerMemory from(stranger);
    memory.write(memory.slot(newest), from.read(from.slot(from.newest()), from.slot_bytes()));
    // As if it were newer than anything here.
    memory.put(memory.slot(newest), uint64_t{1'000'000});
    ::kill(stranger, SIGCONT);
  }
  match.kill_worker(worker);
  match.goes_on_from(rung);
  other.play(3);
  CHECK(other.ann().complaint() == "");
}

TEST_CASE("ladder: whatever becomes of the older slot, the newest one is taken") {
  Daemon daemon(std::string(kManyRestarts) + kNoCheckpoints + ledger_section());
  daemon.start();
  Match match(daemon, "duel");
  Random random(test_seed());
  for (int i = 0; i < 5; ++i) {
    const pid_t worker = match.stop_worker();
    const WorkerMemory memory(worker);
    flip_in(memory, memory.older(), 0, parts_of(memory, memory.older()).end, random);
    match.kill_worker(worker);
    // A damaged slot may have held anything: that the other one is the newest cannot be known any more.
    match.goes_on_from("older slot");
  }
}

TEST_CASE("ladder: both slots are damaged: the checkpoint is taken, and more frames are run again") {
  Daemon daemon(std::string(kManyRestarts) + kCheckpoints + ledger_section(), Daemon::Parent::keeper);
  daemon.start();
  Match match(daemon, "duel");
  Random random(test_seed());
  for (int i = 0; i < 3; ++i) {
    match.play(3);
    REQUIRE(match.is_durable());
    const pid_t worker = match.stop_worker();
    const WorkerMemory memory(worker);
    for (const int slot : {0, 1}) flip_in(memory, slot, 0, parts_of(memory, slot).end, random);
    match.kill_worker(worker);
    match.goes_on_from("checkpoint");
  }
  CHECK(daemon.has_logged("from the checkpoint"));
  CHECK(daemon.arenactl({"status", "duel"}).out.find("checkpoint") != std::string::npos);
}

TEST_CASE("ladder: slots are damaged, and arenad dies with the worker") {
  std::string checkpoints;
  std::string rung;
  SUBCASE("the newest alone") {
    // A checkpoint of it would do as well, and what lies before that is not kept.
    checkpoints = kNoCheckpoints;
    rung = "older slot";
  }
  SUBCASE("both") {
    checkpoints = kCheckpoints;
    rung = "checkpoint";
  }
  Daemon daemon(kManyRestarts + checkpoints + ledger_section(), Daemon::Parent::keeper);
  daemon.start();
  Match match(daemon, "duel");
  Random random(test_seed());
  if (checkpoints == kCheckpoints) REQUIRE(match.is_durable());
  const pid_t worker = match.stop_worker();
  const WorkerMemory memory(worker);
  flip_in(memory, memory.newest(), 0, parts_of(memory, memory.newest()).end, random);
  if (rung == "checkpoint") flip_in(memory, memory.older(), 0, parts_of(memory, memory.older()).end, random);
  daemon.crash();
  match.goes_on_from(rung);
}

TEST_CASE("ladder: with both slots damaged and no checkpoint the arena is lost, and nothing is made up") {
  Daemon daemon(std::string(kManyRestarts) + kNoCheckpoints + ledger_section(), Daemon::Parent::keeper);
  daemon.start();
  Match match(daemon, "duel");
  Match other(daemon, "other");
  Random random(test_seed());
  const pid_t worker = match.stop_worker();
  const WorkerMemory memory(worker);
  for (const int slot : {0, 1}) flip_in(memory, slot, 0, parts_of(memory, slot).end, random);
  SUBCASE("the worker dies") {
    match.kill_worker(worker);
  }
  SUBCASE("arenad dies with it") {
    daemon.crash();
  }
  match.is_lost();
  other.play(3);
  CHECK(other.ann().complaint() == "");
  CHECK(daemon.has_logged("it is lost"));
  CHECK(daemon.arenactl({"status", "--finished"}).out.find("lost") != std::string::npos);
}

TEST_CASE("ladder: a damaged record of a frame that the snapshot covers costs nothing") {
  Daemon daemon(std::string(kManyRestarts) + kNoCheckpoints + ledger_section());
  daemon.start();
  Match match(daemon, "duel");
  Random random(test_seed());
  for (int i = 0; i < 5; ++i) {
    const pid_t worker = match.stop_worker();
    const WorkerMemory memory(worker);
    const auto record = memory.record_of(*memory.frame_of(memory.older()));
    REQUIRE(record);
    // Behind its length, without which the records after it cannot be found.
    memory.flip(*record + offsetof(FrameRecord, frame) + random.below(sizeof(uint64_t) * 4),
                static_cast<unsigned>(random.below(8)));
    match.kill_worker(worker);
    match.goes_on_from("newest slot");
  }
}

TEST_CASE("ladder: a frame that must be run again and cannot be read: the arena is lost") {
  Daemon daemon(std::string(kManyRestarts) + kCheckpoints + ledger_section());
  daemon.start();
  Match match(daemon, "duel");
  Random random(test_seed());
  REQUIRE(match.is_durable());
  const pid_t worker = match.stop_worker();
  const WorkerMemory memory(worker);
  const auto last = memory.record_of(memory.frame_decided());
  const auto first = memory.record_of(*memory.frame_of(memory.newest()) + 1);
  REQUIRE(last);
  REQUIRE(first);
  SUBCASE("the first one: its length") {
    memory.put(*first, uint32_t{12});
  }
  SUBCASE("the first one: its content") {
    memory.flip(*first + offsetof(FrameRecord, seed), 3);
  }
  SUBCASE("the last one") {
    memory.flip(*last + sizeof(FrameRecord), 0);
  }
  SUBCASE("all of it, and both slots") {
    for (const int slot : {0, 1}) flip_in(memory, slot, 0, parts_of(memory, slot).end, random);
    memory.write(*first, std::vector<std::byte>(sizeof(FrameRecord)));
  }
  match.kill_worker(worker);
  match.is_lost();
}
