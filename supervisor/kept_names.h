// The names under which arenad's descriptors are kept by the service manager, so that the next arenad knows what each one is. Pure.
//
//   arena.ID.region.EPOCH              an incarnation's region
//   arena.ID.process.EPOCH             its worker's pidfd
//   arena.ID.channel.NUMBER.SLOT.NAME  a client's channel; NAME is the player's, in hexadecimal digits
//
// ID is the arena's 26 digits. The protocol allows 255 characters and no colon.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "arenad/ids.h"

namespace arenad {

enum class KeptKind { region, process, channel };

struct KeptName {
  ArenaId arena;
  KeptKind kind = KeptKind::region;
  Epoch epoch;        // of a region or a process
  ChannelId channel;  // and of a channel:
  Seat slot = 0;
  std::string player;
  bool operator==(const KeptName&) const = default;

  [[nodiscard]] std::string text() const;
  // Nothing if it is not such a name: the service manager may keep others' descriptors too.
  static std::optional<KeptName> parse(std::string_view text);
};

}  // namespace arenad
