#include <array>
#include <memory>
#include <optional>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/new_code.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kOrderedTwice = "code.ordered_twice";

struct OneOfTwoOrders {
  std::optional<sweep::Rig::Posted> posted;  // and not answered yet
  bool taken = false;
};
using TwoOrders = std::array<OneOfTwoOrders, 2>;

// No more is to come: it is answered, or who was asked is gone.
bool is_one_answered(OneOfTwoOrders& order) {
  if (!order.posted) return true;
  const bool is_connected = order.posted->control.poll();
  if (const auto reply = order.posted->control.take_reply(order.posted->request)) {
    order.taken = reply->ok();
  } else if (is_connected) {
    return false;
  }
  order.posted.reset();
  return true;
}

}  // namespace

Fault code_ordered_twice() {
  return {.name = kOrderedTwice,
          .does = "Two operators give the arena another version at once",
          .holds = "one of them is refused; the player hears nothing twice and misses nothing",
          .worker = Ends::must,
          .uses = "code",
          // Nobody orders again.
          .needs_arenad = true,
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto module = other_good_module(stage, strike);
            if (!module) return module.error();
            auto orders = std::make_shared<TwoOrders>();
            for (OneOfTwoOrders& order : *orders) {
              auto posted = stage.rig().post_reload("ledger", *module, stage.arenas()[strike.arena].name);
              if (!posted) return posted.error();
              order.posted.emplace(std::move(*posted));
            }
            stage.prop(kOrderedTwice, strike.arena) = std::move(orders);
            return {};
          },
          .plays_on = 10,
          .settled =
              [](Stage& stage, const Strike& strike) {
                const auto orders = std::static_pointer_cast<TwoOrders>(stage.prop(kOrderedTwice, strike.arena));
                const bool are_answered = is_one_answered((*orders)[0]) & is_one_answered((*orders)[1]);
                return are_answered && no_rollout(stage, strike);
              },
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            const auto orders = std::static_pointer_cast<TwoOrders>(stage.prop(kOrderedTwice, strike.arena));
            if ((*orders)[0].taken != (*orders)[1].taken) return bad_module_is_not_there(stage, strike);
            return make_error(ErrorCode::failed, (*orders)[0].taken ? "both are taken" : "both are refused");
          }};
}

}  // namespace arenad::chaos
