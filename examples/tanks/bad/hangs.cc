// A version of which a frame, its tenth, does not end.
#include <unistd.h>

#include "../hot_guns.h"

namespace tanks {

class Hangs : public hot_guns::HotGuns {
 public:
  static constexpr arenad::GameInfo info = hot_guns::version("3.0-hangs");
  void on_tick(arenad::Context& ctx) {
    ++frames_;
    while (frames_ == 10) ::pause();
    HotGuns::on_tick(ctx);
  }

 private:
  int frames_ = 0;
};

}  // namespace tanks

ARENAD_GAME(tanks::Hangs)
