// What an arena gives to the database: its record, checkpoints, results. Nothing here waits for the disk.
#include <utility>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/printable.h"
#include "supervisor/arena.h"

namespace arenad {
namespace {

ArenaDisposition disposition_of(ArenaState state) {
  switch (state) {
    case ArenaState::starting:
    case ArenaState::running:
    case ArenaState::recovering:
    case ArenaState::backing_off:
    case ArenaState::restarting:
    case ArenaState::stopping:
      return ArenaDisposition::running;
    case ArenaState::stopped:
      return ArenaDisposition::stopped;
    case ArenaState::ended:
      return ArenaDisposition::ended;
    case ArenaState::failed:
      return ArenaDisposition::failed;
    case ArenaState::lost:
      return ArenaDisposition::lost;
  }
  return ArenaDisposition::running;
}

std::string code_text(const IncarnationView& view) {
  return view.code().is_null() ? "" : view.code().text();
}

StreamView system_of(const IncarnationView& view) {
  const WorkerStatus& s = view.status();
  return {view.system_ring(), view.system_capacity(), s.system_published, s.system_begin, s.system_reserved};
}

}  // namespace

// Nothing if it was given to the store before, or there is none.
std::optional<FrameNumber> Arena::newest_snapshot(int& newest_slot) const {
  // What may be taken back is not written down, unless it is the last that there will be.
  if (!lived_ || (is_on_probation() && is_active() && !shutting_down_)) return std::nullopt;
  std::optional<FrameNumber> newest;
  for (int slot = 0; slot < 2; ++slot) {
    const auto frame = published_frame(lived_->slot(slot));
    if (frame && (!newest || *frame > *newest)) {
      newest = frame;
      newest_slot = slot;
    }
  }
  return newest && (!submitted_ || *newest > *submitted_) ? newest : std::nullopt;
}

std::optional<CheckpointRecord> Arena::next_checkpoint() {
  int newest_slot = 0;
  if (!newest_snapshot(newest_slot)) return std::nullopt;
  auto snapshot = Snapshot::read_slot(lived_->slot(newest_slot));
  // One that is being overwritten is taken the next time; anything else that is wrong with it the recovery ladder tells.
  if (!snapshot || snapshot->facts().arena != record_.id) return std::nullopt;
  submitted_ = snapshot->facts().frame;
  // No later than the checkpoint: whoever begins with it does not produce them again.
  save_results();
  if (given_since_ns_ == 0) given_since_ns_ = std::exchange(held_since_ns_, 0);
  if (given_since_ns_ == 0) given_since_ns_ = monotonic_ns();
  CheckpointRecord record;
  record.arena = record_.id;
  record.epoch = snapshot->facts().epoch;
  record.frame = snapshot->facts().frame;
  record.taken_unix_ms = static_cast<int64_t>(unix_ms());
  record.bytes = snapshot->bytes();
  return record;
}

void Arena::checkpoint_committed(FrameNumber frame) {
  if (frame > durable_) durable_ = frame;
  board_.set_durable_frame(durable_.value);
  ARENAD_CRASH_POINT("arenad.checkpoint.board");
  if (!submitted_ || durable_ < *submitted_) return;
  given_since_ns_ = 0;
  // The store may have been busy for so long that the next one is late already.
  if (held_since_ns_ != 0) given_since_ns_ = std::exchange(held_since_ns_, 0);
}

void Arena::note_waiting_snapshot() {
  int slot = 0;
  if (held_since_ns_ == 0 && newest_snapshot(slot)) held_since_ns_ = monotonic_ns();
}

uint64_t Arena::unsaved_since_ns() const {
  uint64_t oldest = 0;
  const uint64_t pending = pending_since_ns_.empty() ? 0 : pending_since_ns_.front();
  const uint64_t unawaited = unawaited_.empty() ? 0 : unawaited_since_ns_;
  for (const uint64_t since : {given_since_ns_, held_since_ns_, pending, unawaited}) {
    if (since != 0 && (oldest == 0 || since < oldest)) oldest = since;
  }
  return oldest;
}

void Arena::save_anew() {
  submitted_.reset();
  StoreBatch batch;
  batch.arenas.push_back(record_);
  if (auto checkpoint = next_checkpoint()) batch.checkpoints.push_back(std::move(*checkpoint));
  const FrameNumber frame = batch.checkpoints.empty() ? durable_ : batch.checkpoints.front().frame;
  submit(std::move(batch), Saving::checkpoint, [this, frame] { checkpoint_committed(frame); });
}

Arena::NextResults Arena::next_results() {
  NextResults next;
  if (!lived_) return next;
  const StreamView stream = system_of(*lived_);
  for (;;) {
    switch (results_.next(stream)) {
      case OutboxReader::Step::record: {
        const RecordHeader& header = results_.header();
        next.last = header.sequence;
        next.results.push_back({.arena = record_.id,
                                .sequence = header.sequence,
                                .seat = static_cast<uint32_t>(header.party),
                                .type = header.type,
                                .bytes = std::string(static_cast<const char*>(results_.words()), results_.word_count() * 8),
                                .recorded_unix_ms = static_cast<int64_t>(unix_ms()),
                                .player = channels_.player_at(static_cast<Seat>(header.party)),
                                .game = record_.game,
                                .code = code_text(*lived_)});
        continue;
      }
      case OutboxReader::Step::damaged:
        log_error("arena={} result={} msg=\"a result is damaged in shared memory, and is lost\"", record_.name,
                  results_.header().sequence);
        next.last = results_.header().sequence;
        results_.skip_to(results_.position() + results_.header().bytes);
        continue;
      case OutboxReader::Step::lagged:
        if (results_.position() >= stream.begin.load()) return next;
        results_.skip_to(stream.begin.load());
        continue;
      case OutboxReader::Step::corrupt:
        log_error(
            "arena={} msg=\"its results in shared memory cannot be told apart any more: those that are not stored yet are "
            "lost\"",
            record_.name);
        next.last = lived_->status().system_count.load(std::memory_order_relaxed);
        results_.skip_to(stream.published.load());
        return next;
      case OutboxReader::Step::end:
      case OutboxReader::Step::ahead:
        return next;
    }
  }
}

// Of the incarnation whose results are stored. While its code is changed, it may be another one than game() already.
ResultVersionRecord Arena::result_version() const {
  ResultVersionRecord version{.game = record_.game, .code = code_text(*lived_), .version = printable(lived_->version())};
  const GameTemplate* former = handover_ ? handover_->from : nullptr;
  for (const GameTemplate* each : {static_cast<const GameTemplate*>(game_), former}) {
    if (each != nullptr && each->hash() == lived_->code()) version.types = each->facts().schema;
  }
  return version;
}

void Arena::save_results() {
  NextResults next = next_results();
  if (!next.last) return;
  StoreBatch batch;
  batch.results = std::move(next.results);
  // Each time, as another database may have taken the place of the one that has them.
  batch.result_arenas.push_back({record_.id, record_.name});
  batch.result_versions.push_back(result_version());
  const uint64_t sequence = *next.last;
  ARENAD_CRASH_POINT("arenad.results.read");
  submit(std::move(batch), Saving::results, [this, sequence] {
    ARENAD_CRASH_POINT("arenad.results.stored");
    board_.set_results_committed(sequence);
    board_.ring();
    ARENAD_CRASH_POINT("arenad.results.acknowledged");
  });
}

void Arena::note_disposition() {
  record_.disposition = disposition_of(state());
  record_.changed_unix_ms = static_cast<int64_t>(unix_ms());
}

void Arena::persist() {
  note_disposition();
  StoreBatch batch;
  batch.arenas.push_back(record_);
  submit(std::move(batch), Saving::record, [] {});
}

// The worker has ended. When its last state is in the database, an arena that is put down needs no memory any more.
void Arena::save_last() {
  StoreBatch batch;
  if (auto checkpoint = next_checkpoint()) batch.checkpoints.push_back(std::move(*checkpoint));
  // In the same transaction as the checkpoint that makes it true: whoever reads that the arena runs still has its memory.
  if (!shutting_down_) note_disposition();
  if (!shutting_down_ || record_.disposition == ArenaDisposition::saved) batch.arenas.push_back(record_);
  const FrameNumber frame = batch.checkpoints.empty() ? durable_ : batch.checkpoints.front().frame;
  // Also with nothing to write: it completes with all that was submitted before it.
  submit(std::move(batch), Saving::last, [this, frame, epoch = lived_ ? lived_->epoch() : Epoch{}] {
    checkpoint_committed(frame);
    if (state() != ArenaState::stopped && state() != ArenaState::ended) return;
    // It was started again and stopped again before the disk was ready: its new last state comes with a later transaction.
    if (lived_ && lived_->epoch() != epoch) return;
    ARENAD_CRASH_POINT("arenad.stop.saved");
    lived_.reset();
    channels_.clear();
    kept_.forget_all();
  });
}

void Arena::submit(StoreBatch batch, Saving what, std::function<void()> committed) {
  pending_since_ns_.push_back(monotonic_ns());
  services_.store.submit(std::move(batch),
                         [self = std::weak_ptr(self_), what, committed = std::move(committed)](const Result<void>& result) {
                           const auto alive = self.lock();
                           if (!alive) return;
                           const uint64_t since_ns = (*alive)->pending_since_ns_.front();
                           (*alive)->pending_since_ns_.pop_front();
                           if (result) {
                             committed();
                           } else if (result.error().code == ErrorCode::exhausted) {
                             (*alive)->not_awaited(what, since_ns, committed);
                           }
                           (*alive)->check_waiters();
                         });
}

// The store keeps what it was given, and tells nobody when it is written. The newest of a kind stands for all before it.
void Arena::not_awaited(Saving what, uint64_t since_ns, std::function<void()> committed) {
  if (unawaited_.empty()) unawaited_since_ns_ = since_ns;
  unawaited_[what] = std::move(committed);
}

void Arena::reconsider() {
  if (!unawaited_.empty() && !services_.store.health().failing_since_ns) {
    // An empty batch completes with all that was submitted before it.
    for (auto& [what, committed] : std::exchange(unawaited_, {})) submit({}, what, std::move(committed));
  }
  check_waiters();
}

}  // namespace arenad
