#include "chaos/faults/catalogue.h"
#include "chaos/faults/orderly_end.h"

namespace arenad::chaos {

Fault arenad_ended_in_order() {
  return arenad_ends_in_order("arenad.ended_in_order", "arenad is told to end while arenas play, and is started again",
                              "every arena goes on where it was, and its player comes back",
                              [](Stage& stage, const Strike& strike) -> Result<void> {
                                if (auto told = tell_to_end(stage, strike); !told) return told;
                                return see_it_end_and_begin_again(stage);
                              });
}

}  // namespace arenad::chaos
