#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_stale() {
  return {.name = "memory.newest_stale",
          .does = "The older snapshot is written over the newest one, with its number; and the worker is killed",
          .holds = "it is taken for what it is, and the log is run from there",
          .worker = Ends::must,
          .told = "KILL",
          .rungs = {"newest slot", "checkpoint"},
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = stop_with_two_snapshots,
          .inject = [](Stage& stage, const Strike& strike) {
            return damage_and_kill(stage, strike, [](const test::WorkerMemory& memory, Random&) {
              memory.write(memory.slot(memory.newest()), memory.read(memory.slot(memory.older()), memory.slot_bytes()));
            });
          }};
}

}  // namespace arenad::chaos
