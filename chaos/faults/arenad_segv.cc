#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_segv() {
  return arenad_ended_by("arenad.segv", "SIGSEGV to arenad", SIGSEGV);
}

}  // namespace arenad::chaos
