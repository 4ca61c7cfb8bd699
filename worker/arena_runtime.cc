#include "worker/arena_runtime.h"

#include <algorithm>
#include <array>

#include <xxhash.h>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/mutant.h"
#include "worker/log.h"

namespace arenad {
namespace {

void add(std::atomic<uint64_t>& counter, uint64_t by) {
  counter.store(counter.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
}

void raise(std::atomic<uint64_t>& maximum, uint64_t value) {
  if (value > maximum.load(std::memory_order_relaxed)) maximum.store(value, std::memory_order_relaxed);
}

StreamWords output_words(WorkerStatus& status) {
  return {status.outputs_published, status.outputs_begin, status.outputs_reserved, status.outputs_count};
}

StreamWords system_words(WorkerStatus& status) {
  return {status.system_published, status.system_begin, status.system_reserved, status.system_count};
}

constexpr size_t kMaxMarks = 256;

}  // namespace

ArenaRuntime::ArenaRuntime(const arenad_game& game, Incarnation incarnation, ArenaIdentity identity, uint64_t max_event_bytes,
                           std::function<void()> make_room)
    : incarnation_(std::move(incarnation)),
      identity_(std::move(identity)),
      max_event_bytes_(max_event_bytes),
      outputs_(incarnation_.output_ring(), incarnation_.sizes().output_bytes, output_words(incarnation_.status())),
      system_(incarnation_.system_ring(), incarnation_.sizes().system_bytes, system_words(incarnation_.status())),
      log_(incarnation_.log_ring(), incarnation_.sizes().frame_log_bytes,
           {incarnation_.status().log_begin, incarnation_.status().log_published}),
      channels_(incarnation_.channels(), incarnation_.status().newest_joined),
      host_(std::make_unique<GameHost>(
          game, identity_.name, outputs_, system_,
          GameHost::Calls{std::move(make_room), [this](Seat seat, std::string_view why) { return kick(seat, why); },
                          [this] { add(status().garbage_put_off, 1); }})),
      slots_{SlotWriter(incarnation_.slot(0)), SlotWriter(incarnation_.slot(1))},
      event_buffer_(max_event_bytes / 8) {}

Result<void> ArenaRuntime::init(const ParamList& params) {
  outputs_.start_at(0, 0);
  system_.start_at(0, 0);
  system_.keep_from(0);
  if (auto started = host_->init(identity_.arena, params); !started) return started.error();
  incarnation_.set_options(host_->tick_hz(), host_->max_players());
  frame_time_unix_ns_ = (identity_.arena.high >> 16) * kMillisecond;
  outputs_.publish();
  system_.publish();
  return {};
}

Result<void> ArenaRuntime::restore(const Snapshot& snapshot) {
  const SnapshotFacts& f = snapshot.facts();
  outputs_.start_at(f.outputs_position, f.outputs_count);
  system_.start_at(f.system_position, f.system_count);
  system_.keep_from(f.system_position);
  frame_ = f.frame;
  status().events_applied.store(f.events_applied, std::memory_order_relaxed);
  status().events_rejected.store(f.events_rejected, std::memory_order_relaxed);
  frame_time_unix_ns_ = f.time_unix_ns;
  status().frame_decided.store(f.frame.value, std::memory_order_relaxed);
  status().frame_done.store(f.frame.value, std::memory_order_release);
  if (auto restored = host_->restore(snapshot, identity_.epoch); !restored) return restored.error();
  incarnation_.set_options(host_->tick_hz(), host_->max_players());
  for (const ChannelAt& at : snapshot.channels()) {
    if (channels_.find(at.channel) == nullptr) {
      return make_error(ErrorCode::corrupt, "the channel of player " + at.player + " is missing");
    }
    channels_.restore(at);
  }
  return {};
}

void ArenaRuntime::record(const DecidedFrame& frame) {
  log_.append(frame);
  log_written_ += frame.record().bytes;
  status().frame_decided.store(frame.record().frame, std::memory_order_release);
}

Result<FrameEffects> ArenaRuntime::run(const DecidedFrame& frame) {
  const FrameRecord& record = frame.record();
  frame_ = {record.frame};
  frame_time_unix_ns_ = record.time_unix_ns;
  host_->begin_frame(record);
  incarnation_.beat();
  take_skips(frame);
  incarnation_.set_phase(Phase::applying);
  Result<void> applied;
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view text) {
    if (applied && !host_->ended()) applied = apply(entry, text);
  });
  if (!applied) return applied.error();
  incarnation_.set_phase(Phase::ticking);
  ARENAD_CRASH_POINT("frame.tick.before");
  if (!host_->ended()) host_->tick();
  ARENAD_CRASH_POINT("frame.tick.after");
  incarnation_.set_phase(Phase::publishing);
  return FrameEffects{outputs_.written(), outputs_.pending_hash(), system_.written(), system_.pending_hash()};
}

