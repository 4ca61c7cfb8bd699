// Which event of an arena: the channel that it came through, and its number there.
#pragma once

#include <cstdint>

#include "arenad/ids.h"

namespace arenad {

struct EventRef {
  ChannelId channel;
  uint64_t sequence = 0;  // 1, 2, 3... within the channel
  bool operator==(const EventRef&) const = default;
};

// One that the arena does not get.
struct LeftOutEvent {
  EventRef event;
  uint64_t entry = 0;  // its number in the quarantine; 0: not told
};

}  // namespace arenad
