// A version that cannot be loaded: the library that this function is in was forgotten.
#include "../hot_guns.h"

namespace tanks {

void play_sounds(const sim::Situation& situation);

class DoesNotLoad : public hot_guns::HotGuns {
 public:
  static constexpr arenad::GameInfo info = hot_guns::version("3.0-does-not-load");
  void on_tick(arenad::Context& ctx) {
    HotGuns::on_tick(ctx);
    play_sounds(situation());
  }
};

}  // namespace tanks

ARENAD_GAME(tanks::DoesNotLoad)
