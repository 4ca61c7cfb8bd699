// The channels of one arena, as its worker sees them.
//
//   attached --(frame entry join)--> joined --(leave)--> left --(a released snapshot is newer)--> forgotten
//
// `attached` and `gone` are facts that arenad tells; `joined` and `left` happen in a frame only, so that a replay sees them
// at the same place.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "arenad/ids.h"
#include "ipc/channel.h"
#include "ipc/incarnation.h"
#include "state/snapshot.h"

namespace arenad {

struct WorkerChannel {
  ChannelId id;
  Seat slot = 0;
  std::string player;
  ChannelView view;
  ChannelCursor cursor;
  std::optional<uint32_t> gone_reason;  // the client has left, or is to be expelled
  bool broken = false;                  // its records cannot be told apart any more
  bool kicked = false;                  // by the game; it leaves in the next frame
  std::string kick_reason;              // not known after a recovery from a snapshot between the two
  bool let_in = true;                   // unless the game has denied it: then it hears nothing of it
  bool joined = false;
  std::optional<FrameNumber> left;  // the frame in which it left
  uint64_t released = 0;
  uint64_t taken_at_snapshot = 0;  // the cursor as of the last snapshot
  uint64_t full_seen = 0;          // of the client's count of how often it found no room

  [[nodiscard]] bool in_arena() const { return joined && !left; }
};

class ChannelSet {
 public:
  // What is known of them goes into a region's table, and its status word for the newest one that was let in.
  ChannelSet(std::span<ChannelEntry> table, std::atomic<uint64_t>& newest_joined) : table_(table), newest_(newest_joined) {}

  WorkerChannel& attach(ChannelId id, Seat slot, std::string player, ChannelView view);
  [[nodiscard]] WorkerChannel* find(ChannelId id);
  // The channel that is joined at a slot.
  [[nodiscard]] WorkerChannel* at(Seat slot);

  // The effects of frame entries.
  void join(WorkerChannel& channel);
  void leave(WorkerChannel& channel, FrameNumber frame);
  void publish_taken(const WorkerChannel& channel);
  void count_applied(const WorkerChannel& channel);
  void count_rejected(const WorkerChannel& channel, uint64_t sequence, RejectReason reason);

  // Where the joined channels stand: for a snapshot.
  [[nodiscard]] std::vector<ChannelAt> positions() const;
  // Of an earlier incarnation.
  void have_joined_through(ChannelId newest);
  // From a snapshot: these were joined, and stood there. Channels that are not attached any more are an error of the caller.
  void restore(const ChannelAt& at);

  void release(ChannelId id, uint64_t position);
  // How often clients found no room since the last call, as they tell it.
  uint64_t take_full();
  // Published and not taken yet.
  [[nodiscard]] uint64_t waiting_bytes() const;
  // How far the slowest client is behind the end of the outputs.
  [[nodiscard]] uint64_t output_lag_bytes(uint64_t outputs_published) const;

  // Forgets what left in this frame or before; gives their ids.
  std::vector<ChannelId> forget_left_through(FrameNumber frame);

  [[nodiscard]] std::map<uint64_t, WorkerChannel>& all() { return channels_; }  // by id: the order in which they came
  [[nodiscard]] const std::map<uint64_t, WorkerChannel>& all() const { return channels_; }

 private:
  std::span<ChannelEntry> table_;
  std::atomic<uint64_t>& newest_;
  std::map<uint64_t, WorkerChannel> channels_;
};

}  // namespace arenad
