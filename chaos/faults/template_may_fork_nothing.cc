#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/private_group.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kForkNothing = "template.may_fork_nothing";

}  // namespace

Fault template_may_fork_nothing() {
  return {.name = kForkNothing,
          .does = "The template may make no process for half a second, while all spares and the arena's worker are killed",
          .holds = "arenad goes on asking, and the next worker comes when there may be processes again",
          .worker = Ends::must,
          // It may say that there is none, instead of how the last one ended.
          .alone = true,
          .missing = [](const Stage&) { return without_groups("pids"); },
          .prepare = wait_for_template,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            // A limit of the user's processes (RLIMIT_NPROC) is none for root.
            auto group = PrivateGroup::make("pids");
            if (!group) return group.error();
            const std::vector<pid_t> all = templates(stage);
            for (const pid_t pid : all) {
              if (auto taken = group->take(pid); !taken) return taken;
            }
            if (auto limited = group->limit(all.size()); !limited) return limited;
            stage.prop(kForkNothing, strike.arena) = std::make_shared<PrivateGroup>(std::move(*group));
            (void)signal_all(spares(stage), SIGKILL);
            return signal_worker(stage, strike.arena, SIGKILL);
          },
          .fired =
              [](const Stage& stage, const Strike& strike) {
                const auto group = stage.prop(kForkNothing, strike.arena);
                return group != nullptr && std::static_pointer_cast<PrivateGroup>(group)->times_at_limit() != 0;
              },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop(kForkNothing, strike.arena).reset();
            return {};
          },
          .heal_after_ms = 500};
}

}  // namespace arenad::chaos
