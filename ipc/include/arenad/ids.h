// The identities that everything else refers to. Each is a type of its own, so that an epoch is never passed as a frame.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace arenad {

// One match. 128 bits: 48 bits of Unix milliseconds, then 80 random bits, so ids sort by time of creation and need no
// coordination between machines. As text: 26 characters of Crockford's base 32 (the ULID specification, github.com/ulid/spec).
struct ArenaId {
  uint64_t high = 0;
  uint64_t low = 0;

  static ArenaId make(uint64_t unix_ms, uint64_t random_high, uint64_t random_low);
  static std::optional<ArenaId> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool is_null() const { return high == 0 && low == 0; }
  auto operator<=>(const ArenaId&) const = default;
};

template <class Tag>
struct Number {
  uint64_t value = 0;
  auto operator<=>(const Number&) const = default;
  [[nodiscard]] Number next() const { return {value + 1}; }
};

using Epoch = Number<struct EpochTag>;              // which incarnation of an arena; the first is 1
using FrameNumber = Number<struct FrameTag>;        // the first frame is 1; 0 is the state right after on_init
using ChannelId = Number<struct ChannelTag>;        // unique within an arena, never used again
using StreamPosition = Number<struct PositionTag>;  // bytes since the start of a stream of records

// A place in an arena: 0..63 are players' seats, 64..127 are observers without a seat.
using Seat = uint16_t;

}  // namespace arenad

template <>
struct std::hash<arenad::ArenaId> {
  size_t operator()(const arenad::ArenaId& id) const noexcept { return id.high * 0x9E3779B97F4A7C15ull ^ id.low; }
};
