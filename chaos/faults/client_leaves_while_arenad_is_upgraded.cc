#include <list>
#include <memory>
#include <optional>

#include "chaos/faults/attach_request.h"
#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"
#include "ipc/control_client.h"

namespace arenad::chaos {
namespace {

constexpr const char* kLeavesInAnUpgrade = "client.leaves_while_arenad_is_upgraded";
constexpr size_t kLeavingClients = 60;

// A connection on which so much was said that it may be in the middle of anything when it is closed.
struct LeavingClient {
  AttachRequest request;
  test::RawControl connection;
};

struct OrderedUpgrade {
  std::optional<ControlClient> control;  // until it is answered
  uint64_t request;
  std::optional<Result<ControlIncoming>> answer;
};

Result<std::shared_ptr<OrderedUpgrade>> order_upgrade(const Stage& stage) {
  auto control = ControlClient::connect(stage.rig().socket());
  if (!control) return make_error(ErrorCode::unreachable, control.error().text());
  auto posted = control->post([](wire::Request::Builder request) { request.initUpgrade(); }, {});
  if (!posted) return posted.error();
  return std::make_shared<OrderedUpgrade>(OrderedUpgrade{std::move(*control), *posted, std::nullopt});
}

void hear_of_upgrade(OrderedUpgrade& upgrade) {
  if (!upgrade.control) return;
  const bool is_connected = upgrade.control->poll();
  upgrade.answer = upgrade.control->take_reply(upgrade.request);
  if (!upgrade.answer && is_connected) return;
  if (!upgrade.answer) upgrade.answer.emplace(make_error(ErrorCode::unreachable, "arenad has not answered"));
  upgrade.control.reset();
}

// Every other one says all of it.
Result<void> attach_halfway(const Stage& stage, const Strike& strike, std::list<LeavingClient>& clients, Random& random) {
  const auto as = clients.size() % 6 == 0 ? AttachRequest::As::mallory : AttachRequest::As::observer;
  auto request = AttachRequest::make(stage.arenas()[strike.arena].name, as);
  if (!request) return request.error();
  try {
    clients.push_back({std::move(*request), test::RawControl(stage.rig().socket())});
  } catch (const std::exception& error) {
    return make_error(ErrorCode::unreachable, error.what());
  }
  const size_t bytes = clients.back().request.bytes();
  clients.back().request.send(clients.back().connection, random.below(2) == 0 ? bytes : 1 + random.below(bytes - 1));
  return {};
}

void leave_one(std::list<LeavingClient>& clients, Random& random) {
  clients.erase(std::next(clients.begin(), static_cast<ptrdiff_t>(random.below(clients.size()))));
}

}  // namespace

Fault client_leaves_while_arenad_is_upgraded() {
  return {
      .name = kLeavesInAnUpgrade,
      .does =
          "arenad is told to upgrade, and meanwhile clients go away that are in the middle of attaching, at each step of that",
      .holds = "it is upgraded, the next program gives up their places, and nothing of them is left",
      .uses = "hostile client",
      .alone = true,
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        Random random(strike.draw, "leaving clients");
        std::list<LeavingClient> clients;
        for (size_t i = 0; i < kLeavingClients / 2; ++i) {
          if (auto came = attach_halfway(stage, strike, clients, random); !came) return came;
        }
        auto upgrade = order_upgrade(stage);
        if (!upgrade) return upgrade.error();
        stage.prop(kLeavesInAnUpgrade, strike.arena) = *upgrade;
        for (size_t i = 0; i < kLeavingClients / 2; ++i) {
          if (auto came = attach_halfway(stage, strike, clients, random); !came) return came;
          leave_one(clients, random);
          stage.turn();
        }
        while (!clients.empty()) {
          leave_one(clients, random);
          stage.turn();
        }
        return {};
      },
      .settled =
          [](Stage& stage, const Strike& strike) {
            const auto upgrade = std::static_pointer_cast<OrderedUpgrade>(stage.prop(kLeavesInAnUpgrade, strike.arena));
            hear_of_upgrade(*upgrade);
            // Only the player is there.
            const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
            return upgrade->answer && status && status->clients <= 1;
          },
      .check = [](Stage& stage, const Strike& strike) -> Result<void> {
        const auto upgrade = std::static_pointer_cast<OrderedUpgrade>(stage.prop(kLeavesInAnUpgrade, strike.arena));
        if (*upgrade->answer) return {};
        return upgrade->answer->error();
      }};
}

}  // namespace arenad::chaos
