// Events that have killed an arena twice in a row, or that its game blames: taken out of its way, kept with their bytes, and tried again when an operator asks.
#include "ipc/channel.h"
#include "ipc/clock.h"
#include "ipc/frame_log.h"
#include "supervisor/arena.h"
#include "supervisor/crash_report.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

// The record at a position of a channel, as far as it can be believed: its client can still write to it.
struct Evidence {
  uint64_t type = 0;
  std::string bytes;
};

std::optional<Evidence> read_event(const Fd& channel, uint64_t position, uint64_t sequence, uint64_t max_bytes) {
  auto copy = channel.duplicate();
  if (!copy) return std::nullopt;
  auto view = ChannelView::map(std::move(*copy));
  if (!view || !view->has_ring()) return std::nullopt;
  const RecordHeader header = view->record_at(position);
  if (!plausible_record(header, view->capacity(), max_bytes) || header.sequence != sequence) return std::nullopt;
  Evidence evidence{header.type, std::string(record_words(header.bytes) * 8, '\0')};
  copy_from_shared(evidence.bytes.data(), view->words_at(position), evidence.bytes.size());
  return evidence;
}

// Of an event that is kept in its channel still: its record, looked for from where the worker has released to.
std::optional<Evidence> find_event(const Fd& channel, const ChannelEntry& entry, uint64_t sequence, uint64_t max_bytes) {
  auto copy = channel.duplicate();
  if (!copy) return std::nullopt;
  auto view = ChannelView::map(std::move(*copy));
  if (!view || !view->has_ring()) return std::nullopt;
  uint64_t position = entry.released.load(std::memory_order_relaxed);
  const auto end = view->published(position);
  if (!end || position % 8 != 0) return std::nullopt;
  while (*end - position > kRecordHeaderBytes) {
    const RecordHeader header = view->record_at(position);
    if (!plausible_record(header, *end - position, max_bytes) || header.sequence > sequence) return std::nullopt;
    if (header.sequence == sequence) return read_event(channel, position, sequence, max_bytes);
    position += header.bytes;
  }
  return std::nullopt;
}

void take_evidence(std::optional<Evidence> evidence, QuarantineRecord& record) {
  if (!evidence) return;
  record.type = evidence->type;
  record.bytes = std::move(evidence->bytes);
}

}  // namespace

void Arena::restore_quarantine(const std::vector<QuarantineRecord>& records) {
  for (const QuarantineRecord& record : records) quarantine_.hold(record.id, {record.channel, record.sequence});
}

QuarantineRecord Arena::quarantine_entry(const EventRef& event, FrameNumber frame, const std::string& player) {
  QuarantineRecord record;
  record.id = services_.numbers.next_quarantined();
  record.arena = record_.id;
  record.channel = event.channel;
  record.sequence = event.sequence;
  record.player = player;
  record.frame = frame;
  record.at_unix_ms = static_cast<int64_t>(unix_ms());
  if (const RosterChannel* channel = channels_.find(event.channel)) record.seat = channel->slot;
  return record;
}

// Whether its deaths are excused: only if this takes something out of the way.
Charge Arena::quarantine(const EventRef& event, PoisonWatch::Doing doing, const IncarnationView& region, IncidentScene& where,
                         StoreBatch& batch) {
  if (Quarantine::Entry* known = quarantine_.find(event)) {
    where.quarantined = known->id;
    if (known->standing != Quarantine::Standing::retrying) return Charge::budget;
    known->standing = Quarantine::Standing::held;
    answer_retry(known->id, make_error(ErrorCode::failed, "it has ended the arena's worker again: arenactl crashes show " +
                                                              std::to_string(where.id)));
    return Charge::excused;
  }
  if (quarantine_.entries().size() >= limits::kMaxQuarantined) {
    log_error("arena={} msg=\"{} events are in quarantine, and no more are taken\"", record_.name, limits::kMaxQuarantined);
    return Charge::budget;
  }
  QuarantineRecord record = quarantine_entry(event, where.frame, where.player);
  record.incident = where.id;
  if (const RosterChannel* channel = channels_.find(event.channel)) {
    const uint64_t position = region.status().applying_position.load(std::memory_order_relaxed);
    take_evidence(read_event(channel->region, position, event.sequence, services_.config.channels.max_event_bytes), record);
  }
  quarantine_.hold(record.id, event);
  services_.metrics.quarantined(record_.game);
  where.quarantined = record.id;
  const bool is_named = doing == PoisonWatch::Doing::of_its_event;
  log_error(
      "arena={} frame={} msg=\"event {} of player {} {}: it is left out and kept in quarantine; arenactl quarantine show {}\"",
      record_.name, where.frame.value, event.sequence, where.player,
      is_named ? "is what the game blames for the worker's end" : "has killed the worker twice", record.id);
  tell(LifecycleEvent::quarantined, {{"entry", std::to_string(record.id)},
                                     {"player", record.player},
                                     {"sequence", std::to_string(event.sequence)},
                                     {"crash", std::to_string(where.id)}});
  batch.quarantined.push_back(std::move(record));
  return Charge::excused;
}

void Arena::retry_quarantined(const QuarantineRecord& record, RetryAnswer answer) {
  Quarantine::Entry* entry = quarantine_.find(record.id);
  if (entry == nullptr) return answer(make_error(ErrorCode::invalid, "it is not in quarantine any more"));
  if (state() != ArenaState::running) {
    return answer(make_error(ErrorCode::refused, "arena " + record_.name + " is " + to_string(state())));
  }
  if (entry->standing == Quarantine::Standing::retrying) {
    return answer(make_error(ErrorCode::refused, "it is being tried already"));
  }
  const RosterChannel* there = channels_.present_at(static_cast<Seat>(record.seat));
  if (there == nullptr || there->player != record.player) {
    return answer(make_error(ErrorCode::refused, "player " + record.player + " is not in the arena"));
  }
  if (record.bytes.empty()) return answer(make_error(ErrorCode::refused, "its bytes could not be kept"));
  entry->standing = Quarantine::Standing::retrying;
  const auto waiting = retries_.insert_or_assign(record.id, WaitingRetry{record, std::move(answer)}).first;
  send_retry(waiting->second.record);
}

