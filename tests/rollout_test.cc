// Which arenas get other code, in which order, and when it stops: each rule by itself, and all of them under random facts.
#include "supervisor/rollout.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using namespace arenad;
using State = Rollout::State;
using Standing = Rollout::Standing;
using arenad::test::Random;
using arenad::test::test_seed;

constexpr size_t kAtOnce = 4;
constexpr size_t kMany = 100;  // workers

constexpr ArenaId id(uint64_t number) {
  return {1, number};
}

std::vector<ArenaId> arenas(uint64_t count) {
  std::vector<ArenaId> all;
  for (uint64_t i = 1; i <= count; ++i) all.push_back(id(i));
  return all;
}

RolloutPolicy policy(uint32_t canary, uint32_t batch, OnFailure on_failure = OnFailure::stop) {
  return {.canary = canary, .batch = batch, .batch_percent = 25, .on_failure = on_failure};
}

std::string names(const std::vector<ArenaId>& ids) {
  std::string text;
  for (const ArenaId arena : ids) text += (text.empty() ? "" : " ") + std::to_string(arena.low);
  return text;
}

std::string handed_over(Rollout& rollout, size_t workers = kMany) {
  return names(rollout.next(workers).hand_over);
}

void pass(Rollout& rollout, std::initializer_list<uint64_t> numbers) {
  for (const uint64_t number : numbers) {
    rollout.live(id(number));
    rollout.passed(id(number));
  }
}

// One whose first arenas, 1 to `passed`, have the new code.
Rollout rolling(const RolloutPolicy& policy, uint64_t count, uint64_t passed) {
  Rollout rollout(policy, arenas(count));
  while (rollout.count(Standing::passed) < passed) {
    for (const ArenaId arena : rollout.next(1).hand_over) pass(rollout, {arena.low});
  }
  return rollout;
}

}  // namespace

TEST_CASE("rollout: the canary, then wave by wave, then done") {
  Rollout rollout(policy(1, 2), arenas(6));
  CHECK(rollout.state() == State::canary);
  Rollout::Next next = rollout.next(kMany);
  CHECK(names(next.hand_over) == "1");
  CHECK_FALSE(next.make_current);
  CHECK(handed_over(rollout).empty());  // each is named once
  rollout.live(id(1));
  CHECK(rollout.count(Standing::on_probation) == 1);
  next = rollout.next(kMany);
  CHECK(next.hand_over.empty());  // probation is not over
  CHECK_FALSE(next.make_current);

  rollout.passed(id(1));
  next = rollout.next(kMany);
  CHECK(names(next.hand_over) == "2 3");
  CHECK(next.make_current);
  CHECK(rollout.state() == State::rolling);
  pass(rollout, {3});
  next = rollout.next(kMany);
  CHECK(next.hand_over.empty());  // the wave has not settled
  CHECK_FALSE(next.make_current);
  pass(rollout, {2});
  CHECK(handed_over(rollout) == "4 5");
  pass(rollout, {4, 5});
  CHECK(handed_over(rollout) == "6");
  CHECK_FALSE(rollout.is_over());
  pass(rollout, {6});
  next = rollout.next(kMany);
  CHECK(next.hand_over.empty());
  CHECK_FALSE(next.make_current);
  CHECK_FALSE(next.make_old_current);
  CHECK(rollout.state() == State::done);
  CHECK(rollout.is_over());
  CHECK(rollout.count(Standing::passed) == 6);
  CHECK(rollout.failures().empty());
}

TEST_CASE("rollout: the size of the canary") {
  SUBCASE("none: the first wave at once, and new arenas get the new code") {
    Rollout rollout(policy(0, 2), arenas(5));
    const Rollout::Next next = rollout.next(kMany);
    CHECK(names(next.hand_over) == "1 2");
    CHECK(next.make_current);
    CHECK(rollout.state() == State::rolling);
  }
  SUBCASE("several: all of them have to pass") {
    Rollout rollout(policy(3, 1), arenas(5));
    CHECK(handed_over(rollout) == "1 2 3");
    pass(rollout, {1, 2});
    const Rollout::Next next = rollout.next(kMany);
    CHECK(next.hand_over.empty());
    CHECK_FALSE(next.make_current);
    CHECK(rollout.state() == State::canary);
    pass(rollout, {3});
    CHECK(rollout.next(kMany).make_current);
  }
  SUBCASE("as many as there are, and more") {
    for (const uint32_t canary : {3u, 4u, UINT32_MAX}) {
      Rollout rollout(policy(canary, 1), arenas(3));
      CHECK(handed_over(rollout) == "1 2 3");
      pass(rollout, {1, 2, 3});
      const Rollout::Next next = rollout.next(kMany);
      CHECK(next.make_current);
      CHECK(rollout.state() == State::done);
      CHECK(rollout.is_over());
    }
  }
}

TEST_CASE("rollout: the size of a wave") {
  const auto first_wave = [](uint64_t count, uint32_t batch, uint32_t percent) {
    Rollout rollout({.canary = 0, .batch = batch, .batch_percent = percent, .on_failure = OnFailure::stop}, arenas(count));
    size_t size = 0;
    for (auto named = rollout.next(kMany).hand_over; !named.empty(); named = rollout.next(kMany).hand_over) {
      size += named.size();
      for (const ArenaId arena : named) rollout.live(arena);
    }
    return size;
  };
  CHECK(first_wave(100, 0, 25) == 25);
  CHECK(first_wave(101, 0, 25) == 26);  // rounded up
  CHECK(first_wave(1, 0, 25) == 1);
  CHECK(first_wave(3, 0, 1) == 1);
  CHECK(first_wave(10, 0, 100) == 10);
  CHECK(first_wave(10, 0, UINT32_MAX) == 10);
  CHECK(first_wave(10, 0, 0) == 1);  // it gets on, whatever is asked
  CHECK(first_wave(10, 7, 100) == 7);
  CHECK(first_wave(10, 11, 1) == 10);
  CHECK(first_wave(10, UINT32_MAX, 1) == 10);
}

