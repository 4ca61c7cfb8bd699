#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_stale_renumbered() {
  return {.name = "memory.newest_stale_renumbered",
          .does = "The older snapshot is written over the newest one, under the newest one's number; and the worker is killed",
          .holds = "it is not taken for the newest, and the arena goes on from the older slot, or a checkpoint that is as new",
          .worker = Ends::must,
          .told = "KILL",
          .rungs = {"older slot", "checkpoint"},
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = stop_with_two_snapshots,
          .inject = [](Stage& stage, const Strike& strike) {
            return damage_and_kill(stage, strike, [](const test::WorkerMemory& memory, Random&) {
              const uint64_t bytes = memory.slot_bytes() - sizeof(SlotHeader);
              memory.write(memory.snapshot(memory.newest()), memory.read(memory.snapshot(memory.older()), bytes));
            });
          }};
}

}  // namespace arenad::chaos
