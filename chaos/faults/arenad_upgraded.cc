#include "chaos/faults/catalogue.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_upgraded() {
  return {.name = "arenad.upgraded",
          .does = "arenad is told to upgrade: it gives over to its own program",
          .holds = "no worker ends, and players notice nothing",
          // It does not give over before all checkpoints are in the database.
          .uses = "disk",
          .inject = [](Stage& stage, const Strike&) { return stage.rig().upgrade(); }};
}

}  // namespace arenad::chaos
