#include "supervisor/restart_budget.h"

#include <doctest/doctest.h>

namespace {

using arenad::GiveUp;
using arenad::RestartAfter;
using arenad::RestartBudget;
using arenad::RestartDecision;
using arenad::RestartPolicy;
using State = arenad::RestartBudget::State;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecond = 1000 * kMs;
constexpr uint64_t kLowest = 0;           // the random number that gives the shortest delay
constexpr uint64_t kMiddle = 1ull << 63;  // the delay without its spread
constexpr uint64_t kHighest = UINT64_MAX;

// Roomy, so that tests of delays do not run into the window.
RestartPolicy roomy() {
  return {.intensity = 1000};
}

uint64_t delay_ns(const RestartDecision& decision) {
  const auto* restart = std::get_if<RestartAfter>(&decision);
  REQUIRE(restart != nullptr);
  return restart->delay_ns;
}

bool gave_up(const RestartDecision& decision) {
  return std::holds_alternative<GiveUp>(decision);
}

void crash(RestartBudget& budget, uint64_t now_ns, uint32_t times) {
  for (uint32_t i = 0; i < times; ++i) CHECK_FALSE(gave_up(budget.crashed(now_ns, kMiddle)));
}

RestartBudget in_state(State state) {
  RestartBudget budget({.intensity = 1});
  if (state == State::running) budget.running(kSecond);
  if (state == State::given_up) {
    crash(budget, kSecond, 1);
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
  REQUIRE(budget.state() == state);
  return budget;
}

}  // namespace

TEST_CASE("restart budget: every state meets every event") {
  const uint64_t now = 2 * kSecond;
  SUBCASE("starting, running") {
    auto budget = in_state(State::starting);
    budget.running(now);
    CHECK(budget.state() == State::running);
  }
  SUBCASE("starting, crashed") {
    auto budget = in_state(State::starting);
    CHECK(delay_ns(budget.crashed(now, kMiddle)) == 0);
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 1);
  }
  SUBCASE("starting, crashed once too often") {
    auto budget = in_state(State::starting);
    crash(budget, now, 1);
    CHECK(gave_up(budget.crashed(now, kMiddle)));
    CHECK(budget.state() == State::given_up);
    CHECK(budget.charged(now) == 1);
  }
  SUBCASE("starting, excused: nothing was charged, so nothing is taken back") {
    auto budget = in_state(State::starting);
    budget.excused(now);
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 0);
  }
  SUBCASE("starting, excused: the crash before is taken back too") {
    auto budget = in_state(State::starting);
    crash(budget, now, 1);
    budget.excused(now);
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 0);
  }
  SUBCASE("starting, replaced") {
    auto budget = in_state(State::starting);
    budget.replaced(now);
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 0);
  }
  SUBCASE("starting, reset") {
    auto budget = in_state(State::starting);
    crash(budget, now, 1);
    budget.reset();
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 0);
  }
  SUBCASE("running, running: the healthy time goes on") {
    auto budget = in_state(State::running);
    budget.running(30 * kSecond);
    CHECK(budget.state() == State::running);
    budget.set_policy(roomy());
    crash(budget, 31 * kSecond, 1);
    CHECK(delay_ns(budget.crashed(31 * kSecond, kMiddle)) == 50 * kMs);
  }
  SUBCASE("running, crashed") {
    auto budget = in_state(State::running);
    CHECK(delay_ns(budget.crashed(now, kMiddle)) == 0);
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 1);
  }
  SUBCASE("running, crashed once too often") {
    auto budget = in_state(State::running);
    crash(budget, now, 1);
    budget.running(now);
    CHECK(gave_up(budget.crashed(now, kMiddle)));
    CHECK(budget.state() == State::given_up);
  }
  SUBCASE("running, excused") {
    auto budget = in_state(State::running);
    budget.excused(now);
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 0);
    // Its healthy time is over: the next crash is not the first of a new row for it.
    budget.set_policy(roomy());
    crash(budget, 60 * kSecond, 1);
    CHECK(delay_ns(budget.crashed(60 * kSecond, kMiddle)) == 50 * kMs);
  }
  SUBCASE("running, replaced") {
    auto budget = in_state(State::running);
    budget.replaced(now);
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 0);
  }
  SUBCASE("running, reset") {
    auto budget = in_state(State::running);
    budget.reset();
    CHECK(budget.state() == State::starting);
  }
  SUBCASE("given up, running: the fact of an incarnation that is dead") {
    auto budget = in_state(State::given_up);
    budget.running(now);
    CHECK(budget.state() == State::given_up);
  }
  SUBCASE("given up, crashed: also when the window has passed") {
    auto budget = in_state(State::given_up);
    CHECK(gave_up(budget.crashed(1000 * kSecond, kMiddle)));
    CHECK(budget.state() == State::given_up);
  }
  SUBCASE("given up, excused: it stays so") {
    auto budget = in_state(State::given_up);
    budget.excused(now);
    CHECK(budget.state() == State::given_up);
    CHECK(budget.charged(now) == 1);
    CHECK(gave_up(budget.crashed(now, kMiddle)));
  }
  SUBCASE("given up, replaced") {
    auto budget = in_state(State::given_up);
    budget.replaced(now);
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 0);
    CHECK(delay_ns(budget.crashed(now, kMiddle)) == 0);
  }
  SUBCASE("given up, reset") {
    auto budget = in_state(State::given_up);
    budget.reset();
    CHECK(budget.state() == State::starting);
    CHECK(budget.charged(now) == 0);
    CHECK(delay_ns(budget.crashed(now, kMiddle)) == 0);
  }
}

