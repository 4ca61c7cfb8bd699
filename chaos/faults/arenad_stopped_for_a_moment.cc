#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kArenadStopped = "arenad.stopped_for_a_moment";
constexpr uint64_t kArenadStoppedMs = 500;

}  // namespace

Fault arenad_stopped_for_a_moment() {
  return {.name = kArenadStopped,
          .does = "SIGSTOP to arenad, SIGCONT half a second later",
          .holds = "workers play on without it, and it takes none of them for one that hangs",
          // Whoever asked arenad meanwhile would wait.
          .alone = true,
          .inject =
              [](Stage& stage, const Strike& strike) {
                return stop_for(stage, kArenadStopped, strike, kArenadStoppedMs, {stage.rig().arenad()});
              },
          .heal = gone_on(kArenadStopped),
          .heal_after_ms = kArenadStoppedMs};
}

}  // namespace arenad::chaos
