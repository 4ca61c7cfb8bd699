#include "chaos/faults/catalogue.h"
#include "chaos/faults/orderly_end.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_ended_in_order_while_it_drains() {
  return arenad_ends_in_order(
      "arenad.ended_in_order_while_it_drains",
      "All arenas are told to drain, arenad is told to end and is started again; then draining is taken back",
      "every arena goes on where it was, and its player comes back", [](Stage& stage, const Strike& strike) -> Result<void> {
        if (auto drained = stage.rig().drain_all(); !drained) return drained;
        if (auto told = tell_to_end(stage, strike); !told) return told;
        if (auto again = see_it_end_and_begin_again(stage); !again) return again;
        return stage.rig().undrain_all();
      });
}

}  // namespace arenad::chaos
