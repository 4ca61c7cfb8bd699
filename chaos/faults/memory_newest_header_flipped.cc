#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_header_flipped() {
  return {
      .name = "memory.newest_header_flipped",
      .does = "A bit flips in the header of the newest snapshot, and the worker is killed",
      .holds =
          "the next worker begins at the older slot, or at a checkpoint that is as new, and runs the rest again from the log",
      .worker = Ends::must,
      .told = "KILL",
      .rungs = {"older slot", "checkpoint"},
      .stops_workers = true,
      .missing = cannot_write_memory,
      .prepare = stop_with_two_snapshots,
      .inject = [](Stage& stage, const Strike& strike) {
        return damage_and_kill(stage, strike, [](const test::WorkerMemory& memory, Random& random) {
          flip_in_snapshot(memory, memory.newest(), 0, sizeof(SnapshotHeader), random);
        });
      }};
}

}  // namespace arenad::chaos
