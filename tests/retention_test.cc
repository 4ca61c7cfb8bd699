// How long records are kept, and when a snapshot is due.
#include "worker/retention.h"

#include <doctest/doctest.h>

namespace {

using namespace arenad;

constexpr uint64_t kInterval = 1000;

void check_floor(const Floor& floor, uint64_t frame, Release release) {
  CHECK(floor.frame == FrameNumber{frame});
  CHECK(floor.release == release);
}

}  // namespace

TEST_CASE("retention: up to the newest durable checkpoint, as long as there is room") {
  check_floor(retention_floor({0}, {0}, {}), 0, Release::by_checkpoint);
  check_floor(retention_floor({0}, {7}, {}), 0, Release::by_checkpoint);
  check_floor(retention_floor({5}, {7}, {.kept = 0.25}), 5, Release::by_checkpoint);
  check_floor(retention_floor({5}, {7}, {.kept = 0.5}), 5, Release::by_checkpoint);
}

TEST_CASE("retention: more than half kept, the older slot is the limit") {
  check_floor(retention_floor({5}, {7}, {.kept = 0.500001}), 7, Release::early);
  check_floor(retention_floor({0}, {1}, {.kept = 1}), 1, Release::early);
  check_floor(retention_floor({UINT64_MAX - 1}, {UINT64_MAX}, {.kept = 1}), UINT64_MAX, Release::early);
}

TEST_CASE("retention: never behind what is durable, whatever the rings hold") {
  check_floor(retention_floor({7}, {7}, {.kept = 1}), 7, Release::by_checkpoint);
  check_floor(retention_floor({8}, {7}, {.kept = 1}), 8, Release::by_checkpoint);
  check_floor(retention_floor({8}, {0}, {.kept = 1}), 8, Release::by_checkpoint);  // one slot only
  check_floor(retention_floor({0}, {0}, {.kept = 1}), 0, Release::by_checkpoint);
}

TEST_CASE("retention: what came in since the snapshot does not count as kept") {
  check_floor(retention_floor({5}, {7}, {.kept = 0, .since_snapshot = 1}), 5, Release::by_checkpoint);
}

TEST_CASE("retention: the newest state goes into both slots when the older one holds up the clients") {
  CHECK(second_copy_due({0}, {0}, {1}, {.kept = 1}));
  CHECK(second_copy_due({6}, {5}, {7}, {.kept = 0.500001}));
  CHECK_FALSE(second_copy_due({5}, {5}, {7}, {.kept = 0.5}));
  CHECK_FALSE(second_copy_due({0}, {7}, {7}, {.kept = 1}));  // it is there already
  CHECK_FALSE(second_copy_due({7}, {5}, {7}, {.kept = 1}));  // the checkpoint releases as much
}

TEST_CASE("snapshot schedule: due after the interval") {
  SnapshotSchedule schedule(kInterval, 500);
  CHECK(schedule.due_ns() == 1500);
  CHECK_FALSE(schedule.due(500, {}));
  CHECK_FALSE(schedule.due(1499, {}));
  CHECK(schedule.due(1500, {}));
  CHECK(schedule.due(100'000, {}));
}

TEST_CASE("snapshot schedule: due when a quarter of a ring has come in") {
  const SnapshotSchedule schedule(kInterval, 0);
  CHECK_FALSE(schedule.due(0, {.since_snapshot = 0.25}));
  CHECK(schedule.due(0, {.since_snapshot = 0.250001}));
  CHECK(schedule.due(0, {.since_snapshot = 1}));
  CHECK_FALSE(schedule.due(0, {.kept = 1}));
}

TEST_CASE("snapshot schedule: the interval begins when one was taken, however late that was") {
  SnapshotSchedule schedule(kInterval, 0);
  for (uint64_t now = 1700; now < 100'000; now += 1700) {
    CHECK(schedule.due(now, {}));
    schedule.taken(now);
    CHECK(schedule.due_ns() == now + kInterval);
    CHECK_FALSE(schedule.due(now, {}));
    CHECK_FALSE(schedule.due(now + kInterval - 1, {}));
  }
}

TEST_CASE("snapshot schedule: an interval of nothing is after every frame") {
  SnapshotSchedule schedule(0, 3);
  CHECK(schedule.due(3, {}));
  schedule.taken(3);
  CHECK(schedule.due(3, {}));
}
