#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault worker_harmless_storm() {
  return {.name = "worker.harmless_storm",
          .does = "A thousand signals to the worker that do nothing by default or wake it: WINCH, CHLD, URG, CONT and IO",
          .holds = "the same worker goes on",
          .stops_workers = true,
          .prepare = wait_for_worker,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            for (int i = 0; i < 200; ++i) {
              for (const int number : {SIGWINCH, SIGCHLD, SIGURG, SIGCONT, SIGIO}) {
                if (auto sent = signal_worker(stage, strike.arena, number); !sent) return sent;
              }
            }
            return {};
          }};
}

}  // namespace arenad::chaos
