#include <algorithm>
#include <span>

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
          const uint64_t total = memory.header(memory.newest()).total_bytes;
          const uint64_t newest = memory.snapshot(memory.newest());
          const auto before = memory.read(newest, total);
          const auto older = memory.read(memory.snapshot(memory.older()), total);
          // Of a game whose state hardly changes the second half may be the same in both: it is torn where they still differ.
          uint64_t from = total / 16 * 8;
          while (from > 8 && std::equal(older.begin() + from, older.end(), before.begin() + from)) from -= 8;
          memory.write(newest + from, std::span(older).subspan(from));
        });
      }};
}

}  // namespace arenad::chaos
