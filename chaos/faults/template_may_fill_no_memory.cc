#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/log_mark.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kFillNoMemory = "template.may_fill_no_memory";
// As arenad says it (supervisor/game_template.cc).
constexpr const char* kNoWorker = "no worker: ";

}  // namespace

Fault template_may_fill_no_memory() {
  return {.name = kFillNoMemory,
          .does = "No shared memory for new workers for half a second, while all spares and the arena's worker are killed",
          .holds = "no half a worker is used, and the next one comes when there is memory again",
          .worker = Ends::must,
          // It may say that there is none, instead of how the last one ended.
          .alone = true,
          .prepare = wait_for_template,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            mark_log(stage, kFillNoMemory, strike, kNoWorker);
            // Their regions are files of memory, which none of their kind may make longer than this.
            for (const pid_t pid : templates(stage)) {
              if (auto limited = limit(pid, RLIMIT_FSIZE, 4096); !limited) return limited;
            }
            (void)signal_all(spares(stage), SIGKILL);
            return signal_worker(stage, strike.arena, SIGKILL);
          },
          .fired = [](const Stage& stage, const Strike& strike) { return has_logged(stage, kFillNoMemory, strike, kNoWorker); },
          .heal = [](Stage& stage, const Strike&) -> Result<void> {
            for (const pid_t pid : templates(stage)) (void)lift_limit(pid, RLIMIT_FSIZE);
            return {};
          },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
