#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_far_ahead() {
  return {
      .name = "memory.newest_far_ahead",
      .does = "The newest snapshot's number becomes one that no frame has yet, and the worker is killed",
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
          memory.put(memory.slot(memory.newest()), memory.frame_decided() + 2 + (random.next() >> 1));
        });
      }};
}

}  // namespace arenad::chaos
