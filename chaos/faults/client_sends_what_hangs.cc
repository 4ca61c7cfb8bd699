#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/poison.h"

namespace arenad::chaos {

Fault client_sends_what_hangs() {
  return {.name = "client.sends_what_hangs",
          .does = "A client sends an event in which the worker hangs whenever it is applied",
          .holds =
              "two workers are ended for it and no more; then it is left out and in quarantine, its sender is told, and all "
              "else is "
              "applied",
          .worker = Ends::must,
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) { return send_poison(stage, strike, ledger::Poison::How::HANG); },
          .fired = poison_is_told,
          .plays_on = 5,
          .settled = poison_is_dropped,
          .check = [](Stage& stage, const Strike& strike) { return two_ended_by(stage, strike, "did not move"); }};
}

}  // namespace arenad::chaos
