// A version whose state does not fit: a field has another type than in version 2.0.
#include "../hot_guns.h"
#include "bad/bad_state.capnp.h"

namespace tanks {

class ChangesState : public TanksGame {
 public:
  using State = bad_state::State;
  static constexpr arenad::GameInfo info = hot_guns::version("3.0-state");
  void on_checkpoint(State::Builder state) const {
    save_into(state);
    auto heat = state.initGunHeat(situation().seat_count());
    for (uint seat = 0; seat < heat.size(); ++seat) heat.set(seat, static_cast<float>(situation().tanks[seat].gun_heat));
  }
  void on_restore(arenad::Context&, State::Reader state) { take_over(load(state.getBattle()), state.getPlayers()); }
};

}  // namespace tanks

ARENAD_GAME(tanks::ChangesState)
