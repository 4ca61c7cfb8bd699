#include "worker/recovery.h"

#include <algorithm>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/mutant.h"
#include "state/recovery_ladder.h"
#include "worker/log.h"
#include "worker/quarantine.h"

namespace arenad {
namespace {

// What can be read of a log, behind the last record that cannot: a snapshot may make those before it unnecessary.
struct OldLog {
  std::vector<DecidedFrame> frames;
  std::optional<uint64_t> damaged_behind;  // the last frame before the damage

  void cut() {
    damaged_behind = frames.empty() ? 0 : frames.back().record().frame;
    frames.clear();
  }
};

OldLog read_log(const IncarnationView& view) {
  const FrameLogView log{view.log_ring(), view.log_capacity(), view.status().log_begin, view.status().log_published};
  OldLog result;
  FrameLogReader reader;
  reader.rewind(log);
  for (;;) {
    switch (reader.next(log)) {
      case FrameLogReader::Step::frame:
        if (!result.frames.empty() && reader.frame().record().frame != result.frames.back().record().frame + 1) result.cut();
        result.frames.push_back(reader.take());
        continue;
      case FrameLogReader::Step::end:
        return result;
      case FrameLogReader::Step::corrupt:
        result.cut();
        if (reader.skip(log)) continue;
        return result;
      case FrameLogReader::Step::lagged:
        result.cut();
        return result;
    }
  }
}

struct Found {
  std::vector<RungCandidate> candidates;
  std::vector<std::optional<Snapshot>> snapshots;  // one for each candidate
};

void consider(Found& found, RungCandidate::Source source, Result<Snapshot> snapshot, const ArenaIdentity& identity) {
  const bool ours = snapshot && snapshot->facts().arena == identity.arena && snapshot->facts().epoch < identity.epoch;
  if (ours) {
    found.candidates.push_back({source, snapshot->facts().frame, RungCandidate::Condition::whole});
    found.snapshots.emplace_back(std::move(*snapshot));
    return;
  }
  found.candidates.push_back({source, {}, RungCandidate::Condition::damaged});
  found.snapshots.emplace_back();
  const std::string why = snapshot ? "it belongs to another arena or incarnation" : snapshot.error().text();
  log_line(ARENAD_LOG_ERROR, identity.name, 0, "a snapshot cannot be used: " + why);
}

void consider_slots(Found& found, const IncarnationView& region, const ArenaIdentity& identity) {
  for (int slot = 0; slot < 2; ++slot) {
    const auto bytes = region.slot(slot);
    if (published_frame(bytes)) consider(found, RungCandidate::Source::slot, Snapshot::read_slot(bytes), identity);
  }
}

Found find_snapshots(const RecoverySources& sources, const ArenaIdentity& identity) {
  Found found;
  if (sources.predecessor) consider_slots(found, *sources.predecessor, identity);
  if (sources.checkpoint) consider(found, RungCandidate::Source::checkpoint, *sources.checkpoint, identity);
  return found;
}

std::optional<LogRange> range_of(const OldLog& log, const RecoverySources& sources) {
  if (!sources.predecessor) return std::nullopt;
  if (log.frames.empty()) return LogRange{{1}, {0}};
  return LogRange{{log.frames.front().record().frame}, {log.frames.back().record().frame}};
}

// Whether what the predecessor had published of this frame, before it died in it, is what we are about to publish.
bool same_as_published(const IncarnationView& predecessor, const OutboxWriter& outputs) {
  const uint64_t theirs = predecessor.status().outputs_published.load(std::memory_order_acquire);
  const uint64_t begin = outputs.published();
  const uint64_t end = std::min(theirs, outputs.written());
  if (theirs > outputs.written() || theirs % 8 != 0) return false;  // we give less than was seen already
  if (end <= begin || end - begin > predecessor.output_capacity()) return true;
  std::vector<uint64_t> seen((end - begin) / 8);
  copy_from_shared(seen.data(), predecessor.output_ring() + (begin & (predecessor.output_capacity() - 1)), end - begin);
  // Ours have no checks before they are published.
  for (uint64_t position = begin; position < end;) {
    std::memset(reinterpret_cast<std::byte*>(seen.data()) + (position - begin) + offsetof(RecordHeader, check), 0,
                sizeof(uint32_t));
    position += load_shared<RecordHeader>(outputs.at(position)).bytes;
  }
  return std::memcmp(seen.data(), outputs.at(begin), end - begin) == 0;
}

// The last frame that the predecessor said it had decided.
FrameNumber decided_by(const RecoverySources& sources) {
  if (!sources.predecessor) return {};
  return {sources.predecessor->status().frame_decided.load(std::memory_order_acquire)};
}

FrameNumber last_known(const OldLog& log, const Snapshot& snapshot) {
  const FrameNumber in_log{log.frames.empty() ? 0 : log.frames.back().record().frame};
  return std::max(in_log, snapshot.facts().frame);
}

// What the clients were told to be free stays so, and nothing more: they may have written over it.
void take_over_released(ArenaRuntime& runtime, const RecoverySources& sources, const Snapshot& snapshot) {
  for (const ChannelAt& at : snapshot.channels()) {
    uint64_t released = at.position;
    if (sources.predecessor) {
      const ChannelEntry& entry = sources.predecessor->channels()[at.slot];
      const bool same = entry.channel_id.load(std::memory_order_acquire) == at.channel.value;
      released = same ? std::min(entry.released.load(std::memory_order_acquire), at.position) : 0;
    }
    runtime.channels().release(at.channel, released);
  }
}

// A client may have been away, because arenad was, while one incarnation died after the other: what it has not read lies in regions that
// it will never see. So what is unread from before the snapshot goes on to the successor.
void take_over_unread(ArenaRuntime& runtime, const RecoverySources& sources) {
  if (!sources.predecessor) return;
  const WorkerStatus& before = sources.predecessor->status();
  const uint64_t end = runtime.outputs().published();
  uint64_t begin = end;
  for (const auto& [id, channel] : runtime.channels().all()) {
    if (!channel.gone_reason) begin = std::min(begin, channel.view.header().outputs_read.load(std::memory_order_relaxed));
  }
  const uint64_t capacity = sources.predecessor->output_capacity();
  const uint64_t reserved = before.outputs_reserved.load(std::memory_order_relaxed);
  begin -= begin % sizeof(uint64_t);  // clients write what they like
  begin = std::max({begin, before.outputs_begin.load(std::memory_order_relaxed), reserved - std::min(reserved, capacity)});
  // And so does game code in its own region.
  if (begin % sizeof(uint64_t) != 0 || end - std::min(begin, end) > capacity) return;
  if (begin >= end || before.outputs_published.load(std::memory_order_acquire) < end) return;
  runtime.outputs().take_over(begin, sources.predecessor->output_ring() + (begin & (capacity - 1)));
}

// Results that are not in the database yet lie in the predecessor's region, and in the memory of an arenad that may die before they are.
void take_over_results(ArenaRuntime& runtime, const RecoverySources& sources) {
  if (!sources.predecessor) return;
  const WorkerStatus& before = sources.predecessor->status();
  const uint64_t begin = before.system_begin.load(std::memory_order_acquire);
  const uint64_t end = runtime.system().published();
  const uint64_t capacity = sources.predecessor->system_capacity();
  if (begin % sizeof(uint64_t) != 0) return;
  if (begin >= end || end - begin > capacity || before.system_published.load(std::memory_order_acquire) < end) return;
  runtime.take_over_results(begin, sources.predecessor->system_ring() + (begin & (capacity - 1)));
}

// What follows is to run frames again.
void note_loaded(ArenaRuntime& runtime) {
  runtime.status().loaded_ns.store(monotonic_ns(), std::memory_order_relaxed);
}

void note_divergence(RecoveryReport& report, ArenaRuntime& runtime, uint64_t frame) {
  log_line(ARENAD_LOG_ERROR, runtime.identity().name, frame,
           "the game is not deterministic: this frame gave other outputs when it was run again");
  if (report.divergences++ != 0) return;
  report.first_divergent_frame = frame;
  runtime.host().diverged({frame});
}

// Whoever has sent a signal that its worker died of is told so, and the arena goes on without it: nothing of that frame was published. Of a frame that
// was run again it is not to blame: it had been applied before.
std::optional<uint64_t> deadly_signal(const IncarnationView& predecessor) {
  const WorkerStatus& s = predecessor.status();
  const bool in_it = predecessor.stage() == Stage::live && static_cast<Phase>(s.phase.load()) == Phase::applying &&
                     s.applying_channel.load(std::memory_order_acquire) == kApplyingSignal;
  return in_it ? std::optional(s.applying_sequence.load(std::memory_order_relaxed)) : std::nullopt;
}

DecidedFrame without_deadly_signal(DecidedFrame frame, const RecoverySources& sources, ArenaRuntime& runtime) {
  if (frame.done() || !sources.predecessor) return frame;
  const auto number = deadly_signal(*sources.predecessor);
  if (!number) return frame;
  const FrameRecord& record = frame.record();
  DecidedFrame changed(record.frame, record.time_unix_ns, record.seed);
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view text) {
    if (entry.kind == FrameEntryKind::signal && entry.value == *number) {
      runtime.leave_out_signal(*number);
    } else {
      changed.add(entry.kind, entry.slot, entry.value, text);
    }
  });
  changed.close();
  return changed;
}

