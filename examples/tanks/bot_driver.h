// A bot's driver: gets the tank to a place round obstacles and other tanks, or stands and turns the
// hull; and works himself free when stuck.
#pragma once

#include "bot_memory.h"

namespace tanks {

struct Controls {
  int8_t throttle_percent = 0;
  int8_t turn_percent = 0;
};

class BotDriver {
 public:
  // Picks a heading toward the goal that is free for some way ahead; dear, so not for every tick.
  void choose_heading(const BotMemory& memory, sim::Vec goal);

  Controls go(const BotMemory& memory);
  Controls face(const BotMemory& memory, sim::Angle heading);
  Controls back_away(const BotMemory& memory, sim::Angle from);

 private:
  void watch_from_here(const BotMemory& memory);
  void notice_if_stuck(const BotMemory& memory);

  sim::Angle heading_ = 0;
  int side_ = 1;  // the way round that was taken last: 1 is left, -1 right
  // It is stuck if it drives ahead until then and gets nowhere.
  sim::Vec watched_from_;
  sim::Tick stuck_at_ = 0;
  sim::Tick reverse_until_ = 0;
};

}  // namespace tanks
