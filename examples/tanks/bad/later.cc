// A version that runs well for a while: it dies in the frame after its hundredth.
#include <csignal>

#include "../hot_guns.h"

namespace tanks {

class DiesLater : public hot_guns::HotGuns {
 public:
  static constexpr arenad::GameInfo info = hot_guns::version("3.0-later");
  void on_tick(arenad::Context& ctx) {
    if (frames_++ == 100) ::raise(SIGSEGV);
    HotGuns::on_tick(ctx);
  }

 private:
  int frames_ = 0;
};

}  // namespace tanks

ARENAD_GAME(tanks::DiesLater)
