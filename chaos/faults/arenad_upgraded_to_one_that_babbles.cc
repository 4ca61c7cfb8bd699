#include "chaos/faults/bad_program.h"
#include "chaos/faults/catalogue.h"

namespace arenad::chaos {

Fault arenad_upgraded_to_one_that_babbles() {
  return upgrade_refused(
      "arenad.upgraded_to_one_that_babbles",
      "arenad is told to upgrade to a program that answers garbage, or with nothing but zeros",
      [](Stage&, const Strike& strike) { return bad_arenad(strike.draw % 2 == 0 ? "babbles" : "says_nothing"); }, 10'000,
      "is no answer");
}

}  // namespace arenad::chaos
