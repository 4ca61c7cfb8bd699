// A version that does not take over the state of any battle.
#include <stdexcept>

#include "../hot_guns.h"

namespace tanks {

class Refuses : public hot_guns::HotGuns {
 public:
  static constexpr arenad::GameInfo info = hot_guns::version("3.0-refuses");
  void on_restore(arenad::Context&, State::Reader) { throw std::invalid_argument("there is no such battle"); }
  void on_migrate(arenad::Context& ctx, const arenad::Migration& from) { on_restore(ctx, from.state<State>()); }
};

}  // namespace tanks

ARENAD_GAME(tanks::Refuses)