ArenaRuntime::Published ArenaRuntime::publish_streams() {
  Published published;
  published.outputs = outputs_.publish();
  ARENAD_CRASH_POINT("frame.outputs_published");
  published.results = system_.publish();
  ARENAD_CRASH_POINT("frame.results_published");
  if (published.results) result_marks_.push_back({system_.count(), system_.written()});
  return published;
}

Result<void> ArenaRuntime::run_in_place(const DecidedFrame& frame, LeftOut left_out) {
  status().frame_decided.store(frame.record().frame, std::memory_order_release);
  auto effects = run(frame);
  if (!effects) return effects.error();
  if (left_out.outputs) outputs_.discard();
  if (left_out.results) system_.discard();
  publish_streams();
  status().frame_done.store(frame_.value, std::memory_order_release);
  return {};
}

ArenaRuntime::Published ArenaRuntime::publish(const FrameEffects& effects) {
  const Published published = publish_streams();
  log_.mark_done(effects);
  ARENAD_CRASH_POINT("frame.done");
  status().frame_done.store(frame_.value, std::memory_order_release);
  status().outputs_refused.store(host_->outputs_refused(), std::memory_order_relaxed);
  return published;
}

Result<void> ArenaRuntime::apply(const FrameEntry& entry, std::string_view text) {
  switch (entry.kind) {
    case FrameEntryKind::join: {
      WorkerChannel* channel = channels_.find({entry.value});
      if (channel == nullptr)
        return make_error(ErrorCode::corrupt, "the channel of player " + std::string(text) + " is missing");
      apply_join(*channel, text);
      return {};
    }
    case FrameEntryKind::take:
    case FrameEntryKind::leave: {
      WorkerChannel* channel = channels_.at(entry.slot);
      if (channel == nullptr) {
        return make_error(ErrorCode::corrupt, "frame " + std::to_string(frame_.value) + " names an empty slot");
      }
      if (entry.kind == FrameEntryKind::take) {
        if (channel->let_in) apply_events(*channel, entry.value);
      } else {
        // A client whose published end lied: its records were never looked at.
        if (entry.value == ARENAD_EXPELLED && !channel->broken) add(status().events_rejected, 1);
        if (channel->let_in) host_->leave(channel->slot, entry.value);
        // Told again: the arenad of then may be gone.
        if (entry.value == ARENAD_KICKED) kicked_.push_back({channel->id, channel->kick_reason, channel->let_in});
        channels_.leave(*channel, frame_);
      }
      return {};
    }
    case FrameEntryKind::drain:
      host_->drain(entry.value);
      return {};
    case FrameEntryKind::skip:
      return {};  // taken before the first entry
    case FrameEntryKind::retry:
      apply_retry(entry, text);
      return {};
    case FrameEntryKind::signal:
      apply_signal(entry, text);
      return {};
  }
  return make_error(ErrorCode::corrupt, "frame " + std::to_string(frame_.value) + " has an entry of an unknown kind");
}

void ArenaRuntime::apply_join(WorkerChannel& channel, std::string_view player) {
  channels_.join(channel);
  const auto denied = host_->join(channel.slot, player);
  if (!denied) return;
  channel.let_in = false;
  channel.kicked = true;
  channel.kick_reason = denied->substr(0, limits::kMaxKickReasonBytes);
  kicked_.push_back({channel.id, channel.kick_reason, false});
}

bool ArenaRuntime::kick(Seat seat, std::string_view reason) {
  WorkerChannel* channel = channels_.at(seat);
  if (channel == nullptr || channel->kicked) return false;
  channel->kicked = true;
  channel->kick_reason = reason;
  kicked_.push_back({channel->id, channel->kick_reason});
  return true;
}

void ArenaRuntime::apply_events(WorkerChannel& channel, uint64_t end) {
  RecordHeader header;
  while (!host_->ended()) {
    switch (channel.cursor.peek(channel.view, end, max_event_bytes_, header)) {
      case ChannelCursor::Step::record:
        apply_event(channel, header);
        channel.cursor.advance(header);
        continue;
      case ChannelCursor::Step::broken:
        channel.broken = true;
        channels_.count_rejected(channel, channel.cursor.next_sequence(), RejectReason::broken_ring);
        add(status().events_rejected, 1);
        channel.cursor.skip_to(end);
        break;
      case ChannelCursor::Step::end:
        break;
    }
    break;
  }
  status().applying_channel.store(0, std::memory_order_relaxed);
  channels_.publish_taken(channel);
}

void ArenaRuntime::take_skips(const DecidedFrame& frame) {
  skips_.clear();
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view text) {
    if (const auto left_out = left_out_by(entry, text)) skips_.push_back(left_out->event);
  });
}

