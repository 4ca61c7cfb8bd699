#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kEverybodyStopped = "everybody.stopped_for_a_moment";
constexpr uint64_t kEverybodyStoppedMs = 2000;

}  // namespace

Fault everybody_stopped_for_a_moment() {
  return {.name = kEverybodyStopped,
          .does = "SIGSTOP to keeper, arenad and all workers, SIGCONT two seconds later, as when the machine slept",
          .holds = "the same processes go on; none counts as hanging",
          // Whoever asked arenad meanwhile would wait.
          .alone = true,
          .stops_workers = true,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            std::vector<pid_t> everybody{stage.rig().keeper(), stage.rig().arenad()};
            for (const Stage::Arena& arena : stage.arenas()) everybody.push_back(arena.worker);
            return stop_for(stage, kEverybodyStopped, strike, kEverybodyStoppedMs, std::move(everybody));
          },
          .heal = gone_on(kEverybodyStopped),
          .heal_after_ms = kEverybodyStoppedMs};
}

}  // namespace arenad::chaos
