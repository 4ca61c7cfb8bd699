#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_both_flipped_and_arenad_killed() {
  return {.name = "memory.both_flipped_and_arenad_killed",
          .does = "A bit flips in each of the two snapshots, and arenad is killed with the worker",
          .holds = "the next arenad goes on from the checkpoint in the database and the log in the memory",
          .worker = Ends::must,
          .arenad = Ends::must,
          .told = "KILL",
          .rungs = {"checkpoint"},
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = stop_with_two_snapshots,
          .inject = [](Stage& stage, const Strike& strike) {
            return damage_and_kill(
                stage, strike,
                [](const test::WorkerMemory& memory, Random& random) {
                  for (const int slot : {0, 1}) flip_in_snapshot(memory, slot, 0, memory.header(slot).total_bytes, random);
                },
                Dies::worker_and_arenad);
          }};
}

}  // namespace arenad::chaos
