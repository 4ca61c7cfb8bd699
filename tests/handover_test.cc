// One arena's change of code: how often the old code is asked, and when the new one has passed.
#include "supervisor/handover.h"

#include <doctest/doctest.h>

namespace {

using namespace arenad;
using Step = Handover::Step;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kBegan = 1000 * kMs;
constexpr FrameNumber kFrom{800};
constexpr uint32_t kTickHz = 60;
constexpr Probation kProbation = {.ns = 500 * kMs, .frames = 100};

Handover on_probation(const Probation& probation = kProbation) {
  Handover handover(probation);
  handover.finished();
  handover.live(kBegan, kFrom);
  return handover;
}

}  // namespace

TEST_CASE("handover: its steps") {
  Handover handover(kProbation);
  CHECK(handover.step() == Step::finishing);
  handover.finished();
  CHECK(handover.step() == Step::loading);
  handover.live(kBegan, kFrom);
  CHECK(handover.step() == Step::probation);
  CHECK(handover.from() == kFrom);
  handover.take_back();
  CHECK(handover.step() == Step::taking_back);
  CHECK(handover.from() == kFrom);
}

TEST_CASE("handover: the old code is asked kTries times in all") {
  Handover handover(kProbation);
  for (uint32_t asked = 1; asked < Handover::kTries; ++asked) CHECK(handover.try_again());
  CHECK_FALSE(handover.try_again());
  CHECK(handover.step() == Step::finishing);
}

TEST_CASE("handover: probation is over when time and frames are, to the last one") {
  const Handover handover = on_probation();
  const uint64_t end = kBegan + kProbation.ns;
  const FrameNumber last{kFrom.value + kProbation.frames};
  CHECK_FALSE(handover.passes(kBegan, kFrom, kTickHz));
  CHECK_FALSE(handover.passes(end - 1, {last.value + 1000}, kTickHz));
  CHECK_FALSE(handover.passes(end + 60'000 * kMs, {last.value - 1}, kTickHz));
  CHECK(handover.passes(end, last, kTickHz));
  CHECK(handover.passes(end + 1, {last.value + 1}, kTickHz));
}

TEST_CASE("handover: without ticks, one frame will do, or ten times the time") {
  const Handover handover = on_probation();
  CHECK_FALSE(handover.passes(kBegan + kProbation.ns - 1, {kFrom.value + 1000}, 0));
  CHECK(handover.passes(kBegan + kProbation.ns, {kFrom.value + 1}, 0));
  CHECK_FALSE(handover.passes(kBegan + 10 * kProbation.ns - 1, kFrom, 0));
  CHECK(handover.passes(kBegan + 10 * kProbation.ns, kFrom, 0));
}

TEST_CASE("handover: only on probation it passes") {
  const FrameNumber late{1'000'000};
  Handover handover({.ns = 0, .frames = 0});
  CHECK_FALSE(handover.passes(kBegan, late, kTickHz));
  handover.finished();
  CHECK_FALSE(handover.passes(kBegan, late, kTickHz));
  handover.live(kBegan, kFrom);
  CHECK(handover.passes(kBegan, kFrom, kTickHz));  // nothing was asked for
  handover.take_back();
  CHECK_FALSE(handover.passes(kBegan, late, kTickHz));
}

TEST_CASE("handover: either limit alone") {
  const Handover time_only = on_probation({.ns = 500 * kMs, .frames = 0});
  CHECK_FALSE(time_only.passes(kBegan + 500 * kMs - 1, kFrom, kTickHz));
  CHECK(time_only.passes(kBegan + 500 * kMs, kFrom, kTickHz));
  const Handover frames_only = on_probation({.ns = 0, .frames = 100});
  CHECK_FALSE(frames_only.passes(kBegan, {kFrom.value + 99}, kTickHz));
  CHECK(frames_only.passes(kBegan, {kFrom.value + 100}, kTickHz));
}

TEST_CASE("handover: a time that was taken before it went live is no time at all") {
  const Handover handover = on_probation();
  CHECK_FALSE(handover.passes(kBegan - 1, {kFrom.value + 1000}, kTickHz));
  CHECK_FALSE(handover.passes(kBegan - 1, kFrom, 0));
  CHECK_FALSE(handover.passes(0, kFrom, 0));
}

TEST_CASE("handover: limits that are never reached") {
  const FrameNumber late{kFrom.value + 1'000'000'000};
  CHECK_FALSE(on_probation({.ns = UINT64_MAX, .frames = 0}).passes(UINT64_MAX - 1, late, kTickHz));
  CHECK_FALSE(on_probation({.ns = 0, .frames = UINT64_MAX}).passes(kBegan, late, kTickHz));
  CHECK_FALSE(on_probation({.ns = 0, .frames = UINT64_MAX - kFrom.value + 1}).passes(kBegan, late, kTickHz));
}

TEST_CASE("handover: until it is known how long its probation lasts it does not pass") {
  Handover handover = on_probation(kOpenProbation);
  CHECK(handover.is_open());
  CHECK_FALSE(handover.passes(UINT64_MAX, {UINT64_MAX}, kTickHz));
  CHECK_FALSE(handover.passes(UINT64_MAX, {UINT64_MAX}, 0));
  handover.set_probation(kProbation);
  CHECK_FALSE(handover.is_open());
  CHECK(handover.passes(kBegan + kProbation.ns, {kFrom.value + kProbation.frames}, kTickHz));
  Handover taken_back = on_probation(kOpenProbation);
  taken_back.take_back();
  CHECK_FALSE(taken_back.is_open());
}

TEST_CASE("handover: a frame before the old code's last one") {
  CHECK_FALSE(on_probation().passes(kBegan + kProbation.ns, {0}, kTickHz));
}
