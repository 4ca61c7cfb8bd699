// A version that dies in the first frame that it runs.
#include <csignal>

#include "../hot_guns.h"

namespace tanks {

class DiesInFirstFrame : public hot_guns::HotGuns {
 public:
  static constexpr arenad::GameInfo info = hot_guns::version("3.0-first-frame");
  void on_tick(arenad::Context&) { ::raise(SIGSEGV); }
};

}  // namespace tanks

ARENAD_GAME(tanks::DiesInFirstFrame)
