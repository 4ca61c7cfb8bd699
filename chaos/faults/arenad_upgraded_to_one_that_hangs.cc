#include "chaos/faults/bad_program.h"
#include "chaos/faults/catalogue.h"

namespace arenad::chaos {

Fault arenad_upgraded_to_one_that_hangs() {
  return upgrade_refused(
      "arenad.upgraded_to_one_that_hangs", "arenad is told to upgrade to a program that never answers",
      [](Stage&, const Strike&) { return bad_arenad("is_silent"); }, 500, "has not answered in time");
}

}  // namespace arenad::chaos
