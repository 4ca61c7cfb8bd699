// An assignment as a worker takes it: the message of arenad (link.capnp) with everything that came with it mapped.
#pragma once

#include <optional>
#include <vector>

#include "ipc/board.h"
#include "ipc/link.capnp.h"
#include "ipc/link.h"
#include "worker/channel_set.h"
#include "worker/recovery.h"

namespace arenad {

struct AssignedChannel {
  ChannelId id;
  Seat slot = 0;
  std::string player;
  std::optional<uint32_t> gone_reason;
  ChannelView view;
};

struct Assignment {
  ArenaIdentity identity;
  CodeHash code;
  uint32_t restarts = 0;  // of the arena, before this incarnation
  bool fresh = false;
  ParamList params;
  uint64_t snapshot_interval_ns = 0;
  uint64_t max_event_bytes = 0;
  std::string adoption_socket;
  uint64_t orphan_timeout_ns = 0;
  uint64_t slow_frame_ns = UINT64_MAX;  // frames that take longer are slow
  BoardView board;
  RecoverySources sources;
  std::vector<AssignedChannel> channels;
};

Result<Assignment> take_assignment(wire::Assign::Reader message, std::vector<Fd> fds);

// Errors if the region is not a channel.
Result<AssignedChannel> take_channel(wire::Channel::Reader message, Fd region);

}  // namespace arenad
