#include "chaos/faults/new_code.h"

#include "chaos/faults/patience.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kGame = "ledger";
constexpr const char* kGoodVersion = "2.0-good";
constexpr const char* kFirstVersion = "1.0";
// More frames than after which a module is bad; and for arenas without ticks, of which only the time counts, the time to say as many entries.
constexpr sweep::Rig::Probation kLong{.ms = 4000, .frames = 45};

Result<void> order(Stage& stage, const Strike& strike, const std::string& module, sweep::Rig::Probation probation) {
  auto ordered = stage.rig().reload(kGame, module, stage.arenas()[strike.arena].name, 1, probation);
  if (ordered) return ordered;
  const ErrorCode code = ordered.error().code;
  if (code == ErrorCode::unreachable || code == ErrorCode::timeout) return ordered;
  if (ordered.error().message.find("going on") != std::string::npos) return ordered;
  return {};
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

}  // namespace arenad::chaos
