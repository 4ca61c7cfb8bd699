// Whether a worker still makes progress: every state with everything that can be seen, and an observer that was itself stopped.
#include "supervisor/hang_detector.h"

#include <array>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using namespace arenad;
using arenad::test::Random;
using arenad::test::test_seed;

constexpr uint64_t kMs = 1'000'000;
constexpr HangPolicy kPolicy = {.interval_ns = 50 * kMs, .soft_ns = 100 * kMs, .hard_ns = 300 * kMs, .grace_ns = 100 * kMs};

constexpr std::array kActivities = {WorkerActivity::starting, WorkerActivity::between_frames, WorkerActivity::in_frame};

const char* name_of(HangAction action) {
  switch (action) {
    case HangAction::none:
      return "none";
    case HangAction::look:
      return "look";
    case HangAction::record_slow:
      return "slow";
    case HangAction::abort:
      return "abort";
    case HangAction::kill:
      return "kill";
  }
  return "?";
}

// An observer that comes every interval, and the worker that it sees.
struct Watch {
  explicit Watch(const HangPolicy& given = kPolicy) : policy(given) {}
  HangAction look(WorkerActivity activity) { return detector.observe(policy, now_ns += policy.interval_ns, beats, activity); }
  HangAction moved(WorkerActivity activity) {
    ++beats;
    return look(activity);
  }
  HangPolicy policy;
  HangDetector detector;
  uint64_t now_ns = 1000 * kMs;
  uint64_t beats = 7;
};

enum class State { unseen, moving, stalled, slow, told_slow, long_stalled, nearly_hung, aborted, in_grace };
constexpr std::array<const char*, 9> kStateNames = {"unseen",       "moving",      "stalled", "slow",    "told slow",
                                                    "long stalled", "nearly hung", "aborted", "in grace"};

// The last of these observations are between frames, so that nothing was recorded as slow, but for told_slow.
Watch in_state(State state) {
  Watch watch;
  if (state == State::unseen) return watch;
  (void)watch.look(WorkerActivity::between_frames);
  const auto stalled_for = [&](uint64_t intervals, WorkerActivity activity) {
    for (uint64_t i = 0; i < intervals; ++i) (void)watch.look(activity);
  };
  switch (state) {
    case State::unseen:
    case State::moving:
      break;
    case State::stalled:  // the next look reaches the soft limit
      stalled_for(1, WorkerActivity::between_frames);
      break;
    case State::slow:  // it is reached; it was not in a frame. The next look reaches half of the hard limit
      stalled_for(2, WorkerActivity::between_frames);
      break;
    case State::told_slow:
      stalled_for(2, WorkerActivity::in_frame);
      break;
    case State::long_stalled:  // half of the hard limit is long past
      stalled_for(4, WorkerActivity::in_frame);
      break;
    case State::nearly_hung:  // the next look reaches the hard limit
      stalled_for(5, WorkerActivity::in_frame);
      break;
    case State::aborted:
      stalled_for(6, WorkerActivity::in_frame);
      REQUIRE(watch.detector.has_hung());
      break;
    case State::in_grace:  // the next look ends it
      stalled_for(7, WorkerActivity::in_frame);
      break;
  }
  return watch;
}

struct Row {
  State state;
  // starting, between frames, in a frame: first one that has moved, then one that has not.
  std::array<const char*, 6> expected;
};

// Written from the table at the head of hang_detector.h.
constexpr std::array<Row, 9> kTable = {{
    {State::unseen, {"none", "none", "none", "none", "none", "none"}},
    {State::moving, {"none", "none", "none", "none", "none", "none"}},
    {State::stalled, {"none", "none", "none", "none", "none", "slow"}},
    {State::slow, {"none", "none", "none", "none", "look", "slow"}},
    {State::told_slow, {"none", "none", "none", "none", "look", "none"}},
    {State::long_stalled, {"none", "none", "none", "none", "look", "none"}},
    {State::nearly_hung, {"none", "none", "none", "none", "abort", "abort"}},
    {State::aborted, {"none", "none", "none", "none", "none", "none"}},
    {State::in_grace, {"kill", "kill", "kill", "kill", "kill", "kill"}},
}};

}  // namespace