std::optional<RecoveryFailure> replay(ArenaRuntime& runtime, const RecoverySources& sources, OldLog& log,
                                      RecoveryReport& report) {
  const uint64_t applied_before = runtime.status().events_applied.load(std::memory_order_relaxed);
  for (DecidedFrame& frame : log.frames) {
    if (frame.record().frame <= report.restored.value) {
      // Not run again, but kept for a successor that may have to begin with an older snapshot.
      if (frame.record().frame > sources.durable.value && runtime.log().fits(frame.record().bytes)) runtime.record(frame);
      continue;
    }
    const bool was_done = frame.done();
    const FrameEffects before = frame.effects();
    frame = without_deadly_signal(std::move(frame), sources, runtime);
    frame = without_quarantined(std::move(frame), runtime.channels(), sources.quarantined, runtime.max_event_bytes());
    frame.clear_done();
    if (!runtime.log().fits(frame.record().bytes)) runtime.log().release_through(report.restored.value);
    ARENAD_CRASH_POINT("replay.before");
    runtime.record(frame);
    ARENAD_CRASH_POINT("replay.recorded");
    auto effects = runtime.run(frame);
    if (!effects) return RecoveryFailure{RecoveryFault::broken_log, effects.error().text()};
    ARENAD_CRASH_POINT("replay.ran");
    const bool same = was_done ? *effects == before : same_as_published(*sources.predecessor, runtime.outputs());
    if (!same) note_divergence(report, runtime, frame.record().frame);
    if (!same && sources.on_divergence == RecoverySources::OnDivergence::stop) {
      return RecoveryFailure{RecoveryFault::diverged,
                             "the game is not deterministic: frame " + std::to_string(frame.record().frame) +
                                 " gave other outputs when it was run again, and on_divergence is \"stop\""};
    }
    if (ARENAD_MUTANT("replay.one_output_left_out") && report.replayed_frames == 0) runtime.outputs().discard();
    runtime.publish(*effects);
    ARENAD_CRASH_POINT("replay.published");
    ++report.replayed_frames;
  }
  report.replayed_events = runtime.status().events_applied.load(std::memory_order_relaxed) - applied_before;
  return std::nullopt;
}

