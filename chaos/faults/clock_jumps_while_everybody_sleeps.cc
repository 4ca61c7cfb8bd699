// As a machine that is suspended and wakes up: CLOCK_MONOTONIC, by which Arenad measures all times, has stood still, and the wall
// clock has not.
#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/wrong_clock.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr const char* kSleeps = "clock.jumps_while_everybody_sleeps";
constexpr uint64_t kSleepsMs = 1000;

}  // namespace

Fault clock_jumps_while_everybody_sleeps() {
  return {.name = kSleeps,
          .does =
              "SIGSTOP to keeper, arenad and all of its processes, SIGCONT a second later, when the wall clock has jumped by "
              "up to a "
              "day; later it jumps back",
          .holds = "the same processes go on; none counts as hanging, and nobody is dropped",
          .uses = "clock",
          // Whoever asked arenad meanwhile would wait.
          .alone = true,
          .stops_workers = true,
          .missing = cannot_order_clock,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            std::vector<pid_t> everybody{stage.rig().keeper(), stage.rig().arenad()};
            for (const Stage::Arena& arena : stage.arenas()) everybody.push_back(arena.worker);
            for (const auto& others : {templates(stage), spares(stage)}) {
              everybody.insert(everybody.end(), others.begin(), others.end());
            }
            if (auto stopped = stop_for(stage, kSleeps, strike, kSleepsMs, std::move(everybody)); !stopped) return stopped;
            return clock_jumps(stage, strike);
          },
          .fired = clock_was_asked,
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop(kSleeps, strike.arena).reset();
            return clock_is_right(stage, strike);
          },
          .heal_after_ms = kSleepsMs + 300,
          .plays_on = 5};
}

}  // namespace arenad::chaos