TEST_CASE("hang detector: every state, everything that can be seen") {
  for (const Row& row : kTable) {
    for (size_t i = 0; i < 6; ++i) {
      Watch watch = in_state(row.state);
      const WorkerActivity activity = kActivities[i % 3];
      const std::string cell = std::string(kStateNames[static_cast<size_t>(row.state)]) + " x " +
                               (i < 3 ? "moved" : "not moved") + ", activity " + std::to_string(i % 3);
      CAPTURE(cell);
      const HangAction action = i < 3 ? watch.moved(activity) : watch.look(activity);
      CHECK(std::string(name_of(action)) == row.expected[i]);
    }
  }
}

TEST_CASE("hang detector: a frame is recorded as slow once for each stall") {
  Watch watch;
  for (int stall = 0; stall < 3; ++stall) {
    CHECK(watch.moved(WorkerActivity::in_frame) == HangAction::none);
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::record_slow);
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
  }
  CHECK_FALSE(watch.detector.has_hung());
}

TEST_CASE("hang detector: abort once, and kill until it is dead, whatever moves meanwhile") {
  Watch watch = in_state(State::aborted);
  CHECK(watch.moved(WorkerActivity::in_frame) == HangAction::none);
  for (int i = 0; i < 5; ++i) CHECK(watch.moved(WorkerActivity::in_frame) == HangAction::kill);
  CHECK(watch.look(WorkerActivity::between_frames) == HangAction::kill);
  SUBCASE("the next worker begins anew") {
    watch.detector.reset();
    CHECK_FALSE(watch.detector.has_hung());
    CHECK(watch.detector.stalled_ns() == 0);
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
  }
}

TEST_CASE("hang detector: one that waits for its tick is woken, and is healthy if it moves then") {
  Watch watch;
  for (int i = 0; i < 100; ++i) {
    const HangAction action = watch.look(WorkerActivity::between_frames);
    REQUIRE(action != HangAction::abort);
    if (action == HangAction::look) ++watch.beats;
  }
}

TEST_CASE("hang detector: starting may take as long as it takes") {
  Watch watch;
  for (int i = 0; i < 1000; ++i) REQUIRE(watch.look(WorkerActivity::starting) == HangAction::none);
  CHECK(watch.detector.stalled_ns() == 0);
  CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
  CHECK(watch.detector.stalled_ns() == kPolicy.interval_ns);
}

TEST_CASE("hang detector: limits that are switched off") {
  Watch watch;
  SUBCASE("soft: the hard one still holds, and one between frames is looked at before it") {
    watch.policy.soft_ns = 0;
    (void)watch.look(WorkerActivity::in_frame);
    for (int i = 0; i < 4; ++i) CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
    CHECK(watch.look(WorkerActivity::between_frames) == HangAction::look);
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::abort);
  }
  SUBCASE("hard: slow frames are recorded, nothing is ended") {
    watch.policy.hard_ns = 0;
    int slow = 0;
    for (int i = 0; i < 1000; ++i) {
      const HangAction action = watch.look(WorkerActivity::in_frame);
      REQUIRE((action == HangAction::none || action == HangAction::record_slow));
      if (action == HangAction::record_slow) ++slow;
    }
    CHECK(slow == 1);
  }
  SUBCASE("both: nothing ever happens") {
    watch.policy.soft_ns = watch.policy.hard_ns = 0;
    for (int i = 0; i < 1000; ++i) REQUIRE(watch.look(kActivities[static_cast<size_t>(i % 3)]) == HangAction::none);
  }
}

