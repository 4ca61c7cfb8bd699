#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault code_changes() {
  return {.name = "code.changes",
          .does = "The arena gets another version that is as good",
          .holds = "it takes over, and the player hears nothing twice and misses nothing",
          .worker = Ends::must,
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto module = other_good_module(stage, strike);
            if (!module) return module.error();
            stage.prop("code.changes", strike.arena) = std::make_shared<std::string>(*module);
            return order_module(stage, strike, *module);
          },
          .plays_on = 10,
          .settled = no_rollout,
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto module = other_good_module(stage, strike);
            if (!module) return module.error();
            const auto was = std::static_pointer_cast<std::string>(stage.prop("code.changes", strike.arena));
            if (was && *module == *was)
              return make_error(ErrorCode::failed, "the arena does not run the version that it was given");
            return {};
          }};
}

}  // namespace arenad::chaos
