#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_older_flipped() {
  return {.name = "memory.older_flipped",
          .does = "A bit flips in the older snapshot, and the worker is killed",
          .holds = "the newest one is taken, and nothing is missing",
          .worker = Ends::must,
          .told = "KILL",
          .rungs = {},
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = stop_with_two_snapshots,
          .inject = [](Stage& stage, const Strike& strike) {
            return damage_and_kill(stage, strike, [](const test::WorkerMemory& memory, Random& random) {
              flip_in_snapshot(memory, memory.older(), 0, memory.header(memory.older()).total_bytes, random);
            });
          }};
}

}  // namespace arenad::chaos
