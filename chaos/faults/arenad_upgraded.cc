#include "chaos/faults/catalogue.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault arenad_upgraded() {
  return {.name = "arenad.upgraded",
          .does = "arenad is told to upgrade: it gives over to its own program",
          .holds = "no worker ends, and players notice nothing",
          // It does not give over before all checkpoints are in the database.
          .uses = "disk",
          .replaces_arenad = true,
          .inject = [](Stage& stage, const Strike&) -> Result<void> {
            auto upgraded = stage.rig().upgrade();
            if (upgraded || upgraded.error().message.find("another upgrade is going on") == std::string::npos) return upgraded;
            return make_error(ErrorCode::unreachable, upgraded.error().message);  // soon there will be none
          }};
}

}  // namespace arenad::chaos