// Of what a replay must not do (ipc/mutant.h).
void make_mistakes(ArenaRuntime& runtime, const RecoverySources& sources, OldLog& log) {
  if (!sources.predecessor) return;
  const WorkerStatus& before = sources.predecessor->status();
  if (ARENAD_MUTANT("recovery.output_sequence_begins_again")) runtime.outputs().start_at(runtime.outputs().published(), 0);
  if (ARENAD_MUTANT("recovery.outputs_given_again"))
    runtime.outputs().start_at(before.outputs_published.load(), before.outputs_count.load());
  if (ARENAD_MUTANT("recovery.results_given_again"))
    runtime.system().start_at(before.system_published.load(), before.system_count.load());
  if (ARENAD_MUTANT("replay.one_frame_too_few") && !log.frames.empty()) log.frames.pop_back();
  if (!ARENAD_MUTANT("recovery.waiting_events_dropped")) return;
  for (auto& [id, channel] : runtime.channels().all()) {
    const uint64_t position = channel.cursor.position();
    if (channel.in_arena()) channel.cursor.skip_to(channel.view.published(position).value_or(position));
  }
}

RecoveryFailure failure_of(const Error& error) {
  const bool missing = error.code == ErrorCode::corrupt;
  return {missing ? RecoveryFault::broken_log : RecoveryFault::state, error.text()};
}

