#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_hup_storm() {
  return arenad_takes("arenad.hup_storm", "A hundred SIGHUP to arenad, each of which reads the configuration again", SIGHUP,
                      100);
}

}  // namespace arenad::chaos
