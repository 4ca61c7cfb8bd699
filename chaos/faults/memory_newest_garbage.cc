#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_garbage() {
  return {
      .name = "memory.newest_garbage",
      .does = "The newest snapshot becomes random bytes, and the worker is killed",
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
          std::vector<std::byte> garbage(memory.slot_bytes() - sizeof(SlotHeader));
          for (std::byte& byte : garbage) byte = static_cast<std::byte>(random.next());
          memory.write(memory.snapshot(memory.newest()), garbage);
        });
      }};
}

}  // namespace arenad::chaos
