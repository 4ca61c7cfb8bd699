// A recording (recording.capnp): a stretch of a match, from a snapshot on, that can be run again elsewhere.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "arenad/ids.h"
#include "arenad/result.h"
#include "ipc/frame_log.h"

namespace arenad {

struct RecordedChannel {
  ChannelId channel;
  Seat slot = 0;
  uint64_t begin = 0;  // stream position of the first byte
  std::string bytes;   // records (record.h)
};

struct Recording {
  ArenaId arena;
  std::string name;
  std::string game;
  std::string game_version;
  Epoch epoch;
  uint64_t recorded_unix_ms = 0;
  uint32_t tick_hz = 0;
  std::vector<std::pair<std::string, std::string>> params;
  std::string snapshot;  // state/snapshot_layout.h
  std::vector<DecidedFrame> frames;
  std::vector<RecordedChannel> channels;
};

// The file's bytes.
std::string encode_recording(const Recording& recording);
// ErrorCode::corrupt if the bytes are not a recording.
Result<Recording> decode_recording(std::string_view bytes);

}  // namespace arenad