TEST_CASE("rollout: how many are on the way at once") {
  SUBCASE("four, however many workers there are; one that is live makes room") {
    Rollout rollout(policy(0, 9), arenas(9));
    CHECK(handed_over(rollout) == "1 2 3 4");
    CHECK(handed_over(rollout).empty());
    CHECK(rollout.wants_workers());
    rollout.live(id(3));
    CHECK(handed_over(rollout) == "5");
    for (const uint64_t number : {1, 2, 4, 5}) rollout.live(id(number));
    CHECK(handed_over(rollout) == "6 7 8 9");
    CHECK_FALSE(rollout.wants_workers());
    CHECK(rollout.count(Standing::on_probation) == 5);
  }
  SUBCASE("no more than there are workers") {
    Rollout rollout(policy(0, 9), arenas(9));
    CHECK(handed_over(rollout, 0).empty());
    CHECK(rollout.wants_workers());
    CHECK(handed_over(rollout, 1) == "1");
    rollout.live(id(1));
    CHECK(handed_over(rollout, 3) == "2 3 4");
    CHECK(handed_over(rollout, 2).empty());
  }
  SUBCASE("any end makes room") {
    Rollout rollout(policy(0, 9), arenas(9));
    CHECK(handed_over(rollout) == "1 2 3 4");
    rollout.gone(id(1));
    CHECK(handed_over(rollout) == "5");
    rollout.postponed(id(2));
    CHECK(handed_over(rollout) == "6");
  }
}

TEST_CASE("rollout: nobody to change") {
  for (const uint32_t canary : {0u, 1u, 5u}) {
    for (const OnFailure on_failure : {OnFailure::stop, OnFailure::rollback_all}) {
      Rollout rollout(policy(canary, 0, on_failure), {});
      CHECK(rollout.total() == 0);
      const Rollout::Next next = rollout.next(0);
      CHECK(next.make_current);  // the next arena that begins gets it
      CHECK_FALSE(next.make_old_current);
      CHECK(next.hand_over.empty());
      CHECK(rollout.state() == State::done);
      CHECK(rollout.is_over());
      CHECK_FALSE(rollout.wants_workers());
    }
  }
}

TEST_CASE("rollout: pause and resume") {
  Rollout rollout(policy(1, 3), arenas(7));
  SUBCASE("before anything") {
    rollout.pause();
    CHECK(rollout.is_paused());
    CHECK(handed_over(rollout).empty());
    CHECK_FALSE(rollout.wants_workers());
    CHECK_FALSE(rollout.is_over());
    rollout.resume();
    CHECK_FALSE(rollout.is_paused());
    CHECK(handed_over(rollout) == "1");
  }
  SUBCASE("in the middle of a wave: what is on the way goes on, nothing follows") {
    CHECK(handed_over(rollout) == "1");
    pass(rollout, {1});
    CHECK(handed_over(rollout, 2) == "2 3");
    rollout.pause();
    rollout.live(id(2));
    CHECK(handed_over(rollout).empty());
    pass(rollout, {2, 3});
    CHECK(handed_over(rollout).empty());
    rollout.resume();
    CHECK(handed_over(rollout) == "4");
    pass(rollout, {4});
    CHECK(handed_over(rollout) == "5 6 7");
  }
  SUBCASE("one that fails meanwhile is seen, and a rollback is not held up") {
    rollout = rolling(policy(1, 3, OnFailure::rollback_all), 7, 1);
    CHECK(handed_over(rollout) == "2 3 4");
    rollout.pause();
    rollout.failed(id(3), "signal");
    CHECK(rollout.state() == State::rolling_back);
    CHECK(names(rollout.next(kMany).give_back) == "1");
  }
  SUBCASE("aborted, it is paused no more") {
    rollout.pause();
    rollout.abort();
    CHECK_FALSE(rollout.is_paused());
    CHECK(rollout.is_over());
  }
}

