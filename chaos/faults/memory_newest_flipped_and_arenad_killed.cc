#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_flipped_and_arenad_killed() {
  return {.name = "memory.newest_flipped_and_arenad_killed",
          .does = "A bit flips in the newest snapshot, and arenad is killed with the worker",
          .holds = "the next arenad finds the damage, and the arena goes on from what is whole",
          .worker = Ends::must,
          .arenad = Ends::must,
          .told = "KILL",
          .rungs = {"older slot", "checkpoint"},
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = stop_with_two_snapshots,
          .inject = [](Stage& stage, const Strike& strike) {
            return damage_and_kill(
                stage, strike,
                [](const test::WorkerMemory& memory, Random& random) {
                  flip_in_snapshot(memory, memory.newest(), 0, memory.header(memory.newest()).total_bytes, random);
                },
                Dies::worker_and_arenad);
          }};
}

}  // namespace arenad::chaos