void Arena::send_retry(const QuarantineRecord& record) {
  tell_worker([&](wire::ToWorker::Builder message) {
    auto retry = message.initRetry();
    retry.setId(record.id);
    retry.setSlot(static_cast<uint16_t>(record.seat));
    retry.setPlayer(record.player);
    retry.getEvent().setChannel(record.channel.value);
    retry.getEvent().setSequence(record.sequence);
    retry.setType(record.type);
    retry.setMessage({reinterpret_cast<const capnp::byte*>(record.bytes.data()), record.bytes.size()});
  });
}

// An incarnation lives that has run all that its predecessor had decided. What is still waited for was never decided.
void Arena::send_waiting_retries() {
  for (const auto& [id, waiting] : retries_) send_retry(waiting.record);
}

void Arena::retried(uint64_t id, const std::string& why_not) {
  if (!why_not.empty()) {
    quarantine_.set(id, Quarantine::Standing::held);
    return answer_retry(id, make_error(ErrorCode::failed, why_not));
  }
  quarantine_.remove(id);
  StoreBatch batch;
  batch.unquarantined.push_back(id);
  submit(std::move(batch), Saving::record, [] {});
  log_info("arena={} msg=\"event {} of the quarantine was applied\"", record_.name, id);
  answer_retry(id, std::string("applied"));
}

void Arena::answer_retry(uint64_t id, const Result<std::string>& outcome) {
  const auto found = retries_.find(id);
  if (found == retries_.end()) return;
  const auto answer = std::move(found->second.answer);
  retries_.erase(found);
  answer(outcome);
}

// It does not run any more, or will not.
void Arena::refuse_retries() {
  while (!retries_.empty()) {
    const uint64_t id = retries_.begin()->first;
    quarantine_.set(id, Quarantine::Standing::held);
    answer_retry(id, make_error(ErrorCode::refused, "arena " + record_.name + " is " + to_string(state())));
  }
}

Result<void> Arena::drop_quarantined(uint64_t id) {
  const Quarantine::Entry* entry = quarantine_.find(id);
  if (entry == nullptr) return make_error(ErrorCode::invalid, "it is not in quarantine any more");
  // Until an incarnation has run without it, the frame's record does not say that it is left out.
  if ((is_active() && state() != ArenaState::running) || entry->standing == Quarantine::Standing::retrying) {
    return make_error(ErrorCode::refused, "arena " + record_.name + " is " + to_string(state()) + "; try again when it runs");
  }
  quarantine_.remove(id);
  StoreBatch batch;
  batch.unquarantined.push_back(id);
  submit(std::move(batch), Saving::record, [] {});
  return {};
}

// What an arenad had done with events of the quarantine that did not live to hear of it, or to have it in the database.
void Arena::take_note_of_logged_frames() {
  const FrameLogView log{lived_->log_ring(), lived_->log_capacity(), lived_->status().log_begin,
                         lived_->status().log_published};
  FrameLogReader reader;
  reader.rewind(log);
  std::vector<uint64_t> applied;
  std::vector<std::pair<EventRef, FrameNumber>> unknown;
  while (reader.next(log) == FrameLogReader::Step::frame) {
    const DecidedFrame& frame = reader.frame();
    frame.for_each_entry([&](const FrameEntry& entry, std::string_view text) {
      const bool is_done_retry = entry.kind == FrameEntryKind::retry && frame.done() && entry.slot != kNobodysSlot;
      if (is_done_retry && quarantine_.find(entry.value) != nullptr) applied.push_back(entry.value);
      const auto left_out = left_out_by(entry, text);
      if (left_out && !services_.numbers.was_quarantined_before(left_out->entry))
        unknown.emplace_back(left_out->event, FrameNumber{frame.record().frame});
    });
  }
  for (const uint64_t id : applied) retried(id, "");
  for (const auto& [event, frame] : unknown) hold_again(event, frame);
}

// Under a number of this arenad's own: game code may write any into its log.
void Arena::hold_again(const EventRef& event, FrameNumber frame) {
  const RosterChannel* channel = channels_.find(event.channel);
  if (channel == nullptr || quarantine_.find(event) != nullptr) return;
  if (quarantine_.entries().size() >= limits::kMaxQuarantined) return;
  QuarantineRecord record = quarantine_entry(event, frame, channel->player);
  const uint64_t max_bytes = services_.config.channels.max_event_bytes;
  take_evidence(find_event(channel->region, lived_->channels()[channel->slot], event.sequence, max_bytes), record);
  quarantine_.hold(record.id, event);
  log_warning(
      "arena={} frame={} msg=\"event {} of player {} was left out under the last arenad, and its entry in quarantine was not "
      "in "
      "the database yet: arenactl quarantine show {}\"",
      record_.name, frame.value, event.sequence, channel->player, record.id);
  tell(LifecycleEvent::quarantined,
       {{"entry", std::to_string(record.id)}, {"player", record.player}, {"sequence", std::to_string(event.sequence)}});
  StoreBatch batch;
  batch.quarantined.push_back(std::move(record));
  submit(std::move(batch), Saving::record, [] {});
}

}  // namespace arenad