TEST_CASE("rollout: abort") {
  SUBCASE("before anything") {
    Rollout rollout(policy(1, 1), arenas(2));
    rollout.abort();
    CHECK(rollout.state() == State::aborted);
    const Rollout::Next next = rollout.next(kMany);
    CHECK(next.hand_over.empty());
    CHECK_FALSE(next.make_current);
    CHECK(rollout.is_over());
    CHECK(rollout.count(Standing::waiting) == 2);
  }
  using End = void (*)(Rollout&, ArenaId);
  const std::array<End, 4> ends = {
      [](Rollout& rollout, ArenaId last) {
        rollout.live(last);
        rollout.passed(last);
      },
      [](Rollout& rollout, ArenaId last) { rollout.failed(last, "signal 6"); },  // no rollback
      [](Rollout& rollout, ArenaId last) { rollout.gone(last); },
      [](Rollout& rollout, ArenaId last) { rollout.postponed(last); },  // it is not asked again
  };
  SUBCASE("what is on the way goes on, nothing follows") {
    for (const OnFailure on_failure : {OnFailure::stop, OnFailure::rollback_all}) {
      for (const End end : ends) {
        Rollout rollout = rolling(policy(1, 3, on_failure), 9, 1);
        REQUIRE(handed_over(rollout, 2) == "2 3");
        rollout.abort();
        CHECK(rollout.state() == State::aborted);
        CHECK_FALSE(rollout.wants_workers());
        pass(rollout, {2});
        CHECK_FALSE(rollout.is_over());
        end(rollout, id(3));
        CHECK_FALSE(rollout.is_over());  // new arenas get the new code still
        const Rollout::Next next = rollout.next(kMany);
        CHECK(next.hand_over.empty());
        CHECK(next.give_back.empty());
        CHECK(next.make_old_current);
        CHECK_FALSE(rollout.next(kMany).make_old_current);  // once
        CHECK(rollout.state() == State::aborted);
        CHECK(rollout.is_over());
      }
    }
  }
  SUBCASE("of a canary: new arenas never got the new code") {
    Rollout rollout(policy(2, 1), arenas(3));
    REQUIRE(handed_over(rollout) == "1 2");
    rollout.abort();
    CHECK_FALSE(rollout.next(kMany).make_old_current);
  }
  SUBCASE("of what is taken back: those on the way back go on, the others keep the new code") {
    Rollout rollout = rolling(policy(1, 9, OnFailure::rollback_all), 8, 7);
    REQUIRE(handed_over(rollout) == "8");
    rollout.failed(id(8), "signal 6");
    Rollout::Next next = rollout.next(kMany);
    REQUIRE(names(next.give_back) == "1 2 3 4");
    REQUIRE(next.make_old_current);
    rollout.passed(id(1));
    rollout.abort();
    CHECK(rollout.state() == State::aborted);
    next = rollout.next(kMany);
    CHECK(next.give_back.empty());
    CHECK_FALSE(next.make_old_current);
    CHECK_FALSE(rollout.is_over());
    rollout.passed(id(2));
    rollout.failed(id(3), "signal 11");  // it is not tried again
    rollout.postponed(id(4));            // nor is this one
    CHECK(rollout.next(kMany).give_back.empty());
    CHECK(rollout.is_over());
    CHECK(rollout.count(Standing::back) == 2);
    CHECK(rollout.count(Standing::passed) == 4);
    CHECK(rollout.failures().size() == 2);
  }
  SUBCASE("of what is taken back, before anybody was asked: new arenas get the old code all the same") {
    Rollout rollout = rolling(policy(1, 9, OnFailure::rollback_all), 3, 2);
    REQUIRE(handed_over(rollout) == "3");
    rollout.failed(id(3), "signal 6");
    rollout.abort();
    CHECK_FALSE(rollout.is_over());
    CHECK(rollout.next(kMany).make_old_current);
    CHECK(rollout.is_over());
  }
  SUBCASE("one that is over stays as it is") {
    Rollout done = rolling(policy(1, 3), 3, 3);
    (void)done.next(kMany);
    done.abort();
    CHECK(done.state() == State::done);
  }
}

TEST_CASE("rollout: a failure stops it") {
  SUBCASE("the canary: new arenas never get the new code") {
    Rollout rollout(policy(2, 2), arenas(6));
    REQUIRE(handed_over(rollout) == "1 2");
    rollout.live(id(1));
    rollout.failed(id(1), "signal 11");
    CHECK(rollout.state() == State::failed);
    CHECK_FALSE(rollout.is_over());  // the other one is on the way
    pass(rollout, {2});
    const Rollout::Next next = rollout.next(kMany);
    CHECK(next.hand_over.empty());
    CHECK(next.give_back.empty());
    CHECK_FALSE(next.make_current);
    CHECK_FALSE(next.make_old_current);
    CHECK(rollout.is_over());
    REQUIRE(rollout.failures().size() == 1);
    CHECK(rollout.failures()[0].arena == id(1));
    CHECK(rollout.failures()[0].why == "signal 11");
  }
  SUBCASE("in a wave: those that have passed keep it, the rest of the wave is not begun") {
    Rollout rollout = rolling(policy(1, 4), 9, 1);
    REQUIRE(handed_over(rollout, 2) == "2 3");
    rollout.failed(id(2), "it does not take over");
    CHECK_FALSE(rollout.wants_workers());
    Rollout::Next next = rollout.next(kMany);
    CHECK(next.hand_over.empty());
    CHECK(next.give_back.empty());
    CHECK(next.make_old_current);  // at once: what has failed is nothing for new arenas
    CHECK_FALSE(next.make_current);
    next = rollout.next(kMany);
    CHECK_FALSE(next.make_old_current);
    CHECK_FALSE(next.make_current);
    rollout.live(id(3));
    rollout.failed(id(3), "signal 6");
    CHECK(handed_over(rollout).empty());
    CHECK(rollout.state() == State::failed);
    CHECK(rollout.is_over());
    CHECK(rollout.failures().size() == 2);
    CHECK(rollout.count(Standing::passed) == 1);
    CHECK(rollout.count(Standing::failed) == 2);
    CHECK(rollout.count(Standing::waiting) == 6);
  }
  SUBCASE("one that is postponed after it is not named again") {
    Rollout rollout = rolling(policy(1, 4), 9, 1);
    REQUIRE(handed_over(rollout, 2) == "2 3");
    rollout.failed(id(2), "signal 6");
    rollout.postponed(id(3));
    CHECK(handed_over(rollout).empty());
    CHECK(rollout.is_over());
  }
}

