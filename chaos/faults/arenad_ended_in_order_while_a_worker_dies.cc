#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/orderly_end.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_ended_in_order_while_a_worker_dies() {
  return arenad_ends_in_order("arenad.ended_in_order_while_a_worker_dies",
                              "SIGKILL to the arena's worker, and arenad is told to end at the same time, and is started again",
                              "every arena goes on where it was, this one too, and its player comes back",
                              [](Stage& stage, const Strike& strike) -> Result<void> {
                                (void)signal_worker(stage, strike.arena, SIGKILL);
                                if (auto told = tell_to_end(stage, strike); !told) return told;
                                return see_it_end_and_begin_again(stage);
                              });
}

}  // namespace arenad::chaos