void ArenaRuntime::apply_event(WorkerChannel& channel, const RecordHeader& header) {
  if (!skips_.empty() && std::ranges::find(skips_, EventRef{channel.id, header.sequence}) != skips_.end()) {
    channels_.count_rejected(channel, header.sequence, RejectReason::quarantined);
    add(status().events_rejected, 1);
    return;
  }
  status().applying_position.store(channel.cursor.position(), std::memory_order_relaxed);
  status().applying_sequence.store(header.sequence, std::memory_order_relaxed);
  status().applying_channel.store(channel.id.value, std::memory_order_relaxed);
  const uint64_t words = record_words(header.bytes);
  // The client can still write these bytes: they are copied before anything looks at them.
  copy_from_shared(event_buffer_.data(), channel.view.words_at(channel.cursor.position()), words * 8);
  if (!is_undamaged(header, event_buffer_.data()) && !ARENAD_MUTANT("event.damage_not_seen")) {
    channels_.count_rejected(channel, header.sequence, RejectReason::damaged);
    add(status().events_rejected, 1);
    return;
  }
  ARENAD_CRASH_POINT("frame.event.before");
  const arenad_verdict verdict = host_->event({header.type, header.sequence, event_buffer_.data(), words, channel.slot});
  ARENAD_CRASH_POINT("frame.event.after");
  if (verdict == ARENAD_OK) {
    channels_.count_applied(channel);
    add(status().events_applied, 1);
    return;
  }
  channels_.count_rejected(channel, header.sequence,
                           verdict == ARENAD_UNKNOWN ? RejectReason::unknown_type : RejectReason::malformed);
  add(status().events_rejected, 1);
}

void ArenaRuntime::apply_retry(const FrameEntry& entry, std::string_view text) {
  RetryHead head;
  const size_t bytes = text.size() - std::min(text.size(), sizeof head);
  if (text.size() < sizeof head || bytes % 8 != 0) {
    retried_.push_back({entry.value, "it is not a message of its type"});
    return;
  }
  if (bytes > event_buffer_.size() * 8) {
    retried_.push_back({entry.value, "the event is larger than channels.max_event_bytes allows now"});
    return;
  }
  const WorkerChannel* there = channels_.at(entry.slot);
  if (there == nullptr || !there->let_in) {
    retried_.push_back({entry.value, "its player is not in the arena"});
    return;
  }
  std::memcpy(&head, text.data(), sizeof head);
  std::memcpy(event_buffer_.data(), text.data() + sizeof head, bytes);
  status().applying_sequence.store(head.sequence, std::memory_order_relaxed);
  status().applying_channel.store(head.channel, std::memory_order_relaxed);
  const arenad_verdict verdict = host_->event({head.type, head.sequence, event_buffer_.data(), bytes / 8, entry.slot});
  status().applying_channel.store(0, std::memory_order_relaxed);
  if (verdict == ARENAD_OK) add(status().events_applied, 1);
  retried_.push_back({entry.value, verdict == ARENAD_OK        ? ""
                                   : verdict == ARENAD_UNKNOWN ? "the game knows no such event"
                                                               : "it is not a message of its type"});
}

void ArenaRuntime::apply_signal(const FrameEntry& entry, std::string_view text) {
  const size_t end = std::min(text.find('\n'), text.size());
  status().applying_sequence.store(entry.value, std::memory_order_relaxed);
  status().applying_channel.store(kApplyingSignal, std::memory_order_relaxed);
  auto reply = host_->signal(text.substr(0, end), text.substr(std::min(end + 1, text.size())));
  status().applying_channel.store(0, std::memory_order_relaxed);
  signalled_.push_back({entry.value, std::move(reply)});
}

SnapshotFacts ArenaRuntime::facts() const {
  SnapshotFacts f;
  f.arena = identity_.arena;
  f.epoch = identity_.epoch;
  f.frame = frame_;
  f.time_unix_ns = frame_time_unix_ns_;
  f.outputs_position = outputs_.published();
  f.outputs_count = outputs_.count();
  f.system_position = system_.published();
  f.system_count = system_.count();
  const arenad_game& game = host_->game();
  f.state_type = game.state_type;
  f.schema_hash = game.schema_hash;
  f.tick_hz = host_->tick_hz();
  f.max_players = host_->max_players();
  f.game = game.name;
  f.game_version = game.version;
  f.ended = host_->ended();
  const WorkerStatus& s = incarnation_.status();
  f.events_applied = s.events_applied.load(std::memory_order_relaxed);
  f.events_rejected = s.events_rejected.load(std::memory_order_relaxed);
  return f;
}