TEST_CASE("rollout: a failure takes everything back") {
  Rollout rollout = rolling(policy(1, 7, OnFailure::rollback_all), 12, 8);
  REQUIRE(handed_over(rollout, 3) == "9 10 11");
  rollout.live(id(9));
  rollout.live(id(10));
  rollout.failed(id(9), "signal 6");
  CHECK(rollout.state() == State::rolling_back);
  CHECK_FALSE(rollout.is_over());
  Rollout::Next next = rollout.next(0);  // the old code's workers are not counted
  CHECK(next.make_old_current);
  CHECK(next.hand_over.empty());
  CHECK(names(next.give_back) == "1 2 3 4");
  next = rollout.next(kMany);
  CHECK(next.give_back.empty());
  CHECK_FALSE(next.make_old_current);  // once

  rollout.live(id(1));
  rollout.passed(id(1));
  CHECK(rollout.count(Standing::back) == 1);
  rollout.gone(id(2));
  for (uint32_t tried = 1; tried < Rollout::kGiveBackTries; ++tried) {
    rollout.failed(id(3), "signal 11");
    CHECK(names(rollout.next(kMany).give_back) == (tried == 1 ? "3 5 6" : "3"));
    CHECK(rollout.failures().size() == 1);
  }
  rollout.failed(id(3), "signal 11");  // that was the last try
  CHECK(rollout.failures().back().arena == id(3));
  rollout.postponed(id(4));
  next = rollout.next(kMany);
  CHECK(names(next.give_back) == "4 7");
  for (const uint64_t number : {4, 5, 6, 7}) rollout.passed(id(number));
  CHECK(names(rollout.next(kMany).give_back) == "8");
  rollout.passed(id(8));
  (void)rollout.next(kMany);
  CHECK(rollout.state() == State::rolling_back);  // 10 and 11 have not settled
  CHECK_FALSE(rollout.is_over());
  rollout.passed(id(10));
  rollout.live(id(11));
  rollout.failed(id(11), "signal 6");
  CHECK(names(rollout.next(kMany).give_back) == "10");
  CHECK_FALSE(rollout.is_over());
  rollout.passed(id(10));
  (void)rollout.next(kMany);
  CHECK(rollout.state() == State::failed);
  CHECK(rollout.is_over());
  CHECK(rollout.count(Standing::passed) == 0);
  CHECK(rollout.count(Standing::waiting) == 1);
  CHECK(rollout.failures().size() == 3);
}

TEST_CASE("rollout: nothing to take back") {
  Rollout rollout(policy(1, 7, OnFailure::rollback_all), arenas(3));
  REQUIRE(handed_over(rollout) == "1");
  rollout.failed(id(1), "signal 6");
  const Rollout::Next next = rollout.next(kMany);
  CHECK(next.give_back.empty());
  CHECK_FALSE(next.make_old_current);  // it is current still
  CHECK(rollout.state() == State::failed);
  CHECK(rollout.is_over());
}

TEST_CASE("rollout: an arena that is postponed is named again, and its wave waits for it") {
  SUBCASE("the canary") {
    Rollout rollout(policy(1, 2), arenas(3));
    REQUIRE(handed_over(rollout) == "1");
    for (int i = 0; i < 3; ++i) {
      rollout.postponed(id(1));
      CHECK(rollout.wants_workers());
      const Rollout::Next next = rollout.next(kMany);
      CHECK(names(next.hand_over) == "1");
      CHECK_FALSE(next.make_current);
    }
  }
  SUBCASE("in a wave") {
    Rollout rollout = rolling(policy(1, 2), 5, 1);
    REQUIRE(handed_over(rollout) == "2 3");
    pass(rollout, {3});
    rollout.postponed(id(2));
    CHECK(handed_over(rollout) == "2");
    CHECK(handed_over(rollout).empty());
    pass(rollout, {2});
    CHECK(handed_over(rollout) == "4 5");
  }
}

TEST_CASE("rollout: arenas that begin meanwhile") {
  SUBCASE("come last, and before it is done") {
    Rollout rollout = rolling(policy(1, 2), 2, 1);
    REQUIRE(handed_over(rollout) == "2");
    rollout.add(id(3));
    rollout.add(id(4));
    CHECK(rollout.total() == 4);
    CHECK(handed_over(rollout).empty());  // not of this wave
    pass(rollout, {2});
    CHECK(handed_over(rollout) == "3 4");
  }
  SUBCASE("one that is known already changes nothing") {
    Rollout rollout = rolling(policy(1, 2), 2, 1);
    rollout.add(id(1));
    rollout.add(id(2));
    CHECK(rollout.total() == 2);
    CHECK(rollout.count(Standing::passed) == 1);
    CHECK(handed_over(rollout) == "2");
    rollout.add(id(2));
    CHECK(rollout.count(Standing::on_the_way) == 1);
  }
  SUBCASE("count for the size of the next wave") {
    Rollout rollout({.canary = 1, .batch = 0, .batch_percent = 50, .on_failure = OnFailure::stop}, arenas(2));
    REQUIRE(handed_over(rollout) == "1");
    for (uint64_t number = 3; number <= 6; ++number) rollout.add(id(number));
    pass(rollout, {1});
    CHECK(handed_over(rollout) == "2 3 4");
  }
  SUBCASE("after it has failed: they keep the old code") {
    Rollout rollout = rolling(policy(1, 2), 3, 1);
    REQUIRE(handed_over(rollout) == "2 3");
    rollout.failed(id(2), "signal 6");
    rollout.add(id(4));
    CHECK(handed_over(rollout).empty());
  }
}

TEST_CASE("rollout: arenas that are gone") {
  SUBCASE("the canary: another one is, and nothing is current before one has passed") {
    Rollout rollout(policy(1, 2), arenas(3));
    REQUIRE(handed_over(rollout) == "1");
    rollout.gone(id(1));
    Rollout::Next next = rollout.next(kMany);
    CHECK(names(next.hand_over) == "2");
    CHECK_FALSE(next.make_current);
    CHECK(rollout.state() == State::canary);
    rollout.live(id(2));
    rollout.gone(id(2));
    CHECK(handed_over(rollout) == "3");
    pass(rollout, {3});
    next = rollout.next(kMany);
    CHECK(next.make_current);
    CHECK(rollout.state() == State::done);
  }
  SUBCASE("all of them") {
    Rollout rollout(policy(3, 2), arenas(3));
    REQUIRE(handed_over(rollout) == "1 2 3");
    for (const uint64_t number : {1, 2, 3}) rollout.gone(id(number));
    CHECK(rollout.next(kMany).make_current);
    CHECK(rollout.is_over());
    CHECK(rollout.count(Standing::gone) == 3);
  }
  SUBCASE("settle their wave") {
    Rollout rollout = rolling(policy(1, 2), 5, 1);
    REQUIRE(handed_over(rollout) == "2 3");
    rollout.gone(id(2));
    CHECK(handed_over(rollout).empty());
    rollout.live(id(3));
    rollout.gone(id(3));
    CHECK(handed_over(rollout) == "4 5");
  }
  SUBCASE("after they have passed: the wave that runs waits for its own") {
    Rollout rollout = rolling(policy(1, 2), 5, 1);
    REQUIRE(handed_over(rollout) == "2 3");
    rollout.gone(id(1));
    pass(rollout, {2});
    CHECK(handed_over(rollout).empty());
    pass(rollout, {3});
    CHECK(handed_over(rollout) == "4 5");
    CHECK(rollout.count(Standing::gone) == 1);
  }
  SUBCASE("after they were postponed: they are not named again") {
    Rollout rollout = rolling(policy(1, 2), 5, 1);
    REQUIRE(handed_over(rollout) == "2 3");
    rollout.postponed(id(2));
    rollout.gone(id(2));
    CHECK(handed_over(rollout).empty());
    pass(rollout, {3});
    CHECK(handed_over(rollout) == "4 5");
  }
}

