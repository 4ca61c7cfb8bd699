// What the service manager is told again and again: stage x what is left x time.
#include "supervisor/service_report.h"

#include <doctest/doctest.h>

using namespace arenad;
using Stage = ServiceFacts::Stage;

namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1000 * kMs;
constexpr const char* kMoreTime = "EXTEND_TIMEOUT_USEC=10000000\n";

ServiceFacts adopting(size_t left, bool is_within_limit = false) {
  return {.stage = Stage::adopting, .arenas = 12, .left = left, .is_within_limit = is_within_limit};
}

ServiceFacts stopping(size_t left, bool is_within_limit = false) {
  return {.stage = Stage::stopping, .arenas = 12, .left = left, .is_within_limit = is_within_limit};
}

ServiceFacts serving(size_t running) {
  return {.stage = Stage::serving, .arenas = 12, .running = running};
}

bool asks_for_time(const std::string& message) {
  return message.find("EXTEND_TIMEOUT_USEC") != std::string::npos;
}

}  // namespace

TEST_CASE("service report: the status of each stage") {
  CHECK(status_text(adopting(9)) == "Adopting: 3 of 12 arenas are taken up");
  CHECK(status_text(stopping(0)) == "Stopping: 12 of 12 arenas are saved");
  CHECK(status_text(serving(12)) == "12 arenas: 12 running");
  CHECK(status_text({.stage = Stage::serving, .arenas = 1, .running = 1}) == "1 arena: 1 running");
  CHECK(status_text({.stage = Stage::serving}) == "no arenas");
  ServiceFacts facts = serving(8);
  facts.draining = 1;
  facts.recovering = 2;
  facts.failed = 1;
  facts.database_fails = true;
  CHECK(status_text(facts) == "12 arenas: 8 running, 1 draining, 2 recovering, 1 failed; the database takes nothing");
}

TEST_CASE("service report: the status is told when it is another, at most once a second, and a new stage at once") {
  ServiceReport report(0);
  CHECK(report.next(serving(1), 0) == "STATUS=12 arenas: 1 running\n");
  CHECK(report.next(serving(2), kSecond - 1).empty());
  CHECK(report.next(serving(2), kSecond) == "STATUS=12 arenas: 2 running\n");
  CHECK(report.next(serving(2), 5 * kSecond).empty());
  CHECK(report.next(serving(3), 5 * kSecond + 1) == "STATUS=12 arenas: 3 running\n");
  CHECK(report.next(stopping(12), 5 * kSecond + 2) == "STATUS=Stopping: 0 of 12 arenas are saved\n");
}

TEST_CASE("service report: the watchdog is fed at once, then twice in its time, in every stage") {
  ServiceReport report(400 * kMs);
  CHECK(report.next(adopting(12), 0) == "WATCHDOG=1\nSTATUS=Adopting: 0 of 12 arenas are taken up\n");
  CHECK(report.next(adopting(12), 200 * kMs - 1).empty());
  CHECK(report.next(adopting(12), 200 * kMs) == "WATCHDOG=1\n");
  CHECK(report.next(serving(1), 401 * kMs) == "WATCHDOG=1\nSTATUS=12 arenas: 1 running\n");
  CHECK(report.next(stopping(1), 602 * kMs) == "WATCHDOG=1\nSTATUS=Stopping: 11 of 12 arenas are saved\n");
}

TEST_CASE("service report: time is asked for within arenad's own limit, once a second") {
  for (const auto& facts : {adopting(12, true), stopping(12, true)}) {
    ServiceReport report(0);
    CHECK(asks_for_time(report.next(facts, 0)));
    CHECK_FALSE(asks_for_time(report.next(facts, kSecond - 1)));
    CHECK(report.next(facts, kSecond) == kMoreTime);
    CHECK(report.next(facts, 2 * kSecond) == kMoreTime);
  }
  ServiceReport report(0);
  CHECK_FALSE(asks_for_time(report.next(serving(1), 0)));
}

TEST_CASE("service report: after that limit, time is asked for only when less is left than ever before") {
  for (const auto stage : {adopting, stopping}) {
    ServiceReport report(0);
    uint64_t now = 0;
    const auto asks = [&](size_t left) { return asks_for_time(report.next(stage(left, false), now += kSecond)); };
    CHECK_FALSE(asks(12));
    CHECK_FALSE(asks(12));
    CHECK(asks(11));
    CHECK_FALSE(asks(11));
    CHECK_FALSE(asks(12));
    CHECK_FALSE(asks(11));
    CHECK(asks(10));
    // What has moved within the second is not forgotten.
    CHECK_FALSE(asks_for_time(report.next(stage(9, false), now + 1)));
    CHECK(asks(9));
    CHECK_FALSE(asks(9));
  }
}
