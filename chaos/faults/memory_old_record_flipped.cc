#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_old_record_flipped() {
  return {.name = "memory.old_record_flipped",
          .does = "A bit flips in the log, in a frame that both snapshots cover, and the worker is killed",
          .holds = "nothing needs that frame any more, and nothing is missing",
          .worker = Ends::must,
          .told = "KILL",
          .rungs = {"newest slot"},
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = stop_with_two_snapshots,
          .inject = [](Stage& stage, const Strike& strike) {
            return damage_and_kill(stage, strike, [](const test::WorkerMemory& memory, Random& random) {
              // Behind its length, without which the records after it could not be found. It may be kept no longer.
              const auto record = memory.record_of(*memory.frame_of(memory.older()));
              if (!record) return;
              memory.flip(*record + offsetof(FrameRecord, frame) + random.below(sizeof(uint64_t) * 4),
                          static_cast<unsigned>(random.below(8)));
            });
          }};
}

}  // namespace arenad::chaos