TEST_CASE("hang detector: the limits, to the nanosecond") {
  HangPolicy policy = kPolicy;
  policy.interval_ns = policy.hard_ns;  // one step reaches it
  HangDetector before;
  HangDetector at;
  (void)before.observe(policy, kMs, 1, WorkerActivity::between_frames);
  (void)at.observe(policy, kMs, 1, WorkerActivity::between_frames);
  CHECK(before.observe(policy, kMs + policy.hard_ns - 1, 1, WorkerActivity::between_frames) == HangAction::look);
  CHECK(at.observe(policy, kMs + policy.hard_ns, 1, WorkerActivity::between_frames) == HangAction::abort);
}

TEST_CASE("hang detector: an observer that was stopped counts two of its intervals, however long the gap was") {
  for (const uint64_t gap_ns : {100 * kMs, 101 * kMs, 10'000 * kMs, UINT64_MAX / 4}) {
    Watch watch;
    (void)watch.look(WorkerActivity::in_frame);
    watch.now_ns += gap_ns;
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::record_slow);
    CHECK(watch.detector.stalled_ns() == 2 * kPolicy.interval_ns);
  }
  SUBCASE("a gap in the grace does not use it up") {
    Watch watch = in_state(State::aborted);
    watch.policy.grace_ns = 200 * kMs;
    watch.now_ns += 10'000 * kMs;
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
    watch.now_ns += 10'000 * kMs;
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::kill);
  }
  SUBCASE("a time before the last one counts as the same time") {
    Watch watch;
    (void)watch.look(WorkerActivity::in_frame);
    watch.now_ns -= 500 * kMs;
    CHECK(watch.look(WorkerActivity::in_frame) == HangAction::none);
    CHECK(watch.detector.stalled_ns() == 0);
  }
}

TEST_CASE("hang detector: a healthy worker is never ended, however late its observer comes") {
  Random random(test_seed());
  Watch watch;
  for (int i = 0; i < 100'000; ++i) {
    watch.now_ns += random.one_in(50) ? random.below(60'000 * kMs) : random.below(60 * kMs);
    // It gets on at least every second look: a frame takes less than the observer's interval.
    if (i % 2 == 0 || random.one_in(2)) ++watch.beats;
    const HangAction action = watch.look(kActivities[random.below(kActivities.size())]);
    REQUIRE((action == HangAction::none || action == HangAction::look || action == HangAction::record_slow));
  }
}

TEST_CASE("hang detector: one that hangs is aborted once and then killed, whatever the observer's pace") {
  Random random(test_seed());
  for (int round = 0; round < 1000; ++round) {
    Watch watch;
    (void)watch.look(WorkerActivity::in_frame);
    int aborts = 0;
    int looks = 0;
    for (HangAction action = HangAction::none; action != HangAction::kill; ++looks) {
      REQUIRE(looks < 100);
      watch.now_ns += random.one_in(5) ? random.below(10'000 * kMs) : random.below(50 * kMs);
      action = watch.look(random.one_in(2) ? WorkerActivity::in_frame : WorkerActivity::between_frames);
      if (action == HangAction::abort) ++aborts;
      if (action == HangAction::kill) REQUIRE(aborts == 1);
    }
    REQUIRE(aborts == 1);
  }
}

TEST_CASE("hang detector: when the worker is known to have been alive") {
  Watch watch;
  CHECK(watch.detector.alive_ns(watch.beats) == 0);
  watch.look(WorkerActivity::in_frame);
  const uint64_t first_ns = watch.now_ns;
  CHECK(watch.detector.alive_ns(watch.beats) == 0);
  // It moved after that look, so at that look it was alive; whether it is at the next one, nobody knows.
  watch.moved(WorkerActivity::in_frame);
  CHECK(watch.detector.alive_ns(watch.beats) == first_ns);
  watch.look(WorkerActivity::in_frame);
  CHECK(watch.detector.alive_ns(watch.beats) == first_ns);
  // After the last look, as its region tells when it is dead.
  CHECK(watch.detector.alive_ns(watch.beats + 1) == watch.now_ns);
  watch.detector.reset();
  CHECK(watch.detector.alive_ns(watch.beats + 1) == 0);
}
