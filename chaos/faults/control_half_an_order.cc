#include <csignal>
#include <memory>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/stage.h"
#include "ipc/clock.h"
#include "ipc/control.capnp.h"

namespace arenad::chaos {
namespace {

constexpr const char* kHalfAnOrder = "control.half_an_order";
constexpr const char* kNeverStarted = "never-started";

// What would show at once, had it been carried out.
std::vector<std::string> orders_to_break(const std::string& arena, ArenaId never_started) {
  using Request = wire::Request::Builder;
  const auto select_it = [&](wire::Selection::Builder selection) { selection.initArenas(1).set(0, arena); };
  const std::function<void(Request)> fills[] = {
      [&](Request r) { select_it(r.initStop()); },
      [&](Request r) { select_it(r.initRestart()); },
      [&](Request r) {
        select_it(r.initSignal().initSelection());
        r.getSignal().setNumber(SIGKILL);
      },
      [&](Request r) {
        auto start = r.initStart();
        start.setGame("ledger");
        start.setName(kNeverStarted);
        start.setId(never_started.text());
      },
      [&](Request r) { r.setShutdown(); },
  };
  std::vector<std::string> orders;
  for (const auto& fill : fills) {
    capnp::MallocMessageBuilder message;
    fill(message.initRoot<wire::Request>());
    const auto words = capnp::messageToFlatArray(message);
    orders.emplace_back(words.asChars().begin(), words.asChars().size());
  }
  return orders;
}

}  // namespace

Fault control_half_an_order() {
  return {.name = kHalfAnOrder,
          .does =
              "An operator orders to stop, to restart and to kill the arena, to start another, and arenad's end, and goes away "
              "behind each "
              "byte of that but the last",
          .holds = "nothing of it is carried out",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto never_started = std::make_shared<ArenaId>(ArenaId::make(unix_ms(), stage.arenas().size(), random_u64()));
            for (const std::string& order : orders_to_break(stage.arenas()[strike.arena].name, *never_started)) {
              for (size_t count = 1; count < order.size(); ++count) {
                auto sent = with_connection(stage, [&](test::RawControl& raw) { raw.send(order.substr(0, count)); });
                if (!sent) return sent;
                if (count % 20 == 0) stage.turn();
              }
            }
            stage.prop(kHalfAnOrder, strike.arena) = std::move(never_started);
            return {};
          },
          .check = [](Stage& stage, const Strike& strike) -> Result<void> {
            const auto never_started = std::static_pointer_cast<ArenaId>(stage.prop(kHalfAnOrder, strike.arena));
            if (!stage.rig().status(*never_started)) return {};
            return make_error(ErrorCode::failed, "an arena was started by an order that never was whole");
          }};
}

}  // namespace arenad::chaos
