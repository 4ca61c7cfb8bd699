// What a game programmer writes against: a class with callbacks, made into a module by one macro.
//
//     class Duel {
//      public:
//       using State = duel::State;                        // a Cap'n Proto struct: everything that must survive a crash
//       using Events = arenad::Events<duel::Aim, duel::Fire>;
//       static constexpr arenad::GameInfo info{.name = "duel", .version = "1.0", .tick_hz = 20, .max_players = 2};
//
//       void on_init(arenad::Context& ctx, const arenad::Params& params);
//       void on_tick(arenad::Context& ctx);
//       void on_event(arenad::Context& ctx, arenad::Seat seat, duel::Aim::Reader aim);   // one for each of Events
//       void on_checkpoint(State::Builder state) const;   // writes the whole state
//       void on_restore(arenad::Context& ctx, State::Reader state);
//     };
//     ARENAD_GAME(Duel)
//
// Optional: using Results = arenad::Results<duel::Score>, which shows results by the names of their fields and adds them up;
// on_migrate(ctx, from): instead of on_restore, for the state of another version (Migration); static warm_up();
// on_join_attempt(ctx, seat, name), on_join(ctx, seat, name), on_leave(ctx, seat, reason), on_drain(ctx, deadline_unix_ns),
// std::string on_signal(ctx, name, payload). on_init may take a third parameter, arenad_arena_options&, to choose the tick rate and the number of seats of this one arena.
//
// Within a frame joins, events and leaves come first, in the order in which they were decided, then what the game is told by a signal, and the tick last. on_init is frame 0:
// its time and seed follow from the arena's id, so it gives the same whenever it is run again. After on_restore nobody joins
// anew: who is there is part of the state.
//
// Rules: one thread. A frame is the only step, and it must be a function of the state and the frame: take time and randomness from
// the context, iterate nothing whose order depends on addresses, keep nothing that on_checkpoint does not write.
// A callback may throw: from on_init it refuses the parameters, from on_restore the state; from any other one the worker ends as if it had crashed.
// An EventToBlame from on_event says more: that this event will not do, however often it is tried. Refused, from on_join_attempt and on_signal, is an answer: nothing
// was changed, and whoever has asked is told why.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <capnp/dynamic.h>
#include <capnp/schema.h>
#include <kj/exception.h>

#include "arenad/ids.h"
#include "arenad/message.h"
#include "arenad/module_abi.h"

namespace arenad {

struct GameInfo {
  const char* name;
  const char* version;
  uint32_t tick_hz = 20;
  uint32_t max_players = 64;
  uint64_t max_state_bytes = 256 * 1024;
  uint64_t max_frame_output_bytes = 64 * 1024;
};

template <class... T>
struct Events {};
// The types of a game's results: `using Results = arenad::Results<duel::Score>`. Whoever reads them later has their fields by name.
template <class... T>
struct Results {};

// Thrown by on_event: it has failed because of this very event. The arena is recovered, and the event left out at once and kept in quarantine.
class EventToBlame : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Thrown by on_join_attempt: this player does not get in; by on_signal: it is not done. The text is told to the player, or to who has sent the signal.
class Refused : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A state that another version of the game has written. Added fields alone need none of this: on_restore finds them with their defaults.
class Migration {
 public:
  Migration(std::string_view old_version, uint64_t old_schema_hash, const void* words, size_t word_count)
      : old_version_(old_version), old_schema_hash_(old_schema_hash), view_(words, word_count, unbounded_reader_options()) {}

  [[nodiscard]] std::string_view old_version() const { return old_version_; }
  [[nodiscard]] uint64_t old_schema_hash() const { return old_schema_hash_; }
  // As a struct of the old version, of which this one keeps a copy under another name, or as its own.
  template <class OldState>
  [[nodiscard]] typename OldState::Reader state() const {
    return view_.root<OldState>();
  }