TEST_CASE("restart budget: the window") {
  RestartBudget budget(RestartPolicy{});

  SUBCASE("five restarts, and not a sixth") {
    crash(budget, kSecond, 5);
    CHECK(budget.charged(kSecond) == 5);
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
  SUBCASE("a restart is charged for exactly the window's length") {
    crash(budget, kSecond, 5);
    CHECK(budget.charged(61 * kSecond - 1) == 5);
    CHECK(budget.charged(61 * kSecond) == 0);
    auto earlier = budget;
    CHECK(gave_up(earlier.crashed(61 * kSecond - 1, kMiddle)));
    CHECK_FALSE(gave_up(budget.crashed(61 * kSecond, kMiddle)));
  }
  SUBCASE("it slides: as many as leave it may come") {
    for (uint64_t i = 0; i < 100; ++i) crash(budget, i * 12 * kSecond, 1);
    CHECK(gave_up(budget.crashed(99 * 12 * kSecond + 1, kMiddle)));
  }
  SUBCASE("a healthy time does not empty it") {
    budget = RestartBudget({.intensity = 2, .window_ns = 600 * kSecond});
    for (uint64_t i = 0; i < 2; ++i) {
      budget.running(i * 100 * kSecond);
      CHECK(delay_ns(budget.crashed((i * 100 + 40) * kSecond, kMiddle)) == 0);
    }
    budget.running(200 * kSecond);
    CHECK(gave_up(budget.crashed(240 * kSecond, kMiddle)));
  }
  SUBCASE("replacements are not charged") {
    for (uint64_t i = 0; i < 100; ++i) budget.replaced(kSecond);
    CHECK(budget.charged(kSecond) == 0);
    crash(budget, kSecond, 3);
    budget.replaced(kSecond);
    CHECK(budget.charged(kSecond) == 3);
  }
  SUBCASE("intensity 0 never restarts") {
    budget = RestartBudget({.intensity = 0});
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
  SUBCASE("intensity 1 restarts once") {
    budget = RestartBudget({.intensity = 1});
    crash(budget, kSecond, 1);
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
  SUBCASE("a time before the last one counts as the same time") {
    crash(budget, 100 * kSecond, 5);
    CHECK(budget.charged(kSecond) == 5);
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
}

TEST_CASE("restart budget: the delay") {
  RestartBudget budget(roomy());

  SUBCASE("0, 50 ms, then doubled up to the cap") {
    for (const uint64_t ms : {0, 50, 100, 200, 400, 800, 1600, 3200}) {
      CHECK(delay_ns(budget.crashed(kSecond, kMiddle)) == ms * kMs);
    }
    for (int i = 0; i < 100; ++i) {
      CHECK(delay_ns(budget.crashed(kSecond, kHighest)) == 5000 * kMs);
    }
  }
  SUBCASE("spread by 20 % to both sides") {
    crash(budget, kSecond, 2);
    auto low = budget;
    CHECK(delay_ns(low.crashed(kSecond, kLowest)) == 80 * kMs);
    CHECK(delay_ns(budget.crashed(kSecond, kHighest)) == 120 * kMs);
  }
  SUBCASE("at the cap spread downwards only, and evenly") {
    crash(budget, kSecond, 20);
    CHECK(delay_ns(budget.crashed(kSecond, kLowest)) == 4000 * kMs);
    CHECK(delay_ns(budget.crashed(kSecond, kMiddle)) == 4500 * kMs);
    CHECK(delay_ns(budget.crashed(kSecond, kHighest)) == 5000 * kMs);
  }
  SUBCASE("the first crash is never delayed") {
    CHECK(delay_ns(budget.crashed(kSecond, kHighest)) == 0);
  }
  SUBCASE("a healthy time ends the row, a nanosecond less does not") {
    crash(budget, kSecond, 3);
    budget.running(2 * kSecond);
    auto earlier = budget;
    CHECK(delay_ns(earlier.crashed(32 * kSecond - 1, kMiddle)) == 200 * kMs);
    CHECK(delay_ns(budget.crashed(32 * kSecond, kMiddle)) == 0);
  }
  SUBCASE("a long time in which it never ran does not end the row") {
    crash(budget, kSecond, 3);
    CHECK(delay_ns(budget.crashed(3600 * kSecond, kMiddle)) == 200 * kMs);
  }
  SUBCASE("a replacement neither ends a row nor forgets that the row has ended") {
    crash(budget, kSecond, 3);
    budget.running(2 * kSecond);
    auto soon = budget;
    soon.replaced(3 * kSecond);
    CHECK(delay_ns(soon.crashed(4 * kSecond, kMiddle)) == 200 * kMs);
    budget.replaced(32 * kSecond);
    CHECK(delay_ns(budget.crashed(33 * kSecond, kMiddle)) == 0);
  }
  SUBCASE("first delay 0 never waits") {
    budget = RestartBudget({.intensity = 1000, .first_delay_ns = 0});
    for (int i = 0; i < 100; ++i) CHECK(delay_ns(budget.crashed(kSecond, kHighest)) == 0);
  }
  SUBCASE("a first delay above the cap is the cap") {
    budget = RestartBudget({.intensity = 1000, .first_delay_ns = 9 * kSecond});
    crash(budget, kSecond, 1);
    CHECK(delay_ns(budget.crashed(kSecond, kHighest)) == 5 * kSecond);
  }
}

TEST_CASE("restart budget: a crash that is excused") {
  SUBCASE("takes back the newest charge only") {
    RestartBudget budget({.intensity = 3, .window_ns = 10 * kSecond});
    crash(budget, kSecond, 1);
    crash(budget, 8 * kSecond, 2);
    budget.excused(8 * kSecond);
    CHECK(budget.charged(8 * kSecond) == 2);
    CHECK(budget.charged(11 * kSecond) == 1);
  }
  SUBCASE("takes back one step of the delay") {
    RestartBudget budget(roomy());
    crash(budget, kSecond, 3);
    budget.excused(kSecond);
    CHECK(delay_ns(budget.crashed(kSecond, kMiddle)) == 100 * kMs);
  }
  SUBCASE("any number of pairs leaves the budget as it was") {
    RestartBudget budget({.intensity = 2});
    crash(budget, kSecond, 1);
    for (int i = 0; i < 100; ++i) {
      CHECK(delay_ns(budget.crashed(kSecond, kMiddle)) == 50 * kMs);
      budget.excused(kSecond);
      CHECK(budget.charged(kSecond) == 1);
    }
    crash(budget, kSecond, 1);
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
  SUBCASE("a row that a healthy time has ended is not shortened below nothing") {
    RestartBudget budget(roomy());
    crash(budget, kSecond, 1);
    budget.running(kSecond);
    budget.excused(100 * kSecond);
    CHECK(delay_ns(budget.crashed(100 * kSecond, kMiddle)) == 0);
    CHECK(delay_ns(budget.crashed(100 * kSecond, kMiddle)) == 50 * kMs);
  }
}

TEST_CASE("restart budget: a new policy counts from the next crash on") {
  RestartBudget budget({.intensity = 5});
  crash(budget, kSecond, 3);
  SUBCASE("smaller than what is charged already") {
    budget.set_policy({.intensity = 2});
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
  SUBCASE("larger") {
    budget.set_policy({.intensity = 10});
    crash(budget, kSecond, 7);
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
  SUBCASE("does not revive") {
    crash(budget, kSecond, 2);
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
    budget.set_policy({.intensity = 10});
    CHECK(budget.state() == State::given_up);
    CHECK(gave_up(budget.crashed(kSecond, kMiddle)));
  }
}
