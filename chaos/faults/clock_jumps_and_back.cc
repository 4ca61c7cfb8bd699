#include "chaos/faults/catalogue.h"
#include "chaos/faults/wrong_clock.h"

namespace arenad::chaos {

Fault clock_jumps_and_back() {
  return {
      .name = "clock.jumps_and_back",
      .does = "The wall clock of arenad and all workers jumps by a second, a minute, an hour or a day, either way, and back",
      .holds = "nothing ends and nothing is late: only what is told to people goes by that clock",
      .uses = "clock",
      .missing = cannot_order_clock,
      .inject = clock_jumps,
      .fired = clock_was_asked,
      .heal = clock_is_right,
      .heal_after_ms = 500,
      .plays_on = 5};
}

}  // namespace arenad::chaos
