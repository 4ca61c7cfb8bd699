#include "chaos/faults/bad_program.h"
#include "chaos/faults/catalogue.h"

namespace arenad::chaos {

Fault arenad_upgraded_to_one_that_refuses() {
  return upgrade_refused(
      "arenad.upgraded_to_one_that_refuses", "arenad is told to upgrade to a program that knows only an earlier format",
      [](Stage&, const Strike&) { return bad_arenad("is_older"); }, 10'000, "knows only 1");
}

}  // namespace arenad::chaos
