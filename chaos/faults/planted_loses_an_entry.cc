#include "chaos/faults/catalogue.h"

namespace arenad::chaos {

// It pretends: nothing is done and nothing is lost, but it is reported so. With it replaying and shrinking a failed run can be shown on an Arenad
// that is right.
Fault planted_loses_an_entry() {
  return {.name = "planted.loses_an_entry",
          .does = "nothing, and pretends that an entry was lost",
          .holds = "nothing: it is always reported as a violation, to try this tool itself",
          .inject = [](Stage&, const Strike&) -> Result<void> { return {}; },
          .pretends = "planted.loses_an_entry pretends that an entry did not come back"};
}

}  // namespace arenad::chaos