// ---- Under the next arenad ----

namespace {

Rollout::Entry entry(uint64_t number, Standing standing) {
  return {id(number), standing, standing == Standing::failed ? "signal 11" : ""};
}

// The standing of an arena that was written to stand so.
Standing now(State state, Standing written, const ArenaNow& arena) {
  return entry_now(state, entry(1, written), arena).standing;
}

constexpr std::array kForward = {State::canary, State::rolling};
constexpr std::array kBackward = {State::rolling_back, State::failed, State::aborted};

const ArenaNow kGone{.runs = ArenaNow::Runs::gone, .failure = {}};
const ArenaNow kNew{.runs = ArenaNow::Runs::new_code, .failure = {}};
const ArenaNow kNewOnProbation{.runs = ArenaNow::Runs::new_code, .on_probation = true, .failure = {}};
const ArenaNow kOld{.runs = ArenaNow::Runs::other_code, .failure = {}};
const ArenaNow kOldOnProbation{.runs = ArenaNow::Runs::other_code, .on_probation = true, .failure = {}};
const ArenaNow kSetBack{.runs = ArenaNow::Runs::other_code, .has_lived = false, .failure = {}};
const ArenaNow kTakenBack{.runs = ArenaNow::Runs::other_code, .on_probation = true, .failure = "signal 7"};
const ArenaNow kCouldNotBeTakenBack{.runs = ArenaNow::Runs::new_code, .failure = "signal 7"};

}  // namespace

TEST_CASE("rollout: the words in the database") {
  for (const State state : {State::canary, State::rolling, State::rolling_back, State::done, State::failed, State::aborted}) {
    CHECK(parse_rollout_state(to_string(state)) == state);
  }
  for (const Standing standing : {Standing::waiting, Standing::on_the_way, Standing::on_probation, Standing::passed,
                                  Standing::failed, Standing::gone, Standing::going_back, Standing::back}) {
    CHECK(parse_standing(to_string(standing)) == standing);
  }
  for (const OnFailure on_failure : {OnFailure::stop, OnFailure::rollback_all}) {
    CHECK(parse_on_failure(to_string(on_failure)) == on_failure);
  }
  CHECK(parse_rollout_state("paused") == std::nullopt);
  CHECK(parse_standing("") == std::nullopt);
  CHECK(parse_on_failure("rollback_all") == std::nullopt);
}

TEST_CASE("rollout: what an arena does now counts more than what was written of it") {
  for (const State state : {State::canary, State::rolling, State::rolling_back, State::failed, State::aborted}) {
    for (const Standing written : {Standing::waiting, Standing::on_the_way}) {
      CHECK(now(state, written, kOld) == Standing::waiting);
      CHECK(now(state, written, kSetBack) == Standing::waiting);
      CHECK(now(state, written, kNewOnProbation) == Standing::on_probation);
      CHECK(now(state, written, kNew) == Standing::passed);
      CHECK(now(state, written, kTakenBack) == Standing::failed);
      CHECK(now(state, written, kGone) == Standing::waiting);  // it is found to be gone when it is its turn
    }
    CHECK(now(state, Standing::on_probation, kNewOnProbation) == Standing::on_probation);
    CHECK(now(state, Standing::on_probation, kNew) == Standing::passed);
    CHECK(now(state, Standing::on_probation, kTakenBack) == Standing::failed);
    CHECK(now(state, Standing::on_probation, kCouldNotBeTakenBack) == Standing::failed);
    CHECK(now(state, Standing::on_probation, kOld) == Standing::failed);  // taken back, and nobody has seen it
    CHECK(now(state, Standing::on_probation, kSetBack) == Standing::waiting);
    CHECK(now(state, Standing::on_probation, kGone) == Standing::gone);
    CHECK(now(state, Standing::passed, kNew) == Standing::passed);
    CHECK(now(state, Standing::passed, kGone) == Standing::passed);
    CHECK(now(state, Standing::going_back, kGone) == Standing::gone);
    for (const ArenaNow& any : {kGone, kNew, kOld, kTakenBack}) {
      for (const Standing settled : {Standing::failed, Standing::gone, Standing::back})
        CHECK(now(state, settled, any) == settled);
    }
  }
  for (const State state : kForward) CHECK(now(state, Standing::passed, kOld) == Standing::waiting);
  for (const State state : kBackward) {
    for (const Standing written : {Standing::passed, Standing::going_back}) {
      CHECK(now(state, written, kOldOnProbation) == Standing::going_back);
      CHECK(now(state, written, kOld) == Standing::back);
      CHECK(now(state, written, kNew) == Standing::passed);
    }
  }
  CHECK(entry_now(State::rolling, entry(1, Standing::on_probation), kTakenBack).why == "signal 7");
  CHECK(entry_now(State::rolling, entry(1, Standing::on_probation), kOld).why.find("no arenad was there") != std::string::npos);
  CHECK(entry_now(State::failed, entry(1, Standing::failed), kOld).why == "signal 11");
}