bool ArenaRuntime::take_snapshot() {
  incarnation_.set_phase(Phase::snapshotting);
  const uint64_t began_ns = monotonic_ns();
  const size_t older = !slot_frames_[0] || (slot_frames_[1] && *slot_frames_[0] < *slot_frames_[1]) ? 0 : 1;
  auto positions = channels_.positions();
  slot_frames_[older].reset();
  const size_t words = host_->checkpoint(slots_[older].begin(facts(), positions));
  if (words == 0) {
    add(status().snapshots_failed, 1);
    const std::string why = host_->why_not_saved();
    log_line(ARENAD_LOG_ERROR, identity_.name, frame_.value,
             why.empty() ? "the state does not fit in a snapshot: raise the game's max_state_bytes"
                         : "the state cannot be saved: " + why);
    return false;
  }
  const uint64_t bytes = slots_[older].publish(words);
  slot_frames_[older] = frame_;
  for (auto& [id, channel] : channels_.all()) channel.taken_at_snapshot = channel.cursor.position();
  log_at_snapshot_ = log_written_;
  marks_.push_back({frame_, std::move(positions)});
  if (marks_.size() > kMaxMarks) marks_.erase(marks_.begin() + 1);

  WorkerStatus& s = status();
  const uint64_t took_ns = monotonic_ns() - began_ns;
  add(s.snapshots, 1);
  add(s.snapshot_ns_total, took_ns);
  raise(s.snapshot_ns_max, took_ns);
  s.snapshot_bytes.store(bytes, std::memory_order_relaxed);
  s.snapshot_taken_ns.store(began_ns + took_ns, std::memory_order_relaxed);
  s.snapshot_frame.store(frame_.value, std::memory_order_release);
  note_channels();
  return true;
}

// Not in every frame: each channel is another page to look at.
void ArenaRuntime::note_channels() {
  WorkerStatus& s = status();
  add(s.channels_full, channels_.take_full());
  s.channel_waiting_bytes.store(channels_.waiting_bytes(), std::memory_order_relaxed);
  const uint64_t published = s.outputs_published.load(std::memory_order_relaxed);
  s.output_lag_bytes.store(channels_.output_lag_bytes(published), std::memory_order_relaxed);
}

std::vector<ChannelId> ArenaRuntime::release(const Floor& floor) {
  // The last mark at or below the floor: marks lie at snapshots, and so does every floor that this incarnation can know.
  while (marks_.size() > 1 && marks_[1].frame <= floor.frame) marks_.pop_front();
  if (marks_.empty() || marks_.front().frame > floor.frame) return {};
  const FrameNumber frame = marks_.front().frame;
  ARENAD_CRASH_POINT("release.before");
  log_.release_through(frame.value);
  for (const ChannelAt& at : marks_.front().channels) channels_.release(at.channel, at.position);
  ARENAD_CRASH_POINT("release.after");
  status().released_early.store(floor.release == Release::early ? 1 : 0, std::memory_order_relaxed);
  return channels_.forget_left_through(frame);
}

Fullness ArenaRuntime::fullness() const {
  Fullness result;
  const auto log_bytes = static_cast<double>(log_.capacity());
  result.kept = static_cast<double>(log_.used()) / log_bytes;
  result.since_snapshot = static_cast<double>(log_written_ - log_at_snapshot_) / log_bytes;
  for (const auto& [id, channel] : channels_.all()) {
    if (!channel.view.has_ring()) continue;
    const auto ring_bytes = static_cast<double>(channel.view.capacity());
    const uint64_t taken = channel.cursor.position();
    result.kept = std::max(result.kept, static_cast<double>(taken - channel.released) / ring_bytes);
    result.since_snapshot =
        std::max(result.since_snapshot, static_cast<double>(taken - channel.taken_at_snapshot) / ring_bytes);
  }
  return result;
}

FrameNumber ArenaRuntime::older_slot_frame() const {
  if (!slot_frames_[0] || !slot_frames_[1]) return {};
  return std::min(*slot_frames_[0], *slot_frames_[1]);
}

uint64_t ArenaRuntime::state_hash() {
  hash_buffer_.assign(round_up(host_->game().max_state_bytes, 8), std::byte{});
  const size_t words = host_->checkpoint(hash_buffer_);
  return XXH3_64bits(hash_buffer_.data(), words * 8);
}

void ArenaRuntime::take_over_results(uint64_t begin, const std::byte* bytes) {
  system_.take_over(begin, bytes);
  system_.keep_from(begin);
  result_marks_.push_back({system_.count(), system_.published()});
}

void ArenaRuntime::results_committed(uint64_t sequence) {
  while (!result_marks_.empty() && result_marks_.front().sequence <= sequence) {
    system_.keep_from(result_marks_.front().end);
    result_marks_.pop_front();
  }
}

}  // namespace arenad
