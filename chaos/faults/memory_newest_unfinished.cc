#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_unfinished() {
  return {.name = "memory.newest_unfinished",
          .does = "The newest snapshot is marked as being written, and the worker is killed",
          .holds = "the other slot counts as the newest, and the log is run from there",
          .worker = Ends::must,
          .told = "KILL",
          .rungs = {"newest slot", "checkpoint"},
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = stop_with_two_snapshots,
          .inject = [](Stage& stage, const Strike& strike) {
            return damage_and_kill(stage, strike, [](const test::WorkerMemory& memory, Random&) {
              memory.put(memory.slot(memory.newest()), uint64_t{0});
            });
          }};
}

}  // namespace arenad::chaos
