#include "chaos/faults/catalogue.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_black_box_garbage() {
  return {.name = "memory.black_box_garbage",
          .does = "The worker's black box becomes random bytes, and the worker is killed",
          .holds = "arenad tells of its end what is true, and the next worker goes on",
          .worker = Ends::must,
          .told = "KILL",
          .rungs = {"newest slot"},
          .stops_workers = true,
          .missing = cannot_write_memory,
          .prepare = stop_with_two_snapshots,
          .inject = [](Stage& stage, const Strike& strike) {
            return damage_and_kill(stage, strike, [](const test::WorkerMemory& memory, Random& random) {
              std::vector<std::byte> garbage(kBlackBoxBytes);
              for (std::byte& byte : garbage) byte = static_cast<std::byte>(random.next());
              memory.write(kBlackBoxOffset, garbage);
            });
          }};
}

}  // namespace arenad::chaos
