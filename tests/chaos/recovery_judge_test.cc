// What arenad tells of deaths: what can be true is taken, and each way of being wrong is noticed.
#include "chaos/recovery_judge.h"

#include <fmt/format.h>

#include <doctest/doctest.h>

#include "chaos/recovery_parts.h"

namespace {

using namespace arenad::chaos;

constexpr uint64_t kMs = 1'000'000;

// Killed, heard of 1.5 ms later, recovered from in 3 ms.
ToldDeath good(uint64_t id = 7, uint64_t heard_ms = 1000) {
  return {.id = id,
          .epoch = id,
          .pid = 42,
          .detect_ms = 20,
          .heard_ns = heard_ms * kMs,
          .recovery_ms = 3,
          .start_ms = 0.5,
          .load_ms = 1,
          .replay_ms = 1.5,
          .notice_ms = 1.5};
}

ToldDeath overtaken(uint64_t id, uint64_t heard_ms, uint64_t by) {
  ToldDeath death = good(id, heard_ms);
  death.recovery_ms = death.start_ms = death.load_ms = death.replay_ms = 0;
  death.overtaken_by = by;
  return death;
}

void check_one(const ToldDeath& death, const std::string& part) {
  const auto wrong = what_is_wrong(death);
  CAPTURE(part);
  CAPTURE(fmt::format("{}", fmt::join(wrong, "; ")));
  REQUIRE(wrong.size() == 1);
  CHECK(wrong.front().find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("recovery times: what can be true is not complained about") {
  CHECK(what_is_wrong(good()).empty());
  ToldDeath by_itself = good();
  by_itself.notice_ms = 0;
  by_itself.detect_ms = 0;
  CHECK(what_is_wrong(by_itself).empty());
  CHECK(what_is_wrong(overtaken(7, 1000, 8)).empty());
  // The same nanosecond, rounded in each part.
  ToldDeath rounded = good();
  rounded.replay_ms += 0.0005;
  CHECK(what_is_wrong(rounded).empty());
}

TEST_CASE("recovery times: parts that are not the whole, missing, or negative") {
  ToldDeath more = good();
  more.replay_ms += 0.1;
  check_one(more, "together");
  for (double ToldDeath::*part : {&ToldDeath::start_ms, &ToldDeath::load_ms, &ToldDeath::replay_ms}) {
    ToldDeath missing = good();
    missing.recovery_ms -= missing.*part;
    missing.*part = 0;
    check_one(missing, "is 0 ms");
    ToldDeath negative = good();
    negative.recovery_ms -= negative.*part + 1;
    negative.*part = -1;
    check_one(negative, "is -1 ms");
  }
  ToldDeath unheard = good();
  unheard.heard_ns = 0;
  check_one(unheard, "when arenad heard");
  ToldDeath before = good();
  before.notice_ms = 0;
  before.detect_ms = -1;
  check_one(before, "before its last sign");
}

TEST_CASE("recovery times: a sign of life after the kill") {
  ToldDeath death = good();
  death.notice_ms = 20;
  death.detect_ms = 18.5;  // it may have run on, on another processor
  CHECK(what_is_wrong(death).empty());
  death.detect_ms = 17.9;
  check_one(death, "after it was killed");
}

TEST_CASE("recovery times: each part has its budget") {
  for (double ToldDeath::*part : {&ToldDeath::start_ms, &ToldDeath::load_ms, &ToldDeath::replay_ms}) {
    ToldDeath late = good();
    late.recovery_ms += 100'000 - late.*part;
    late.*part = 100'000;
    check_one(late, "budget");
    CHECK(what_is_wrong(late, {.start_ms = 100'000, .load_ms = 100'000, .replay_ms = 100'000}).empty());
  }
  ToldDeath unnoticed = good();
  unnoticed.notice_ms = unnoticed.detect_ms = 100'000;
  check_one(unnoticed, "budget");
  CHECK(what_is_wrong(unnoticed, {.notice_ms = 100'000}).empty());
}

TEST_CASE("recovery times: each death of an arena is recovered from, or overtaken by the next one") {
  CHECK(what_is_wrong_together({good(7, 1000), overtaken(8, 1003, 9), good(9, 1004)}, {}).empty());
  SUBCASE("by another one than the next") {
    CHECK(what_is_wrong_together({overtaken(7, 1000, 9), good(8, 1004), good(9, 1008)}, {}).size() == 1);
    CHECK(what_is_wrong_together({good(7, 1000), overtaken(8, 1004, 9)}, {}).size() == 1);
  }
  SUBCASE("both") {
    ToldDeath death = good();
    death.overtaken_by = 8;
    check_one(death, "was recovered from, and was overtaken");
  }
  SUBCASE("neither, and no other arenad has come since") {
    const ToldDeath open = overtaken(7, 1000, 0);
    CHECK(what_is_wrong_together({open}, {}).size() == 1);
    CHECK(what_is_wrong_together({open, good(8, 1004)}, {999 * kMs}).size() == 1);
    CHECK(what_is_wrong_together({open, good(8, 1004)}, {1002 * kMs}).empty());
  }
}

TEST_CASE("recovery times: the next worker does not die before it was there") {
  CHECK(what_is_wrong_together({good(7, 1000), good(8, 1003)}, {}).empty());
  CHECK(what_is_wrong_together({good(7, 1000), good(8, 1002)}, {}).size() == 1);
}

TEST_CASE("recovery parts: of which deaths they are") {
  const RecoveryParts parts({good(7, 1000), overtaken(8, 2000, 9), good(9, 2001)});
  CHECK(parts.deaths == 3);
  CHECK(parts.overtaken == 1);
  CHECK(parts.detect.sorted == std::vector<double>{1.5, 1.5, 1.5});
  CHECK(parts.start.sorted == std::vector<double>{0.5, 0.5});
  CHECK(parts.load.sorted == std::vector<double>{1, 1});
  CHECK(parts.replay.sorted == std::vector<double>{1.5, 1.5});
  CHECK(parts.recovery.sorted == std::vector<double>{3, 3});
  // Which arena-chaos did not kill: what arenad tells.
  ToldDeath by_itself = good();
  by_itself.notice_ms = 0;
  CHECK(RecoveryParts({by_itself}).detect.sorted == std::vector<double>{20});
}
