#include "chaos/faults/catalogue.h"
#include "chaos/faults/private_group.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/traps.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kMemoryRunsOut = "host.memory_runs_out";
// Less than a worker may take (stage.cc), so that it is the kernel that ends it.
constexpr uint64_t kMoreMemory = uint64_t{16} << 20;

}  // namespace

Fault host_memory_runs_out() {
  return {.name = kMemoryRunsOut,
          .does = "arenad and all workers get 16 MiB more memory and no more, and the arena's worker takes all there is",
          .holds = "the kernel ends whom it will, and all of it comes back",
          // Whomever the kernel ends first, this one goes on taking.
          .worker = Ends::must,
          .other_workers = Ends::may,
          .arenad = Ends::may,
          .alone = true,
          .missing = [](const Stage& stage) -> std::string {
            if (auto missing = without_crash_points(stage); !missing.empty()) return missing;
            return without_groups("memory");
          },
          .prepare = wait_for_trap,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto group = PrivateGroup::make("memory");
            if (!group) return group.error();
            // The keeper is the run's own: without it there is no more arenad. Workers that arenad has adopted are no children of it.
            std::vector<pid_t> processes = with_descendants({stage.rig().arenad()});
            for (const Stage::Arena& arena : stage.arenas()) processes.push_back(arena.worker);
            for (const pid_t pid : processes) {
              if (pid > 0) (void)group->take(pid);
            }
            if (auto limited = group->limit(kMoreMemory); !limited) return limited;
            stage.prop(kMemoryRunsOut, strike.arena) = std::make_shared<PrivateGroup>(std::move(*group));
            return trap_worker(stage, strike, "frame.tick.before", CrashAction::take_memory);
          },
          .fired =
              [](const Stage& stage, const Strike& strike) {
                const auto group = stage.prop(kMemoryRunsOut, strike.arena);
                return group != nullptr && std::static_pointer_cast<PrivateGroup>(group)->times_at_limit() != 0;
              },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop(kMemoryRunsOut, strike.arena).reset();
            return {};
          },
          .heal_after_ms = 500,
          .plays_on = 10,
          .settled = all_arenas_run};
}

}  // namespace arenad::chaos
