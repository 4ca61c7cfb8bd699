#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/poison.h"

namespace arenad::chaos {

Fault client_sends_what_is_blamed() {
  return {.name = "client.sends_what_is_blamed",
          .does = "A client sends an event that the game fails of, and says so",
          .holds =
              "one worker ends by it and no more; then it is left out and in quarantine, its sender is told, and all else is "
              "applied",
          .worker = Ends::must,
          .uses = "hostile client",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) { return send_poison(stage, strike, ledger::Poison::How::BLAME); },
          .fired = poison_is_told,
          .plays_on = 5,
          .settled = poison_is_dropped,
          .check =
              [](Stage& stage, const Strike& strike) {
                return so_many_ended_by(stage, strike, 1, told_of_poison(ledger::Poison::How::BLAME));
              }};
}

}  // namespace arenad::chaos
