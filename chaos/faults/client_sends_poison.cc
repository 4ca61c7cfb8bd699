#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/poison.h"

namespace arenad::chaos {
Fault client_sends_poison() {
  return {.name = "client.sends_poison",
          .does = "A client sends an event that ends the worker whenever it is applied",
          .holds =
              "two workers end by it and no more; then it is left out and in quarantine, its sender is told, and all else is "
              "applied",
          .worker = Ends::must,
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) { return send_poison(stage, strike, drawn_poison(strike)); },
          .fired = poison_is_told,
          .plays_on = 5,
          .settled = poison_is_dropped,
          .check = [](Stage& stage,
                      const Strike& strike) { return two_ended_by(stage, strike, told_of_poison(drawn_poison(strike))); }};
}

}  // namespace arenad::chaos
