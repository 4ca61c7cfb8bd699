#include "chaos/faults/wrong_clock.h"

#include "chaos/random.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// Of them one is drawn, and the side.
constexpr uint64_t kJumpsS[] = {1, 60, 3600, 24 * 3600};

}  // namespace

std::string cannot_order_clock(const Stage& stage) {
  return stage.clock() == nullptr ? "the wall clock does not obey: the programs are built with sanitizers" : "";
}

Result<void> clock_jumps(Stage& stage, const Strike& strike) {
  Random random(strike.draw, "clock");
  const auto by_ns = static_cast<int64_t>(kJumpsS[random.below(std::size(kJumpsS))] * kSecond);
  stage.clock()->asked_by_arenad = 0;
  stage.clock()->asked_by_workers = 0;
  stage.clock()->ahead_ns = random.below(2) == 0 ? by_ns : -by_ns;
  return {};
}

bool clock_was_asked(const Stage& stage, const Strike&) {
  return stage.clock()->asked_by_arenad != 0 && stage.clock()->asked_by_workers != 0;
}

Result<void> clock_is_right(Stage& stage, const Strike&) {
  stage.clock()->ahead_ns = 0;
  return {};
}

}  // namespace arenad::chaos