// The frames that the predecessor has decided since the origin's last one.
std::variant<std::vector<DecidedFrame>, RecoveryFailure> frames_to_take_back(const IncarnationView& predecessor,
                                                                             FrameNumber from, FrameNumber decided) {
  OldLog log = read_log(predecessor);
  std::vector<DecidedFrame> frames;
  for (DecidedFrame& frame : log.frames) {
    if (frame.record().frame > from.value) frames.push_back(std::move(frame));
  }
  const uint64_t wanted = decided.value - std::min(decided, from).value;
  const bool is_whole = frames.size() == wanted && (frames.empty() || frames.front().record().frame == from.value + 1);
  if (is_whole) return frames;
  return RecoveryFailure{RecoveryFault::broken_log, "the frame log does not reach back to frame " + std::to_string(from.value) +
                                                        ", in which the code was changed"};
}

std::variant<RecoveryReport, RecoveryFailure> take_back(ArenaRuntime& runtime, const RecoverySources& sources) {
  const WorkerStatus& before = sources.predecessor->status();
  const FrameNumber from{sources.origin->status().frame_done.load(std::memory_order_acquire)};
  Found found;
  consider_slots(found, *sources.origin, runtime.identity());
  const Snapshot* snapshot = nullptr;
  for (const auto& candidate : found.snapshots) {
    if (candidate && candidate->facts().frame == from) snapshot = &*candidate;
  }
  if (snapshot == nullptr) {
    return RecoveryFailure{RecoveryFault::no_snapshot, "the snapshot of frame " + std::to_string(from.value) +
                                                           ", in which the code was changed, cannot be read"};
  }
  const uint64_t outputs_end = before.outputs_published.load(std::memory_order_acquire);
  const uint64_t results_end = before.system_published.load(std::memory_order_acquire);
  if (outputs_end % sizeof(uint64_t) != 0 || results_end % sizeof(uint64_t) != 0) {
    return RecoveryFailure{RecoveryFault::broken_log, "where the outputs of the code that is taken back end cannot be"};
  }
  auto frames = frames_to_take_back(*sources.predecessor, from, decided_by(sources));
  if (auto* failure = std::get_if<RecoveryFailure>(&frames)) return std::move(*failure);
  ARENAD_CRASH_POINT("takeback.chosen");
  if (auto restored = runtime.restore(*snapshot); !restored) return failure_of(restored.error());
  // What the predecessor had published since has its numbers; this incarnation goes on behind it.
  runtime.outputs().start_at(outputs_end, before.outputs_count.load());
  runtime.system().start_at(results_end, before.system_count.load());
  runtime.system().keep_from(runtime.system().published());
  take_over_released(runtime, sources, *snapshot);
  take_over_unread(runtime, sources);
  take_over_results(runtime, sources);
  runtime.channels().have_joined_through({before.newest_joined.load()});
  ARENAD_CRASH_POINT("takeback.restored");
  note_loaded(runtime);

  RecoveryReport report;
  report.rung = Rung::newest_slot;
  report.restored = from;
  const uint64_t applied_before = runtime.status().events_applied.load(std::memory_order_relaxed);
  FrameEffects last = {snapshot->facts().outputs_position, 0, snapshot->facts().system_position, 0};
  for (DecidedFrame& frame : std::get<std::vector<DecidedFrame>>(frames)) {
    ArenaRuntime::LeftOut left_out{true, true};
    if (frame.done()) {
      last = frame.effects();
    } else {
      left_out = {runtime.outputs().published() > last.outputs_end, runtime.system().published() > last.system_end};
    }
    frame = without_deadly_signal(std::move(frame), sources, runtime);
    frame = without_quarantined(std::move(frame), runtime.channels(), sources.quarantined, runtime.max_event_bytes());
    if (auto ran = runtime.run_in_place(frame, left_out); !ran) return failure_of(ran.error());
    ++report.replayed_frames;
  }
  report.replayed_events = runtime.status().events_applied.load(std::memory_order_relaxed) - applied_before;
  runtime.status().taken_back_from.store(from.value + 1, std::memory_order_relaxed);
  ARENAD_CRASH_POINT("takeback.replayed");
  if (!runtime.take_snapshot()) return RecoveryFailure{RecoveryFault::state, "the state does not fit in a snapshot"};
  ARENAD_CRASH_POINT("takeback.snapshot");
  return report;
}

}  // namespace

