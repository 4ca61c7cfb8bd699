// One arena's game object and what the host lends it: outputs, results, logging (module_abi.h).
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arenad/ids.h"
#include "arenad/module_abi.h"
#include "arenad/result.h"
#include "ipc/frame_log_layout.h"
#include "ipc/outbox.h"
#include "state/snapshot.h"

namespace arenad {

using ParamList = std::vector<std::pair<std::string, std::string>>;

class GameHost {
 public:
  struct Calls {
    std::function<void()> make_room;  // a result does not fit until arenad has stored older ones: waits for that a little
    std::function<bool(Seat, std::string_view reason)> kick;  // false: nobody has this seat
    std::function<void()> garbage_put_off;
  };
  GameHost(const arenad_game& game, std::string arena_name, OutboxWriter& outputs, OutboxWriter& system, Calls calls);
  GameHost(const GameHost&) = delete;
  GameHost& operator=(const GameHost&) = delete;
  ~GameHost();

  // Frame 0, a function of the arena's id and parameters alone. Refused with the game's reason.
  Result<void> init(ArenaId arena, const ParamList& params);
  Result<void> restore(const Snapshot& snapshot, Epoch epoch);

  void begin_frame(const FrameRecord& frame);
  // Gives the reason for which the game does not let this player in, if so.
  std::optional<std::string> join(Seat slot, std::string_view player);
  void leave(Seat slot, uint64_t reason);
  void drain(uint64_t deadline_unix_ns);
  arenad_verdict event(const arenad_event& event);
  // What is answered; an error, if nothing was done.
  Result<std::string> signal(std::string_view name, std::string_view payload);
  void tick();
  // Between frames.
  void idle(uint64_t ns_left);
  // That frame, run again, has given other outputs.
  void diverged(FrameNumber frame);
  // Words used, 0: they do not suffice.
  size_t checkpoint(std::span<std::byte> space);
  // What the game says of a checkpoint that gave 0; empty: nothing, so it was too large.
  [[nodiscard]] std::string why_not_saved() const;

  [[nodiscard]] const arenad_game& game() const { return game_; }
  [[nodiscard]] uint32_t tick_hz() const { return options_.tick_hz; }
  [[nodiscard]] uint32_t max_players() const { return options_.max_players; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] uint64_t outputs_refused() const { return outputs_refused_; }

 private:
  static arenad_host make_table(GameHost* self);
  // Ends the worker if a callback that may not fail has failed: recovery begins, with everything as it was before the frame.
  void must_succeed(arenad_verdict verdict, const char* callback);
  // What the game says of its last error: the first line is the reason, those behind it are where it was raised, in a language of its own.
  struct GameError {
    std::string reason;
    std::string traceback;
    [[nodiscard]] std::string text() const { return traceback.empty() ? reason : reason + "\n" + traceback; }
  };
  [[nodiscard]] GameError last_error() const;
  [[nodiscard]] std::string reason_of_refusal() const;

  const arenad_game& game_;
  std::string arena_name_;
  OutboxWriter& outputs_;
  OutboxWriter& system_;
  Calls calls_;
  arenad_host table_;
  arenad_frame frame_{};
  arenad_arena_options options_;
  void* object_;
  std::string reply_;  // of the signal that is being applied
  bool ended_ = false;
  uint64_t outputs_refused_ = 0;
};

}  // namespace arenad
