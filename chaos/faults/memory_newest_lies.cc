#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_lies() {
  return {
      .name = "memory.newest_lies",
      .does = "The newest snapshot's header says lengths that it does not have, and the worker is killed",
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
          const uint64_t at = memory.snapshot(memory.newest());
          const uint64_t total = memory.header(memory.newest()).total_bytes;
          switch (random.below(6)) {
            case 0:
              return memory.put(at + offsetof(SnapshotHeader, total_bytes), uint64_t{0});
            case 1:
              return memory.put(at + offsetof(SnapshotHeader, total_bytes), total / 16 * 8);
            case 2:
              return memory.put(at + offsetof(SnapshotHeader, total_bytes), memory.slot_bytes());
            case 3:
              return memory.put(at + offsetof(SnapshotHeader, total_bytes), UINT64_MAX - 7);
            case 4:
              return memory.put(at + offsetof(SnapshotHeader, state_words), UINT64_MAX / 8);
            default:
              return memory.put(at + offsetof(SnapshotHeader, cursor_count), UINT32_MAX);
          }
        });
      }};
}

}  // namespace arenad::chaos
