#include "hot_guns.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "gunnery.h"

namespace tanks::hot_guns {

namespace {

// A tank is conspicuous from its last shot on: what has not cooled off since is left of that shot's heat.
uint32_t heat_of_last_shot(const sim::Situation& situation, const sim::Tank& tank) {
  constexpr sim::Tick kCold = sim::kConspicuousTicks - kRules.heat_of_a_shot;
  const sim::Tick left = tank.conspicuous_until - std::min(tank.conspicuous_until, situation.tick);
  return left - std::min(left, kCold);
}

}  // namespace

void HotGuns::on_checkpoint(State::Builder state) const {
  save_into(state);
  auto heat = state.initGunHeat(situation().seat_count());
  for (uint seat = 0; seat < heat.size(); ++seat) heat.set(seat, static_cast<uint16_t>(situation().tanks[seat].gun_heat));
}

void HotGuns::on_restore(arenad::Context&, State::Reader state) {
  sim::Situation situation = load(state.getBattle());
  const auto heat = state.getGunHeat();
  if (heat.size() != situation.tanks.size()) throw std::invalid_argument("guns and tanks differ in number");
  for (uint seat = 0; seat < heat.size(); ++seat) situation.tanks[seat].gun_heat = heat[seat];
  take_over(std::move(situation), state.getPlayers());
}

void HotGuns::on_migrate(arenad::Context& ctx, const arenad::Migration& from) {
  const auto state = from.state<State>();
  if (from.old_version() != TanksGame::info.version) return on_restore(ctx, state);
  sim::Situation situation = load(state.getBattle());
  for (sim::Tank& tank : situation.tanks) tank.gun_heat = heat_of_last_shot(situation, tank);
  take_over(std::move(situation), state.getPlayers());
}

}  // namespace tanks::hot_guns
