// When ticks are due: in phase, a few late ones caught up, many given up.
#include "worker/tick_schedule.h"

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using arenad::TickSchedule;
using arenad::test::Random;
using arenad::test::test_seed;

constexpr uint64_t kPeriod = 50'000'000;
constexpr uint64_t kFirst = 1'000'000'007;
constexpr uint64_t kMost = TickSchedule::kMaxCatchUp * kPeriod;

}  // namespace

TEST_CASE("tick schedule: due at its time and not before") {
  const TickSchedule ticks(kPeriod, kFirst);
  CHECK(ticks.period_ns() == kPeriod);
  CHECK(ticks.due_ns() == kFirst);
  CHECK_FALSE(ticks.is_due(0));
  CHECK_FALSE(ticks.is_due(kFirst - 1));
  CHECK(ticks.is_due(kFirst));
  CHECK(ticks.is_due(UINT64_MAX));
}

TEST_CASE("tick schedule: in time, each is a period after the last") {
  TickSchedule ticks(kPeriod, kFirst);
  for (uint64_t i = 0; i < 1000; ++i) {
    CHECK(ticks.begin(kFirst + i * kPeriod) == 0);
    CHECK(ticks.due_ns() == kFirst + (i + 1) * kPeriod);
  }
}

TEST_CASE("tick schedule: begun early, it is not late and keeps its phase") {
  TickSchedule ticks(kPeriod, kFirst);
  CHECK(ticks.begin(kFirst - 1000) == 0);
  CHECK(ticks.due_ns() == kFirst + kPeriod);
}

TEST_CASE("tick schedule: late, the next one is where it would have been") {
  for (const uint64_t late : {uint64_t{1}, kPeriod - 1, kPeriod, kPeriod + 1, 3 * kPeriod, kMost - 1, kMost}) {
    TickSchedule ticks(kPeriod, kFirst);
    CHECK(ticks.begin(kFirst + late) == late);
    CHECK(ticks.due_ns() == kFirst + kPeriod);
  }
}

TEST_CASE("tick schedule: a few missed ticks are made good one after the other") {
  TickSchedule ticks(kPeriod, kFirst);
  const uint64_t now = kFirst + kMost;
  uint64_t begun = 0;
  while (ticks.is_due(now)) {
    CHECK(ticks.begin(now) == kMost - begun * kPeriod);
    ++begun;
  }
  CHECK(begun == TickSchedule::kMaxCatchUp + 1);
  CHECK(ticks.due_ns() == now + kPeriod);
}

TEST_CASE("tick schedule: too many missed are given up, and the phase begins anew") {
  for (const uint64_t late : {kMost + 1, 100 * kMost, uint64_t{3600} * 1'000'000'000}) {
    TickSchedule ticks(kPeriod, kFirst);
    const uint64_t now = kFirst + late;
    CHECK(ticks.begin(now) == late);
    CHECK(ticks.due_ns() == now + kPeriod);
    CHECK_FALSE(ticks.is_due(now));
  }
}

TEST_CASE("tick schedule: the shortest period") {
  TickSchedule ticks(1, 0);
  CHECK(ticks.begin(0) == 0);
  CHECK(ticks.due_ns() == 1);
  CHECK(ticks.begin(1 + TickSchedule::kMaxCatchUp) == TickSchedule::kMaxCatchUp);
  CHECK(ticks.due_ns() == 2);
}

TEST_CASE("tick schedule: whatever the delays, never more than the allowed number of ticks at once and none lost in between") {
  Random random(test_seed());
  TickSchedule ticks(kPeriod, kFirst);
  uint64_t now = kFirst;
  for (int i = 0; i < 10'000; ++i) {
    now += random.one_in(50) ? random.below(20 * kPeriod) : random.below(2 * kPeriod);
    const bool given_up = now > ticks.due_ns() + kMost;
    const uint64_t missed = ticks.is_due(now) ? (now - ticks.due_ns()) / kPeriod + 1 : 0;
    uint64_t begun = 0;
    for (; ticks.is_due(now); ++begun) (void)ticks.begin(now);
    REQUIRE(begun == (given_up ? 1 : missed));
    REQUIRE(ticks.due_ns() > now);
    REQUIRE(ticks.due_ns() <= now + kPeriod);
  }
}
