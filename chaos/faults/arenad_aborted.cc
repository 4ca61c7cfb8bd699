#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_aborted() {
  return arenad_ended_by("arenad.aborted", "SIGABRT to arenad, as a watchdog does", SIGABRT);
}

}  // namespace arenad::chaos
