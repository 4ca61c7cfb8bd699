#include "chaos/faults/catalogue.h"
#include "chaos/faults/traps.h"

namespace arenad::chaos {

Fault worker_divides_by_zero() {
  return worker_ends_itself({.name = "worker.divides_by_zero",
                             .does = "The worker divides by zero",
                             .action = CrashAction::divide_by_zero,
                             .told = "division by zero"});
}

}  // namespace arenad::chaos
