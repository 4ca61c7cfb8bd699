#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_places_flipped() {
  return {
      .name = "memory.newest_places_flipped",
      .does = "A bit flips in what the newest snapshot holds of its clients, and the worker is killed",
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
          const int newest = memory.newest();
          const SnapshotHeader header = memory.header(newest);
          flip_in_snapshot(memory, newest, sizeof(SnapshotHeader), header.total_bytes - header.state_words * 8, random);
        });
      }};
}

}  // namespace arenad::chaos
