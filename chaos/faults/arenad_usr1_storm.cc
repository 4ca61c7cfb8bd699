#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_usr1_storm() {
  return arenad_takes("arenad.usr1_storm", "A hundred SIGUSR1 to arenad, which has no log file to open again", SIGUSR1, 100);
}

}  // namespace arenad::chaos
