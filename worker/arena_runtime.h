// Everything of one incarnation that runs frames, whoever decides them: the live loop, a recovery, a replay at the desk. One
// way to run a frame, so a frame that is run again does what it did.
//
//   record()   the frame's record goes into the log
//   run()      its entries are applied, the game ticks; outputs lie behind the published end
//   publish()  outputs, then results, then the record's done mark
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "arenad/ids.h"
#include "ipc/event_ref.h"
#include "ipc/frame_log.h"
#include "ipc/incarnation.h"
#include "ipc/outbox.h"
#include "state/snapshot.h"
#include "worker/channel_set.h"
#include "worker/game_host.h"
#include "worker/retention.h"

namespace arenad {

struct ArenaIdentity {
  ArenaId arena;
  Epoch epoch;
  std::string name;
};

class ArenaRuntime {
 public:
  static constexpr const char* kDiedOfIt = "the arena's worker has died of it, and was recovered as it was before";
  ArenaRuntime(const arenad_game& game, Incarnation incarnation, ArenaIdentity identity, uint64_t max_event_bytes,
               std::function<void()> make_room);

  Result<void> init(const ParamList& params);
  // The channels that the snapshot names must be attached already.
  Result<void> restore(const Snapshot& snapshot);

  void record(const DecidedFrame& frame);
  // A frame that cannot be run again (a channel is missing) is ErrorCode::corrupt.
  Result<FrameEffects> run(const DecidedFrame& frame);
  struct Published {
    bool outputs = false;
    bool results = false;
  };
  // What there was to publish.
  Published publish(const FrameEffects& effects);
  // Runs a frame that was decided by other code, without a record in this log: what comes next is a snapshot. Of what it gives, that is
  // left out which the other code had published already in its place.
  struct LeftOut {
    bool outputs = false;
    bool results = false;
  };
  Result<void> run_in_place(const DecidedFrame& frame, LeftOut left_out);
  // What became of events from quarantine in the frames that have run, since the last call.
  struct Retried {
    uint64_t id = 0;
    std::string why_not;  // empty: it was applied
  };
  [[nodiscard]] std::vector<Retried> take_retried() { return std::exchange(retried_, {}); }

  // Whom the game has kicked or not let in, and what became of signals, in the same way.
  struct Kicked {
    ChannelId channel;
    std::string reason;
    bool was_in = true;
  };
  [[nodiscard]] std::vector<Kicked> take_kicked() { return std::exchange(kicked_, {}); }
  struct Signalled {
    uint64_t number = 0;
    Result<std::string> reply;
  };
  // Of a signal that ended the worker before.
  void leave_out_signal(uint64_t number) { signalled_.push_back({number, make_error(ErrorCode::failed, kDiedOfIt)}); }
  [[nodiscard]] std::vector<Signalled> take_signalled() { return std::exchange(signalled_, {}); }

  // Into the older slot. False if the state does not fit; then the older snapshots stay.
  bool take_snapshot();
  // Releases what the floor allows. Gives the channels of which nothing is needed any more.
  std::vector<ChannelId> release(const Floor& floor);
  [[nodiscard]] Fullness fullness() const;
  [[nodiscard]] FrameNumber older_slot_frame() const;
  // XXH3 of the state as a snapshot has it.
  uint64_t state_hash();

  [[nodiscard]] FrameNumber frame() const { return frame_; }
  [[nodiscard]] const ArenaIdentity& identity() const { return identity_; }
  [[nodiscard]] uint64_t max_event_bytes() const { return max_event_bytes_; }
  GameHost& host() { return *host_; }
  ChannelSet& channels() { return channels_; }
  [[nodiscard]] const ChannelSet& channels() const { return channels_; }
  Incarnation& incarnation() { return incarnation_; }
  OutboxWriter& outputs() { return outputs_; }
  OutboxWriter& system() { return system_; }
  FrameLogWriter& log() { return log_; }
  WorkerStatus& status() { return incarnation_.status(); }
  // Right after restore(): those that a predecessor had published from `begin` to where the snapshot stands, as they lie in its ring.
  void take_over_results(uint64_t begin, const std::byte* bytes);
  // Results up to this sequence are durable: their records may be overwritten.
  void results_committed(uint64_t sequence);

 private:
  struct SnapshotMark {
    FrameNumber frame;
    std::vector<ChannelAt> channels;
  };
  struct ResultMark {
    uint64_t sequence;
    uint64_t end;
  };

  [[nodiscard]] SnapshotFacts facts() const;
  Published publish_streams();
  Result<void> apply(const FrameEntry& entry, std::string_view text);
  void apply_events(WorkerChannel& channel, uint64_t end);
  void apply_event(WorkerChannel& channel, const RecordHeader& header);
  void apply_retry(const FrameEntry& entry, std::string_view text);
  void apply_join(WorkerChannel& channel, std::string_view player);
  void apply_signal(const FrameEntry& entry, std::string_view text);
  bool kick(Seat seat, std::string_view reason);
  void take_skips(const DecidedFrame& frame);
  void note_channels();

  Incarnation incarnation_;
  ArenaIdentity identity_;
  uint64_t max_event_bytes_;
  OutboxWriter outputs_;
  OutboxWriter system_;
  FrameLogWriter log_;
  ChannelSet channels_;
  std::unique_ptr<GameHost> host_;
  std::array<SlotWriter, 2> slots_;
  std::array<std::optional<FrameNumber>, 2> slot_frames_;
  std::deque<SnapshotMark> marks_;       // of snapshots whose records are still kept, oldest first
  std::deque<ResultMark> result_marks_;  // of results that are not durable yet
  uint64_t log_at_snapshot_ = 0;
  uint64_t log_written_ = 0;
  FrameNumber frame_;
  uint64_t frame_time_unix_ns_ = 0;
  std::vector<EventRef> skips_;  // of the frame that runs
  std::vector<Retried> retried_;
  std::vector<Kicked> kicked_;
  std::vector<Signalled> signalled_;
  std::vector<uint64_t> event_buffer_;
  std::vector<std::byte> hash_buffer_;
};

}  // namespace arenad
