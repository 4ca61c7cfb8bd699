#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_torn_body() {
  return {
      .name = "memory.newest_torn_body",
      .does = "The newest snapshot is torn: its header is new, its second half is the older one's; and the worker is killed",
      .holds =
          "the next worker begins at the older slot, or at a checkpoint that is as new, and runs the rest again from the log",
      .worker = Ends::must,
      .told = "KILL",
      .rungs = {"older slot", "checkpoint"},
      .stops_workers = true,
      .missing = cannot_write_memory,
      .prepare = stop_with_two_snapshots,
      .inject = [](Stage& stage, const Strike& strike) {
        return damage_and_kill(stage, strike, [](const test::WorkerMemory& memory, Random&) {
          const int newest = memory.newest();
          const int older = memory.older();
          const uint64_t total = memory.header(newest).total_bytes;
          const uint64_t half = total / 16 * 8;
          memory.write(memory.snapshot(newest) + half, memory.read(memory.snapshot(older) + half, total - half));
        });
      }};
}

}  // namespace arenad::chaos