TEST_CASE("rollout: under the next arenad it goes on where it was") {
  using enum Rollout::Standing;
  SUBCASE("a canary is as large as was asked for") {
    Rollout rollout(policy(3, 2), State::canary, false,
                    {entry(1, passed), entry(2, on_probation), entry(3, waiting), entry(4, waiting), entry(5, waiting)});
    CHECK(rollout.total() == 5);
    CHECK(handed_over(rollout) == "3");
    rollout.passed(id(2));
    CHECK_FALSE(rollout.next(kMany).make_current);
    pass(rollout, {3});
    const Rollout::Next next = rollout.next(kMany);
    CHECK(next.make_current);
    CHECK(names(next.hand_over) == "4 5");
  }
  SUBCASE("one of which nobody had begun begins") {
    Rollout rollout(policy(2, 2), State::canary, false, {entry(1, waiting), entry(2, waiting), entry(3, waiting)});
    CHECK(handed_over(rollout) == "1 2");
  }
  SUBCASE("a wave waits for those that are on their way") {
    Rollout rollout(policy(1, 2), State::rolling, true,
                    {entry(1, passed), entry(2, on_probation), entry(3, waiting), entry(4, waiting)});
    Rollout::Next next = rollout.next(kMany);
    CHECK(next.hand_over.empty());
    CHECK_FALSE(next.make_current);  // it is
    rollout.passed(id(2));
    CHECK(handed_over(rollout) == "3 4");
    pass(rollout, {3, 4});
    (void)rollout.next(kMany);
    CHECK(rollout.state() == State::done);
    CHECK(rollout.is_over());
  }
  SUBCASE("a canary that has passed meanwhile makes it current") {
    Rollout rollout(policy(1, 2), State::canary, false, {entry(1, passed), entry(2, waiting)});
    const Rollout::Next next = rollout.next(kMany);
    CHECK(next.make_current);
    CHECK(names(next.hand_over) == "2");
  }
  SUBCASE("one that has failed meanwhile stops it") {
    Rollout rollout(policy(1, 2), State::rolling, true, {entry(1, passed), entry(2, failed), entry(3, waiting)});
    CHECK(rollout.state() == State::failed);
    CHECK_FALSE(rollout.is_over());
    const Rollout::Next next = rollout.next(kMany);
    CHECK(next.make_old_current);
    CHECK(next.hand_over.empty());
    CHECK(rollout.is_over());
    REQUIRE(rollout.failures().size() == 1);
    CHECK(rollout.failures()[0].why == "signal 11");
  }
  SUBCASE("or takes everything back") {
    Rollout rollout(policy(1, 2, OnFailure::rollback_all), State::rolling, true,
                    {entry(1, passed), entry(2, failed), entry(3, waiting)});
    const Rollout::Next next = rollout.next(kMany);
    CHECK(next.make_old_current);
    CHECK(names(next.give_back) == "1");
  }
  SUBCASE("what was being taken back is taken back to the end") {
    Rollout rollout(policy(1, 2, OnFailure::rollback_all), State::rolling_back, false,
                    {entry(1, back), entry(2, going_back), entry(3, passed), entry(4, failed), entry(5, on_probation)});
    const Rollout::Next next = rollout.next(kMany);
    CHECK(names(next.give_back) == "3");
    CHECK_FALSE(next.make_old_current);
    rollout.passed(id(2));
    rollout.passed(id(3));
    rollout.passed(id(5));
    CHECK(names(rollout.next(kMany).give_back) == "5");
    rollout.passed(id(5));
    (void)rollout.next(kMany);
    CHECK(rollout.state() == State::failed);
    CHECK(rollout.is_over());
    CHECK(rollout.count(back) == 4);
  }
  SUBCASE("one that was over is over, and all is as it was") {
    Rollout rollout(policy(1, 2), State::failed, false,
                    {entry(1, passed), entry(2, failed), entry(3, gone), entry(4, waiting)});
    CHECK(rollout.is_over());
    CHECK(rollout.count(waiting) == 1);
    CHECK(rollout.entry(id(2)).why == "signal 11");
    rollout.add(id(9));
    CHECK(rollout.total() == 4);
  }
}

TEST_CASE("rollout: what has changed is told once") {
  Rollout rollout(policy(1, 2), arenas(3));
  CHECK(rollout.take_changed() == std::vector<size_t>{0, 1, 2});
  CHECK(rollout.take_changed().empty());
  REQUIRE(handed_over(rollout) == "1");
  CHECK(rollout.take_changed() == std::vector<size_t>{0});
  rollout.live(id(1));
  rollout.add(id(4));
  CHECK(rollout.take_changed() == std::vector<size_t>{0, 3});
  rollout.failed(id(1), "signal 11");
  CHECK(rollout.take_changed() == std::vector<size_t>{0});
  CHECK(rollout.entry(id(1)).why == "signal 11");
  CHECK(rollout.entry(id(4)).standing == Standing::waiting);
}

namespace {

// Carries out what a rollout asks for, with random facts in an order that can be, and checks everything that it asks for.
class RandomRollout {
 public:
  explicit RandomRollout(uint64_t seed) : random_(seed), policy_(some_policy()), rollout_(policy_, arenas(random_.below(14))) {
    last_ = rollout_.total();
    is_canary_ = policy_.canary != 0;
  }

  void run() {
    for (uint64_t i = random_.below(150); i > 0; --i) {
      order();
      ask(random_.below(7));
      some_fact(true);
      if (random_.one_in(25)) begin_anew();
    }
    // From here on everybody settles.
    rollout_.resume();
    for (int i = 0; !rollout_.is_over(); ++i) {
      REQUIRE(i < 1000);
      ask(1 + random_.below(6));
      some_fact(false);
    }
    check_end();
  }

