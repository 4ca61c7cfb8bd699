#include <csignal>
#include <memory>
#include <utility>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kSparesStopped = "spares.stopped";

}  // namespace

Fault spares_stopped() {
  return {
      .name = kSparesStopped,
      .does = "SIGSTOP to all workers that wait for an arena, and SIGKILL to the arena's worker; SIGCONT half a second later",
      .holds = "the next worker comes when one of them is back, or another one instead",
      .worker = Ends::must,
      .stops_workers = true,
      .prepare = wait_for_spares,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto stopped = std::make_shared<std::vector<pid_t>>(spares(stage));
        if (auto done = signal_all(*stopped, SIGSTOP); !done) return done;
        stage.prop(kSparesStopped, strike.arena) = std::move(stopped);
        (void)signal_worker(stage, strike.arena, SIGKILL);  // it may be ending already
        return {};
      },
      .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
        // Some may have become arenas' workers meanwhile, and others may be stopped by another fault.
        if (const auto stopped =
                std::static_pointer_cast<std::vector<pid_t>>(std::exchange(stage.prop(kSparesStopped, strike.arena), {})))
          (void)signal_all(*stopped, SIGCONT);
        return {};
      },
      .heal_after_ms = 500};
}

}  // namespace arenad::chaos
