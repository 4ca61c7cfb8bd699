#include "chaos/faults/bad_program.h"
#include "chaos/faults/catalogue.h"

namespace arenad::chaos {

Fault arenad_upgraded_to_one_that_crashes() {
  return upgrade_refused(
      "arenad.upgraded_to_one_that_crashes", "arenad is told to upgrade to a program that crashes as soon as it is started",
      [](Stage&, const Strike&) { return bad_arenad("crashes"); }, 10'000, "signal=ABRT");
}

}  // namespace arenad::chaos
