// Which event is to blame for the deaths of an arena: every state with every death, and long random lives.
#include "supervisor/poison_watch.h"

#include <array>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using namespace arenad;
using arenad::test::Random;
using arenad::test::test_seed;
using Doing = arenad::PoisonWatch::Doing;

constexpr EventRef kOne = {{3}, 41};
constexpr EventRef kNext = {{3}, 42};
constexpr EventRef kElsewhere = {{4}, 41};  // the same number on another channel

PoisonWatch suspecting(const std::optional<EventRef>& event) {
  PoisonWatch watch;
  if (event) CHECK_FALSE(watch.died(event, Doing::its_own));
  CHECK(watch.suspect() == event);
  return watch;
}

}  // namespace

TEST_CASE("poison watch: every state, every death") {
  const std::array<std::optional<EventRef>, 2> states = {std::nullopt, kOne};
  const std::array<std::optional<EventRef>, 4> applying = {std::nullopt, kOne, kNext, kElsewhere};
  for (const auto& before : states) {
    for (const auto& event : applying) {
      for (const Doing doing : {Doing::its_own, Doing::of_its_event, Doing::from_outside}) {
        PoisonWatch watch = suspecting(before);
        const auto blamed = watch.died(event, doing);
        const bool its_own = doing == Doing::its_own && event.has_value();
        const bool is_known = (its_own && before == event) || (doing == Doing::of_its_event && event.has_value());
        CHECK(blamed == (is_known ? event : std::nullopt));
        // Remembered is only an event that may be poison and is not known to be.
        CHECK(watch.suspect() == (its_own && !is_known ? event : std::nullopt));
      }
    }
  }
}

TEST_CASE("poison watch: two deaths in a row, not two deaths") {
  PoisonWatch watch = suspecting(kOne);
  SUBCASE("another event between them") {
    CHECK_FALSE(watch.died(kNext, Doing::its_own));
    CHECK_FALSE(watch.died(kOne, Doing::its_own));
    CHECK(watch.died(kOne, Doing::its_own) == kOne);
  }
  SUBCASE("a death between two events") {
    CHECK_FALSE(watch.died(std::nullopt, Doing::its_own));
    CHECK_FALSE(watch.died(kOne, Doing::its_own));
  }
  SUBCASE("a kill from outside between them") {
    CHECK_FALSE(watch.died(kOne, Doing::from_outside));
    CHECK_FALSE(watch.died(kOne, Doing::its_own));
  }
}

TEST_CASE("poison watch: one death is enough for an event that the game blames") {
  PoisonWatch watch;
  CHECK(watch.died(kOne, Doing::of_its_event) == kOne);
  CHECK_FALSE(watch.suspect());
  SUBCASE("another one may be under suspicion: nothing is said of it any more") {
    CHECK_FALSE(watch.died(kNext, Doing::its_own));
    CHECK(watch.died(kOne, Doing::of_its_event) == kOne);
    CHECK_FALSE(watch.died(kNext, Doing::its_own));
  }
  SUBCASE("none was being applied: nobody is blamed") {
    CHECK_FALSE(watch.died(std::nullopt, Doing::of_its_event));
    CHECK_FALSE(watch.suspect());
  }
}

TEST_CASE("poison watch: an event that falls under kills from outside is never blamed") {
  PoisonWatch watch;
  for (int i = 0; i < 100; ++i) CHECK_FALSE(watch.died(kOne, Doing::from_outside));
  CHECK_FALSE(watch.suspect());
}

TEST_CASE("poison watch: one that was found out is not remembered: the next two deaths decide again") {
  PoisonWatch watch = suspecting(kOne);
  CHECK(watch.died(kOne, Doing::its_own) == kOne);
  SUBCASE("another one") {
    CHECK_FALSE(watch.died(kNext, Doing::its_own));
    CHECK(watch.died(kNext, Doing::its_own) == kNext);
  }
  SUBCASE("the same one, which was given back to the arena") {
    CHECK_FALSE(watch.died(kOne, Doing::its_own));
    CHECK(watch.died(kOne, Doing::its_own) == kOne);
  }
}

TEST_CASE("poison watch: 100,000 random deaths against the whole history") {
  Random random(test_seed());
  PoisonWatch watch;
  // What has happened since the last blame, newest last.
  std::vector<std::optional<EventRef>> history;
  uint64_t blames = 0;
  for (int i = 0; i < 100'000; ++i) {
    std::optional<EventRef> event;
    if (!random.one_in(4)) event = EventRef{{random.below(2)}, random.below(2)};
    const bool outside = random.one_in(4);
    history.push_back(outside ? std::nullopt : event);
    const bool twice = history.size() >= 2 && history.back() && history.back() == history[history.size() - 2];
    const auto blamed = watch.died(event, outside ? Doing::from_outside : Doing::its_own);
    REQUIRE(blamed.has_value() == twice);
    if (!twice) continue;
    REQUIRE(blamed == event);
    history.clear();
    ++blames;
  }
  CHECK(blames > 1000);
}
