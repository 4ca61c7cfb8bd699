#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_takes_all_memory() {
  return worker_ends_itself(
      {.name = "worker.takes_all_memory",
       .does = "The worker takes private memory until its limit",
       .action = CrashAction::take_memory,
       // The limit counts what is taken. To fill it can take longer than a frame may, and then arenad is right to say so.
       .argument = 1,
       .told = "bad_alloc"});
}

}  // namespace arenad::chaos
