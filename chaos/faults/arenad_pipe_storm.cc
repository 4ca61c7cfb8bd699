#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"

namespace arenad::chaos {

Fault arenad_pipe_storm() {
  return arenad_takes("arenad.pipe_storm", "A hundred SIGPIPE to arenad", SIGPIPE, 100);
}

}  // namespace arenad::chaos
