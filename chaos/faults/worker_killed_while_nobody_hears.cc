// What a worker gives while its player is away, and dies before the player is back, lies in a region that the player never sees.
#include <csignal>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

// Some frames and snapshots long.
constexpr unsigned kUnheardUs = 200'000;

// Nobody else is turned to meanwhile, and so no player connects to the next arenad.
Result<pid_t> next_worker(Stage& stage, size_t arena, uint64_t epoch_before) {
  const uint64_t deadline_ns = monotonic_ns() + kFaultPatienceNs;
  while (monotonic_ns() < deadline_ns && !stage.is_called_off()) {
    const auto status = stage.rig().status(stage.arenas()[arena].id);
    if (status && status->state == "running" && status->epoch > epoch_before && status->pid > 0) return status->pid;
    ::usleep(1000);
  }
  return make_error(ErrorCode::timeout, "no worker has come after the first");
}

}  // namespace

Fault worker_killed_while_nobody_hears() {
  return {.name = "worker.killed_while_nobody_hears",
          .does = "SIGKILL to arenad and to the arena's worker, and to the next worker before any player is back",
          .holds = "what the next worker has given is not lost with it",
          .worker = Ends::must,
          .arenad = Ends::must,
          .told = "KILL",
          .rungs = {"newest slot"},
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            const uint64_t epoch = stage.epoch(strike.arena);
            if (auto killed = signal_arenad(stage, SIGKILL); !killed) return killed;
            (void)signal_worker(stage, strike.arena, SIGKILL);  // it may be ending already
            auto next = next_worker(stage, strike.arena, epoch);
            if (!next) return next.error();
            ::usleep(kUnheardUs);
            if (::kill(*next, SIGKILL) != 0) return errno_error("cannot end the next worker");
            return {};
          }};
}

}  // namespace arenad::chaos
