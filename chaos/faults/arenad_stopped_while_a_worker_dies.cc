#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kStoppedAtADeath = "arenad.stopped_while_a_worker_dies";
constexpr uint64_t kStoppedAtADeathMs = 500;

}  // namespace

Fault arenad_stopped_while_a_worker_dies() {
  return {.name = kStoppedAtADeath,
          .does = "SIGSTOP to arenad, SIGKILL to the worker, SIGCONT to arenad half a second later",
          .holds = "the worker is replaced when arenad is back",
          .worker = Ends::must,
          .told = "KILL",
          // Whoever asked arenad meanwhile would wait.
          .alone = true,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto stopped = stop_for(stage, kStoppedAtADeath, strike, kStoppedAtADeathMs, {stage.rig().arenad()});
            if (!stopped) return stopped;
            (void)signal_worker(stage, strike.arena, SIGKILL);
            return {};
          },
          .heal = gone_on(kStoppedAtADeath),
          .heal_after_ms = kStoppedAtADeathMs};
}

}  // namespace arenad::chaos
