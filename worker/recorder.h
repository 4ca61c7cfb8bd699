// Decides a frame: what it will take from the channels, who joins and who leaves. The only place where the outside world's timing
// reaches an arena; everything after it follows from the record.
#pragma once

#include <optional>
#include <string>

#include "ipc/frame_log.h"
#include "worker/channel_set.h"

namespace arenad {

// An event from quarantine that is to be applied once more.
struct PendingRetry {
  uint64_t id = 0;  // of its entry
  Seat slot = 0;
  std::string player;  // whose event it is
  RetryHead head{};
  std::string message;
};

// What somebody tells the game (module_abi.h).
struct PendingSignal {
  uint64_t number = 0;
  std::string name;
  std::string payload;
};

struct FrameInputs {
  FrameNumber frame;
  uint64_t time_unix_ns = 0;
  uint64_t seed = 0;
  std::optional<uint64_t> drain_deadline_unix_ns;
  std::optional<PendingRetry> retry;
  std::optional<PendingSignal> signal;
};

// The record, closed. Channels of clients that broke their ring's rules are marked as gone, expelled. Clients come first: what is to be
// tried again is left out if they leave no room for it, and so is a signal.
DecidedFrame decide_frame(const FrameInputs& inputs, ChannelSet& channels);

[[nodiscard]] bool has_entry(const DecidedFrame& frame, FrameEntryKind kind);

// Whether a frame would have anything to take, for games without ticks.
bool anything_to_take(const ChannelSet& channels);

// 64 bits for a frame of an arena, the same whenever they are asked for.
uint64_t frame_seed(ArenaId arena, FrameNumber frame);

}  // namespace arenad