std::variant<RecoveryReport, RecoveryFailure> recover(ArenaRuntime& runtime, const RecoverySources& sources) {
  if (sources.is_destroyed) {
    return RecoveryFailure{RecoveryFault::broken_log,
                           "the memory of the worker before is destroyed: game code has written into it"};
  }
  if (sources.origin) return take_back(runtime, sources);
  Found found = find_snapshots(sources, runtime.identity());
  OldLog log = sources.predecessor ? read_log(*sources.predecessor) : OldLog{};
  const auto choice = choose_rung(found.candidates, range_of(log, sources));
  const auto decided = decided_by(sources);
  const bool reaches = choice && decided <= last_known(log, *found.snapshots[choice->candidate]);
  if (!reaches && log.damaged_behind) {
    return RecoveryFailure{RecoveryFault::broken_log,
                           "the frame log is damaged behind frame " + std::to_string(*log.damaged_behind)};
  }
  if (!choice) {
    return RecoveryFailure{RecoveryFault::no_snapshot, "no snapshot that is whole, is this arena's and reaches the frame log"};
  }
  if (!reaches) {
    return RecoveryFailure{RecoveryFault::no_snapshot,
                           "the frame log lacks frames up to " + std::to_string(decided.value) + ", which were decided"};
  }
  if (log.damaged_behind) {
    log_line(ARENAD_LOG_WARNING, runtime.identity().name, *log.damaged_behind,
             "the frame log is damaged behind this frame, but a snapshot makes up for it");
  }
  ARENAD_CRASH_POINT("recovery.chosen");
  const Snapshot& snapshot = *found.snapshots[choice->candidate];
  if (sources.is_handover && snapshot.facts().frame != decided) {
    return RecoveryFailure{RecoveryFault::no_snapshot, "the snapshot of frame " + std::to_string(decided.value) +
                                                           ", in which the code is changed, cannot be read"};
  }
  if (auto restored = runtime.restore(snapshot); !restored) return failure_of(restored.error());
  make_mistakes(runtime, sources, log);
  take_over_released(runtime, sources, snapshot);
  if (!ARENAD_MUTANT("recovery.unread_outputs_dropped")) take_over_unread(runtime, sources);
  take_over_results(runtime, sources);
  if (sources.predecessor) runtime.channels().have_joined_through({sources.predecessor->status().newest_joined.load()});
  ARENAD_CRASH_POINT("recovery.restored");
  RecoveryReport report;
  report.rung = choice->rung;
  report.restored = snapshot.facts().frame;
  // Before anything is run: should this incarnation die in its first frames, its successor finds a snapshot here.
  const bool fits = runtime.take_snapshot();
  if (sources.is_handover && !fits) return RecoveryFailure{RecoveryFault::state, "its state does not fit in a snapshot"};
  ARENAD_CRASH_POINT("recovery.first_snapshot");
  note_loaded(runtime);
  if (auto failure = replay(runtime, sources, log, report)) return *failure;
  ARENAD_CRASH_POINT("recovery.replayed");
  return report;
}

}  // namespace arenad
