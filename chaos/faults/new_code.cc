#include "chaos/faults/new_code.h"

#include <memory>
#include <optional>

#include "chaos/equipment.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/patience.h"
#include "chaos/files.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kGame = "ledger";
constexpr const char* kGoodVersion = "2.0-good";
constexpr const char* kFirstVersion = "1.0";
// More frames than after which a module is bad; and for arenas without ticks, of which only the time counts, the time to say as many entries.
constexpr sweep::Rig::Probation kLong{.ms = 4000, .frames = 45};

// As arenad says it (supervisor/rollouts.cc).
bool another_goes_on(const Error& error) {
  return error.message.find("is not over yet") != std::string::npos;
}

Result<void> order(Stage& stage, const Strike& strike, const std::string& module, sweep::Rig::Probation probation) {
  auto ordered = stage.rig().reload(kGame, module, stage.arenas()[strike.arena].name, 1, probation);
  if (ordered) return ordered;
  const ErrorCode code = ordered.error().code;
  if (code == ErrorCode::unreachable || code == ErrorCode::timeout) return ordered;
  if (another_goes_on(ordered.error())) return ordered;
  return {};
}

constexpr const char* kOrder = "order of code";

struct BackgroundOrder {
  std::string module;
  std::optional<sweep::Rig::Posted> posted;  // and not answered yet
  std::optional<bool> refused;
  std::string why;
};

// What there is to hear of it by now.
void follow_order(const Stage& stage, const Strike& strike, BackgroundOrder& order) {
  if (order.refused) return;
  if (!order.posted) {
    auto posted = stage.rig().post_reload(kGame, order.module, stage.arenas()[strike.arena].name);
    if (posted) order.posted.emplace(std::move(*posted));
    return;
  }
  const bool is_connected = order.posted->control.poll();
  if (auto reply = order.posted->control.take_reply(order.posted->request)) {
    if (reply->ok() || !another_goes_on(reply->error())) order.refused = !reply->ok();
    if (!reply->ok()) order.why = reply->error().text();
    order.posted.reset();
  } else if (!is_connected) {
    order.posted.reset();
  }
}

}  // namespace

Result<std::string> other_good_module(Stage& stage, const Strike& strike) {
  const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
  if (!status) return make_error(ErrorCode::unreachable, "arenad does not say which code the arena runs");
  return std::string(status->version == kGoodVersion ? "ledger" : "ledger_good");
}

Result<void> order_module(Stage& stage, const Strike& strike, const std::string& module) {
  return order(stage, strike, module, {});
}

Result<void> order_module_on_long_probation(Stage& stage, const Strike& strike, const std::string& module) {
  return order(stage, strike, module, kLong);
}

Result<void> order_in_the_background(Stage& stage, const Strike& strike, const std::string& module) {
  auto order = std::make_shared<BackgroundOrder>();
  order->module = module;
  follow_order(stage, strike, *order);
  stage.prop(kOrder, strike.arena) = std::move(order);
  return {};
}

bool order_is_answered(Stage& stage, const Strike& strike) {
  const auto order = std::static_pointer_cast<BackgroundOrder>(stage.prop(kOrder, strike.arena));
  follow_order(stage, strike, *order);
  return order->refused && no_rollout(stage, strike);
}

Result<void> order_was_refused(Stage& stage, const Strike& strike) {
  const auto order = std::static_pointer_cast<BackgroundOrder>(stage.prop(kOrder, strike.arena));
  if (!*order->refused) return make_error(ErrorCode::failed, "arenad has taken the module");
  if (order->why.find("cannot be used") == std::string::npos)
    return make_error(ErrorCode::failed, "arenad has refused something else than the module: " + order->why);
  return bad_module_is_not_there(stage, strike);
}

Result<void> order_bytes(Stage& stage, const Strike& strike, const std::string& bytes) {
  // Nobody writes into one that was ordered before.
  static uint64_t made = 0;
  const std::filesystem::path module = stage.rig().folder() / ("module-" + std::to_string(++made));
  if (auto written = write_file(module.string() + ".so", bytes); !written) return written;
  return order_in_the_background(stage, strike, module.string());
}

Result<std::string> bytes_of_good_module() {
  auto equipment = find_equipment();
  if (!equipment) return equipment.error();
  return read_file(equipment->games / "ledger.so");
}

Result<void> wait_for_probation(Stage& stage, const Strike& strike) {
  return wait_until(stage, "an arena on probation", [&] {
    const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
    return status && (status->probation || no_rollout(stage, strike));
  });
}

bool no_rollout(Stage& stage, const Strike& strike) {
  if (stage.rig().is_rolling_out()) return false;
  // A rollout is over when it is known that the new code is taken back, a moment before the old one runs; and of one that was not in the
  // database when arenad died, its arena is on probation still.
  const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
  return status && status->state == "running" && status->epoch == stage.epoch(strike.arena) && !status->probation;
}

Result<void> bad_module_is_not_there(Stage& stage, const Strike& strike) {
  const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
  if (!status) return make_error(ErrorCode::unreachable, "arenad does not say which code the arena runs");
  if (status->version == kGoodVersion || status->version == kFirstVersion) return {};
  return make_error(ErrorCode::failed, "the arena is left with version " + status->version);
}

Fault change_to_file_refused(const char* name, const char* does, ModuleBytes bytes) {
  return {.name = name,
          .does = does,
          .holds = "it is refused, and the arena's own code goes on",
          .uses = "code",
          .prepare = wait_for_arenad,
          .inject = [bytes = std::move(bytes)](Stage& stage, const Strike& strike) -> Result<void> {
            auto file = bytes(strike);
            if (!file) return file.error();
            return order_bytes(stage, strike, *file);
          },
          .plays_on = 10,
          .settled = order_is_answered,
          .check = order_was_refused};
}

}  // namespace arenad::chaos
