// Every frame that was decided for an arena, by number, over all of its incarnations. Pure.
//
//   add(frame)           what it means
//   -------------------  -----------------------------------------------------------------------------------------
//   fresh                the next frame
//   again                known already, and the same: a new incarnation has it from its predecessor's log
//   different            known already, and something else was decided, or running it gave something else
//   gap                  frames before it were never seen: the arena has left some out, or we have read too late
//
// What a frame left behind (its done mark) is learnt later than what was decided, and is added when it is.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "arenad/ids.h"
#include "ipc/frame_log.h"

namespace arenad::chaos {

class FrameHistory {
 public:
  enum class Seen { fresh, again, different, gap };

  // One channel's part in the match.
  struct Part {
    Seat slot = 0;
    uint64_t joined = 0;  // frame
    uint64_t taken = 0;   // stream position up to which frames take its events
    std::optional<uint64_t> left;
  };

  Seen add(DecidedFrame frame);

  [[nodiscard]] std::span<const DecidedFrame> frames() const { return frames_; }  // frame n is at n - 1
  [[nodiscard]] uint64_t last() const { return frames_.size(); }
  [[nodiscard]] const std::map<uint64_t, Part>& parts() const { return parts_; }  // by channel id
  [[nodiscard]] const Part* part(ChannelId channel) const;
  // Position in the arena's outputs behind this frame; nothing if it is not known. Behind frame 0 it is 0.
  [[nodiscard]] std::optional<uint64_t> outputs_end(uint64_t frame) const;
  [[nodiscard]] uint64_t different() const { return different_; }
  [[nodiscard]] uint64_t gaps() const { return gaps_; }

 private:
  void follow_channels(const DecidedFrame& frame);
  [[nodiscard]] Part* at(Seat slot);

  std::vector<DecidedFrame> frames_;
  std::map<uint64_t, Part> parts_;
  uint64_t different_ = 0;
  uint64_t gaps_ = 0;
};

}  // namespace arenad::chaos