 private:
  RolloutPolicy some_policy() {
    return {.canary = static_cast<uint32_t>(random_.below(5)),
            .batch = random_.one_in(2) ? 0 : static_cast<uint32_t>(1 + random_.below(6)),
            .batch_percent = static_cast<uint32_t>(random_.below(120)),
            .on_failure = random_.one_in(2) ? OnFailure::stop : OnFailure::rollback_all};
  }

  void order() {
    if (random_.one_in(15)) rollout_.pause();
    if (random_.one_in(5)) rollout_.resume();
    if (random_.one_in(150)) {
      aborted_ |= goes_forward() || rollout_.state() == State::rolling_back;
      rollout_.abort();
    }
    if (random_.one_in(12)) rollout_.add(id(++last_));
  }

  [[nodiscard]] bool goes_forward() const { return rollout_.state() == State::canary || rollout_.state() == State::rolling; }

  void ask(size_t workers) {
    const bool was_over = rollout_.is_over();
    const bool may_hand_over = goes_forward() && !rollout_.is_paused();
    if (goes_forward()) begin_wave_if_it_is_time();
    const Rollout::Next next = rollout_.next(workers);
    if (!next.hand_over.empty()) REQUIRE(may_hand_over);
    if (was_over) REQUIRE((next.hand_over.empty() && next.give_back.empty() && !next.make_current && !next.make_old_current));
    for (const ArenaId arena : next.hand_over) begin_handover(arena);
    if (!next.hand_over.empty()) REQUIRE(on_the_way_.size() <= std::min(workers, kAtOnce));
    for (const ArenaId arena : next.give_back) {
      REQUIRE(policy_.on_failure == OnFailure::rollback_all);
      REQUIRE(failed_going_forward_);
      REQUIRE(passed_.erase(arena) == 1);
      going_back_.insert(arena);
    }
    REQUIRE(going_back_.size() <= kAtOnce);
    if (next.make_current) {
      REQUIRE_FALSE(made_current_);
      REQUIRE_FALSE(failed_going_forward_);
      REQUIRE((!is_canary_ || rollout_.state() == State::done));
      made_current_ = true;
    }
    if (next.make_old_current) {
      REQUIRE((made_current_ && !made_old_current_ && (failed_going_forward_ || aborted_)));
      made_old_current_ = true;
    }
    check_counts();
  }

  // When all of the one before have settled.
  void begin_wave_if_it_is_time() {
    if (wave_.size() != wave_size_ || !on_the_way_.empty() || !on_probation_.empty() || !postponed_.empty()) return;
    is_canary_ &= rollout_.count(Standing::passed) == 0;
    const size_t batch =
        policy_.batch != 0 ? policy_.batch : std::max<size_t>(1, (rollout_.total() * policy_.batch_percent + 99) / 100);
    wave_.clear();
    wave_size_ = std::min(is_canary_ ? policy_.canary : batch, rollout_.count(Standing::waiting));
  }

  void begin_handover(ArenaId arena) {
    REQUIRE_FALSE((on_the_way_.contains(arena) || on_probation_.contains(arena) || going_back_.contains(arena)));
    REQUIRE_FALSE((passed_.contains(arena) || settled_otherwise_.contains(arena)));
    REQUIRE(wave_.insert(arena).second != postponed_.contains(arena));
    REQUIRE(wave_.size() <= wave_size_);
    postponed_.erase(arena);
    on_the_way_.insert(arena);
  }

  ArenaId one_of(const std::set<ArenaId>& ids) {
    return *std::next(ids.begin(), static_cast<std::ptrdiff_t>(random_.below(ids.size())));
  }

  void some_fact(bool may_postpone) {
    const uint64_t which = random_.below(3);
    if (random_.one_in(20) && !passed_.empty()) {  // it has ended by itself
      const ArenaId arena = one_of(passed_);
      passed_.erase(arena);
      gone(arena);
    } else if (random_.one_in(20) && !postponed_.empty()) {
      const ArenaId arena = one_of(postponed_);
      postponed_.erase(arena);
      gone(arena);
    } else if (which == 0 && !on_the_way_.empty()) {
      const ArenaId arena = one_of(on_the_way_);
      on_the_way_.erase(arena);
      if (may_postpone && random_.one_in(6)) {
        postponed_.insert(arena);
        return rollout_.postponed(arena);
      }
      if (random_.one_in(12)) return gone(arena);
      if (random_.one_in(40)) return failed(arena);
      on_probation_.insert(arena);
      rollout_.live(arena);
    } else if (which == 1 && !on_probation_.empty()) {
      const ArenaId arena = one_of(on_probation_);
      on_probation_.erase(arena);
      if (random_.one_in(12)) return gone(arena);
      if (random_.one_in(25)) return failed(arena);
      passed_.insert(arena);
      rollout_.passed(arena);
    } else if (which == 2 && !going_back_.empty()) {
      const ArenaId arena = one_of(going_back_);
      if (random_.one_in(3)) return rollout_.live(arena);
      going_back_.erase(arena);
      if (may_postpone && random_.one_in(4)) {
        passed_.insert(arena);
        return rollout_.postponed(arena);
      }
      if (random_.one_in(12)) return gone(arena);
      if (random_.one_in(4)) {
        const bool is_tried_again = rollout_.state() == State::rolling_back && ++tries_back_[arena] < Rollout::kGiveBackTries;
        (is_tried_again ? passed_ : settled_otherwise_).insert(arena);
        failures_ += is_tried_again ? 0 : 1;
        return rollout_.failed(arena, "signal 6");
      }
      settled_otherwise_.insert(arena);
      rollout_.passed(arena);
    }
  }