 private:
  std::string_view old_version_;
  uint64_t old_schema_hash_;
  mutable MessageView view_;
};

// The parameters given to `arenactl start --param key=value`.
class Params {
 public:
  Params(const arenad_param* params, size_t count) : params_(params), count_(count) {}
  [[nodiscard]] std::string_view text(std::string_view key, std::string_view otherwise) const {
    for (size_t i = 0; i < count_; ++i) {
      if (key == params_[i].key) return params_[i].value;
    }
    return otherwise;
  }
  // Throws std::invalid_argument, which refuses the start, if the value is not a number from low to high.
  [[nodiscard]] int64_t number(std::string_view key, int64_t otherwise, int64_t low, int64_t high) const;

 private:
  const arenad_param* params_;
  size_t count_;
};

// Numbers that are the same whenever the frame is run again. SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom
// number generators", OOPSLA 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15ull);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ z >> 27) * 0x94D049BB133111EBull;
    return z ^ z >> 31;
  }
  // 0 <= result < bound; bound > 0.
  uint64_t below(uint64_t bound) { return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64); }
  // 0 <= result < 1.
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

 private:
  uint64_t state_;
};

// Who gets an output.
class Audience {
 public:
  static Audience everyone() { return Audience(ARENAD_EVERYONE, Some::yes); }
  static Audience seat(Seat seat) { return seats(uint64_t{1} << seat); }
  // One bit for each seat; an output for no seat at all is not sent. Observers get every output.
  static Audience seats(uint64_t mask) { return Audience(mask, mask == 0 ? Some::no : Some::yes); }
  [[nodiscard]] uint64_t mask() const { return mask_; }
  [[nodiscard]] bool is_nobody() const { return some_ == Some::no; }

 private:
  enum class Some { no, yes };
  Audience(uint64_t mask, Some some) : mask_(mask), some_(some) {}
  uint64_t mask_;
  Some some_;
};

// The frame that runs now, and what a game may do in it.
class Context {
 public:
  Context(const arenad_host& host, const arenad_frame& frame) : host_(host), frame_(frame) {}

  [[nodiscard]] FrameNumber frame() const { return {frame_.number}; }
  [[nodiscard]] uint64_t time_unix_ns() const { return frame_.time_unix_ns; }
  [[nodiscard]] double dt_seconds() const { return static_cast<double>(frame_.dt_ns) * 1e-9; }
  // The frame's random numbers: seeded anew by each frame, shared by all callbacks of it.
  Random& random() {
    if (seeded_for_ != frame_.number) {
      seeded_for_ = frame_.number;
      random_ = Random(frame_.seed);
    }
    return random_;
  }

  // Builds an output in place in the output ring: fill(T::Builder). False if the outputs of this frame do not fit in the ring.
  template <class T, class Fill>
  bool send(Audience audience, Fill&& fill, size_t words_hint = 256);
  // Records a result for a seat: stored durably, exactly once. False if it is too large.
  template <class T, class Fill>
  bool result(Seat seat, Fill&& fill);
  // Takes the seat from its player, who is told the reason (at most 255 bytes). From the next frame on nothing more of that player is applied; in that frame
  // on_leave is called for ARENAD_KICKED. False if nobody has the seat.
  bool kick(Seat seat, std::string_view reason);
  // The arena ends after this frame; nothing that comes later is applied.
  void end() { host_.end(host_.self); }

  // What on_signal gives. One that is too large is cut.
  void reply(std::string_view text) {
    host_.reply(host_.self, text.data(), text.size() < ARENAD_MAX_REPLY_BYTES ? text.size() : ARENAD_MAX_REPLY_BYTES);
  }

  void log(arenad_log_level level, std::string_view text) { host_.log(host_.self, level, text.data(), text.size()); }

 private:
  const arenad_host& host_;
  const arenad_frame& frame_;
  uint64_t seeded_for_ = UINT64_MAX;
  Random random_{0};
};

}  // namespace arenad

#include "arenad/game_table.h"

// Exports GAME as this module's game.
#define ARENAD_GAME(GAME)                                                                                      \
  extern "C" __attribute__((visibility("default"))) const arenad_game* arenad_game_module(uint32_t host_abi) { \
    return host_abi == ARENAD_ABI_VERSION ? ::arenad::game_table<GAME>() : nullptr;                            \
  }
