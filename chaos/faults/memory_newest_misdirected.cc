#include "chaos/faults/catalogue.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault memory_newest_misdirected() {
  return {.name = "memory.newest_misdirected",
          .does = "A snapshot of another arena is written over the newest one, and the worker is killed",
          .holds = "it is not taken: the arena goes on from its own, and the other arena does not notice",
          .worker = Ends::must,
          .told = "KILL",
          .rungs = {"older slot", "checkpoint"},
          .stops_workers = true,
          .missing = [](const Stage& stage) -> std::string {
            if (stage.arenas().size() < 2) return "there is no other arena";
            return cannot_write_memory(stage);
          },
          .prepare = [](Stage& stage, const Strike& strike) -> Result<void> {
            const Stage::Arena& other = stage.arenas()[(strike.arena + 1) % stage.arenas().size()];
            if (auto there = wait_until(stage, "a worker of the other arena", [&] { return lives(other.worker); }); !there)
              return there;
            return stop_with_two_snapshots(stage, strike);
          },
          .inject =
              [](Stage& stage, const Strike& strike) {
                return damage_and_kill(stage, strike, [&](const test::WorkerMemory& memory, Random&) {
                  const size_t other = (strike.arena + 1) % stage.arenas().size();
                  const test::WorkerMemory from(stage.arenas()[other].worker);
                  // Once written over it may not be the newest any more.
                  const int newest = memory.newest();
                  memory.write(memory.slot(newest), from.read(from.slot(from.newest()), from.slot_bytes()));
                  // As if it were newer than anything here.
                  memory.put(memory.slot(newest), memory.frame_decided() + 1'000'000);
                });
              }};
}

}  // namespace arenad::chaos
