// The sums behind the metrics never go back, whatever workers do.
#include "supervisor/metrics_ledger.h"

#include <doctest/doctest.h>

using namespace arenad;
using Past = MetricsLedger::Past;

namespace {

const ArenaId kDuel{1, 1};
const ArenaId kOther{1, 2};

Tallies counted(uint64_t frames, uint64_t events) {
  Tallies now;
  now[Tally::frames] = frames;
  now[Tally::events] = events;
  return now;
}

struct Bench {
  MetricsLedger ledger;
  void look(uint64_t epoch, uint64_t frames, uint64_t events, ArenaId arena = kDuel) {
    ledger.observe(arena, "tanks", {epoch}, counted(frames, events));
  }
  void begins(uint64_t epoch, uint64_t frames, uint64_t events, Past past, ArenaId arena = kDuel) {
    ledger.begun(arena, "tanks", {epoch}, counted(frames, events), past);
  }
  uint64_t frames(ArenaId arena = kDuel) const { return ledger.of(arena).tallies[Tally::frames]; }
  uint64_t events(ArenaId arena = kDuel) const { return ledger.of(arena).tallies[Tally::events]; }
  uint64_t game(Tally tally) const { return ledger.games().at("tanks").tallies[tally]; }
};

}  // namespace

TEST_CASE("ledger: a new arena is counted from its first frame") {
  Bench bench;
  bench.begins(1, 3, 2, Past::none);
  CHECK(bench.frames() == 3);
  CHECK(bench.events() == 2);
  bench.look(1, 10, 5);
  bench.look(1, 10, 5);
  CHECK(bench.frames() == 10);
  CHECK(bench.events() == 5);
  CHECK(bench.game(Tally::frames) == 10);
}

TEST_CASE("ledger: what came under an earlier arenad is not counted again") {
  Bench bench;
  bench.look(7, 1000, 500);
  CHECK(bench.frames() == 0);
  CHECK(bench.events() == 0);
  bench.look(7, 1010, 501);
  CHECK(bench.frames() == 10);
  CHECK(bench.events() == 1);
}

TEST_CASE("ledger: a recovery adds what its incarnation does, and no event twice") {
  Bench bench;
  bench.begins(1, 0, 0, Past::none);
  bench.look(1, 100, 50);
  SUBCASE("its snapshot was older than what is seen: the replay counts up to it again") {
    bench.begins(2, 0, 40, Past::earlier_incarnations);
    CHECK(bench.events() == 50);
    bench.look(2, 1, 50);
    CHECK(bench.events() == 50);
    bench.look(2, 5, 53);
    CHECK(bench.events() == 53);
    CHECK(bench.frames() == 105);
  }
  SUBCASE("it was taken up after more had come than was seen") {
    bench.begins(2, 1, 60, Past::earlier_incarnations);
    CHECK(bench.events() == 60);
    CHECK(bench.frames() == 101);
  }
  SUBCASE("an operator has begun it anew from nothing") {
    bench.begins(2, 2, 1, Past::none);
    CHECK(bench.events() == 51);
    CHECK(bench.frames() == 102);
  }
}

TEST_CASE("ledger: an arena that goes on from a checkpoint of an earlier arenad begins at 0") {
  Bench bench;
  SUBCASE("at once") {}
  SUBCASE("after a worker that did not come so far") {
    bench.ledger.died(kDuel, "tanks", "crash", "SIGSEGV");
  }
  bench.begins(9, 4, 700, Past::earlier_incarnations);
  CHECK(bench.events() == 0);
  CHECK(bench.frames() == 4);
  bench.look(9, 6, 702);
  CHECK(bench.events() == 2);
}

TEST_CASE("ledger: a game's sums outlive its arenas") {
  Bench bench;
  bench.begins(1, 10, 1, Past::none);
  bench.begins(1, 20, 2, Past::none, kOther);
  CHECK(bench.game(Tally::frames) == 30);
  bench.ledger.forget_all_but([](ArenaId id) { return id == kOther; });
  CHECK(bench.game(Tally::frames) == 30);
  CHECK(bench.frames() == 0);
  CHECK(bench.frames(kOther) == 20);
}

