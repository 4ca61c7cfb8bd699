#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_child_storm() {
  return arenad_takes("arenad.child_storm", "A thousand SIGCHLD to arenad, though nobody has ended", SIGCHLD, 1000);
}

}  // namespace arenad::chaos
