// A bot's gunner: picks the enemy that is most worth a shell, aims where it will be when the shell
// gets there, and fires when the gun points there, nothing is in the way, and the armour may give
// in.
#pragma once

#include "bot_memory.h"

namespace tanks {

struct Aim {
  sim::Seat target = sim::kNobody;
  sim::Angle turret = 0;  // where the gun should point
  bool fire = false;
  bool clear = false;      // nothing stands between gun and target
  double penetration = 0;  // the chance of it, 0 to 1
};

class BotGunner {
 public:
  // Looks for a better target; dear, so not for every tick.
  void choose_target(const BotMemory& memory);
  // target is kNobody if there is none in sight.
  [[nodiscard]] Aim take_aim(const BotMemory& memory) const;

 private:
  sim::Seat target_ = sim::kNobody;
};

}  // namespace tanks