TEST_CASE("ledger: numbers that cannot be true change nothing, and nothing after them either") {
  Bench bench;
  bench.begins(1, 10, 1, Past::none);
  SUBCASE("a leap") {
    bench.look(1, UINT64_MAX, 1);
    CHECK(bench.frames() == 10);
    bench.look(1, 12, 1);
    CHECK(bench.frames() == 10);
  }
  SUBCASE("back, and on") {
    bench.look(1, 5, 1);
    CHECK(bench.frames() == 10);
    bench.look(1, 11, 1);
    CHECK(bench.frames() == 11);
  }
  bench.begins(2, 3, 1, Past::earlier_incarnations);
  CHECK(bench.game(Tally::frames) >= 13);
}

TEST_CASE("ledger: deaths by kind, and by signature within a bound") {
  MetricsLedger ledger;
  for (size_t i = 0; i < MetricsLedger::kMaxSignatures; ++i) ledger.died(kDuel, "tanks", "crash", "at " + std::to_string(i));
  ledger.died(kDuel, "tanks", "crash", "one too many");
  ledger.died(kOther, "tanks", "hang", "at 3");
  const GameTotals& tanks = ledger.games().at("tanks");
  CHECK(tanks.signatures.size() == MetricsLedger::kMaxSignatures + 1);
  CHECK(tanks.signatures.find("at 3")->second == 2);
  CHECK(tanks.signatures.find(MetricsLedger::kOtherSignature)->second == 1);
  CHECK(tanks.deaths.find("crash")->second == MetricsLedger::kMaxSignatures + 1);
  CHECK(tanks.deaths.find("hang")->second == 1);
  CHECK(ledger.of(kOther).deaths == 1);
}

TEST_CASE("ledger: recoveries by rung, with the time that they took if it is known") {
  MetricsLedger ledger;
  ledger.recovered(
      kDuel, "tanks", Rung::newest_slot,
      RecoveryTimes{.start_ns = 300'000, .parts = RecoveryTimes::Parts{700'000, 1'000'000}, .total_ns = 2'000'000});
  ledger.recovered(kDuel, "tanks", Rung::checkpoint, std::nullopt);
  ledger.detected("tanks", 60'000);
  const GameTotals& tanks = ledger.games().at("tanks");
  CHECK(tanks.recoveries.at(static_cast<uint32_t>(Rung::newest_slot)) == 1);
  CHECK(tanks.recoveries.at(static_cast<uint32_t>(Rung::checkpoint)) == 1);
  CHECK(tanks.recovery_time.sum_ns() == 2'000'000);
  CHECK(tanks.recovery_time.bucket(time_bucket(2'000'000)) == 1);
  CHECK(tanks.start_time.sum_ns() == 300'000);
  CHECK(tanks.load_time.sum_ns() == 700'000);
  CHECK(tanks.replay_time.sum_ns() == 1'000'000);
  CHECK(tanks.detection_time.sum_ns() == 60'000);
  // Of a worker that does not say when it had loaded its state.
  ledger.recovered(kDuel, "tanks", Rung::newest_slot, RecoveryTimes{.start_ns = 100, .parts = {}, .total_ns = 500});
  CHECK(tanks.start_time.sum_ns() == 300'100);
  CHECK(tanks.load_time.sum_ns() == 700'000);
  CHECK(ledger.of(kDuel).recoveries == 3);
}

TEST_CASE("time buckets: a bound belongs to its own bucket") {
  CHECK(time_bucket(0) == 0);
  // Every power of two, and what lies beside it.
  for (unsigned bits = 0; bits < 64; ++bits) {
    for (const uint64_t ns : {(uint64_t{1} << bits) - 1, uint64_t{1} << bits, (uint64_t{1} << bits) + 1}) {
      size_t expected = 0;
      while (expected < kTimeBoundsNs.size() && kTimeBoundsNs[expected] < ns) ++expected;
      CHECK(time_bucket(ns) == expected);
    }
  }
  for (size_t i = 0; i < kTimeBoundsNs.size(); ++i) {
    CHECK(time_bucket(kTimeBoundsNs[i]) == i);
    CHECK(time_bucket(kTimeBoundsNs[i] + 1) == i + 1);
  }
  CHECK(time_bucket(UINT64_MAX) == kTimeBuckets - 1);
}
