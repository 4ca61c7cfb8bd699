#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_quit_storm() {
  return arenad_takes("arenad.quit_storm", "A hundred SIGQUIT to arenad, each of which writes to the log how everything is",
                      SIGQUIT, 100);
}

}  // namespace arenad::chaos
