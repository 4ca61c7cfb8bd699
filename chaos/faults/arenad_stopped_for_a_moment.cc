#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kName = "arenad.stopped_for_a_moment";
constexpr uint64_t kStoppedMs = 500;

}  // namespace

Fault arenad_stopped_for_a_moment() {
  return {.name = kName,
          .does = "SIGSTOP to arenad, SIGCONT half a second later",
          .holds = "workers play on without it, and it takes none of them for one that hangs",
          // Whoever asked arenad meanwhile would wait, and nobody would undo it.
          .alone = true,
          .inject = [](Stage& stage, const Strike& strike) { return stop_arenad_for(stage, kName, strike, kStoppedMs); },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop(kName, strike.arena).reset();
            return {};
          },
          .heal_after_ms = kStoppedMs};
}

}  // namespace arenad::chaos
