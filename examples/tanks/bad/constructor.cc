// A version that crashes while it is loaded, before anybody has called it.
#include <csignal>

#include "../hot_guns.h"

namespace tanks {

namespace {

const int kCrash = ::raise(SIGSEGV);

}  // namespace

class CrashesInConstructor : public hot_guns::HotGuns {
 public:
  static constexpr arenad::GameInfo info = hot_guns::version("3.0-constructor");
  void on_tick(arenad::Context& ctx) {
    if (kCrash == 0) HotGuns::on_tick(ctx);
  }
};

}  // namespace tanks

ARENAD_GAME(tanks::CrashesInConstructor)