  // arenad dies, and each arena comes on by itself before the next one looks.
  void begin_anew() {
    const State state = rollout_.state();
    const bool was_paused = rollout_.is_paused();
    const bool went_forward = goes_forward();
    std::vector<Rollout::Entry> entries;
    for (const ArenaId arena : rollout_.order()) {
      const Rollout::Entry written = rollout_.entry(arena);
      entries.push_back(entry_now(state, written, arena_now(written.standing)));
      if (entries.back().standing != written.standing) move(written, entries.back().standing);
    }
    rollout_ = Rollout(policy_, state, made_current_ && !made_old_current_, entries);
    if (was_paused) rollout_.pause();
    failed_going_forward_ |= went_forward && failures_ != 0;
    tries_back_.clear();
    postponed_.clear();
    wave_ = on_probation_;
    wave_size_ = wave_.size();
    if (rollout_.state() == State::canary) {
      const size_t begun = on_probation_.size() + passed_.size() + rollout_.count(Standing::gone);
      wave_.insert(passed_.begin(), passed_.end());
      for (const ArenaId arena : rollout_.order()) {
        if (rollout_.entry(arena).standing == Standing::gone) wave_.insert(arena);
      }
      wave_size_ = begun == 0 || begun >= policy_.canary
                       ? wave_.size()
                       : std::min<size_t>(policy_.canary, begun + rollout_.count(Standing::waiting));
    }
    check_counts();
  }

  ArenaNow arena_now(Standing standing) {
    using enum ArenaNow::Runs;
    const ArenaNow nows[] = {
        {.runs = new_code, .failure = {}},           {.runs = new_code, .on_probation = true, .failure = {}},
        {.runs = other_code, .failure = {}},         {.runs = other_code, .on_probation = true, .failure = {}},
        {.runs = other_code, .failure = "signal 7"}, {.runs = gone_now, .failure = {}}};
    switch (standing) {
      case Standing::waiting:
        return nows[2];
      case Standing::on_the_way:
        return nows[random_.below(random_.one_in(10) ? 3 : 2)];
      case Standing::on_probation:
        return random_.one_in(20) ? nows[random_.one_in(2) ? 5 : 4] : nows[random_.below(2)];
      case Standing::going_back:
        return random_.one_in(2) ? nows[random_.one_in(2) ? 2 : 3] : nows[random_.one_in(5) ? 5 : 0];
      case Standing::passed:
      case Standing::failed:
      case Standing::gone:
      case Standing::back:
        return nows[0];
    }
    return nows[0];
  }
  static constexpr auto gone_now = ArenaNow::Runs::gone;

  void move(const Rollout::Entry& from, Standing to) {
    for (auto* set : {&on_the_way_, &on_probation_, &going_back_, &passed_}) set->erase(from.arena);
    switch (to) {
      case Standing::waiting:
      case Standing::on_the_way:
        break;
      case Standing::on_probation:
        on_probation_.insert(from.arena);
        break;
      case Standing::passed:
        passed_.insert(from.arena);
        break;
      case Standing::going_back:
        going_back_.insert(from.arena);
        break;
      case Standing::failed:
        ++failures_;
        settled_otherwise_.insert(from.arena);
        break;
      case Standing::gone:
      case Standing::back:
        settled_otherwise_.insert(from.arena);
        break;
    }
  }

  void gone(ArenaId arena) {
    settled_otherwise_.insert(arena);
    rollout_.gone(arena);
  }

  void failed(ArenaId arena) {
    failed_going_forward_ |= goes_forward();
    settled_otherwise_.insert(arena);
    ++failures_;
    rollout_.failed(arena, "signal 11");
    REQUIRE_FALSE(goes_forward());
  }

  void check_counts() const {
    REQUIRE(rollout_.count(Standing::on_the_way) == on_the_way_.size());
    REQUIRE(rollout_.count(Standing::on_probation) == on_probation_.size());
    REQUIRE(rollout_.count(Standing::going_back) == going_back_.size());
    REQUIRE(rollout_.count(Standing::passed) == passed_.size());
    REQUIRE(rollout_.failures().size() == failures_);
    size_t all = 0;
    for (const Standing standing : {Standing::waiting, Standing::on_the_way, Standing::on_probation, Standing::passed,
                                    Standing::failed, Standing::gone, Standing::going_back, Standing::back}) {
      all += rollout_.count(standing);
    }
    REQUIRE(all == rollout_.total());
  }

  void check_end() {
    check_counts();
    REQUIRE((on_the_way_.empty() && on_probation_.empty() && going_back_.empty()));
    if (rollout_.state() != State::done) REQUIRE(made_current_ == made_old_current_);
    if (aborted_) {
      REQUIRE(rollout_.state() == State::aborted);
    } else if (failed_going_forward_) {
      REQUIRE(rollout_.state() == State::failed);
      if (policy_.on_failure == OnFailure::rollback_all) {
        REQUIRE(passed_.empty());
      }
    } else {
      REQUIRE(rollout_.state() == State::done);
      REQUIRE(made_current_);
      REQUIRE(failures_ == 0);
    }
    ask(kMany);  // and nothing follows
  }

  Random random_;
  RolloutPolicy policy_;
  Rollout rollout_;
  uint64_t last_ = 0;
  std::set<ArenaId> on_the_way_, on_probation_, going_back_, passed_, settled_otherwise_;
  std::set<ArenaId> wave_;  // handed over, of the wave that runs
  std::set<ArenaId> postponed_;
  std::map<ArenaId, uint32_t> tries_back_;
  size_t wave_size_ = 0;
  bool is_canary_ = false;
  size_t failures_ = 0;
  bool failed_going_forward_ = false;
  bool aborted_ = false;
  bool made_current_ = false;
  bool made_old_current_ = false;
};

}  // namespace

TEST_CASE("rollout: random facts") {
  Random random(test_seed());
  for (int round = 0; round < 3000; ++round) RandomRollout(random()).run();
}
