#include "tests/sim/worker.h"

#include <algorithm>

#include "state/recovery_ladder.h"
#include "tests/sim/world.h"

namespace arenad::sim {
namespace {

constexpr uint64_t kOfferEveryNs = 20 * kMs;

struct OldLog {
  std::vector<LogRecord> frames;
  bool broken = false;
};

OldLog read_log(const Region& region, bool check) {
  OldLog result;
  for (const LogRecord& record : region.log) {
    if (check && record.checksum != checksum_of(record)) {
      result.broken = true;
      break;
    }
    if (!result.frames.empty() && record.frame != result.frames.back().frame + 1) {
      result.broken = true;
      break;
    }
    result.frames.push_back(record);
  }
  return result;
}

}  // namespace

void Worker::go(At at, uint64_t delay_ns) {
  at_ = at;
  const uint64_t serial = ++step_serial_;
  world_.after(delay_ns, [&world = world_, pid = pid_, serial] {
    Worker* worker = world.worker(pid);
    if (worker != nullptr && worker->step_serial_ == serial) worker->step();
  });
}

void Worker::go_on() {
  if (!stopped_) return;
  stopped_ = false;
  // What it was signalled meanwhile comes first.
  std::deque<ToWorker> kept;
  bool aborted = false;
  for (ToWorker& message : inbox_) {
    if (message.kind == ToWorker::Kind::abort) {
      aborted = true;
    } else {
      kept.push_back(std::move(message));
    }
  }
  inbox_ = std::move(kept);
  if (aborted) {
    world_.worker_dies(pid_, Cause::own);
    return;
  }
  if (std::exchange(deferred_, false)) return step();
  if (!hangs_ && at_ == At::waiting) look_at_inbox();
}

void Worker::receive(ToWorker message) {
  if (message.kind == ToWorker::Kind::abort && !stopped_) {
    if (hangs_ && deaf_) return;
    world_.worker_dies(pid_, Cause::own);
    return;
  }
  inbox_.push_back(std::move(message));
  if (stopped_ || hangs_ || at_ != At::waiting) return;
  if (region_) ++region_->beats;
  look_at_inbox();
}

void Worker::link_broke() {
  link_ = 0;
  offered_ = false;
  if (is_spare()) {
    world_.worker_dies(pid_, Cause::in_order);
    return;
  }
  if (alone_since_ns_ == 0) alone_since_ns_ = world_.now();
}

void Worker::step() {
  if (stopped_) {
    deferred_ = true;
    return;
  }
  if (region_) ++region_->beats;
  switch (at_) {
    case At::waiting:
      return turn();
    case At::begin:
      return begin();
    case At::replay:
      return next_replayed();
    case At::entries:
      return entries();
    case At::tick:
      return tick();
    case At::publish:
      return publish();
    case At::done:
      return done();
    case At::slot_begin:
      return slot_begin();
    case At::slot_end:
      return slot_end();
    case At::live:
      return go_live();
    case At::exiting:
      return world_.worker_dies(pid_, Cause::in_order);
  }
}

// True if it is dead now.
bool Worker::hit(int point) {
  switch (world_.plan().at(static_cast<WorkerPoint>(point))) {
    case WorkerFault::none:
      return false;
    case WorkerFault::kill_and_damage: {
      const auto region = region_;
      world_.worker_dies(pid_, Cause::outside);
      world_.plan().damage(*region);
      return true;
    }
    case WorkerFault::kill:
      world_.worker_dies(pid_, Cause::outside);
      return true;
    case WorkerFault::kill_all: {
      // And its successor before long: it may be the first to know who has left.
      const ArenaId arena = arena_;
      world_.kill_arenad(World::Disaster::all);
      world_.after(world_.draw(Stream::when).between(50, 2000) * kMs, [&world = world_, arena] { world.kill_one_of(arena); });
      return true;
    }
    case WorkerFault::stop:
      world_.stop_worker(pid_);
      return false;
  }
  return false;
}
#define ARENAD_SIM_POINT(name) \
  if (hit(static_cast<int>(WorkerPoint::name))) return

bool Worker::counts() const {
  return world_.checker().counts(arena_, pid_);
}

void Worker::send(FromWorker message) {
  if (link_ != 0) world_.tell_arenad(link_, pid_, message);
}

// ---- between frames -----------------------------------------------------------------------------------------------------

void Worker::look_at_inbox() {
  while (!inbox_.empty()) {
    const ToWorker message = std::move(inbox_.front());
    inbox_.pop_front();
    // A message over a link that is broken does not arrive.
    if (message.from_life != 0 && message.kind != ToWorker::Kind::adopt && message.from_life != link_) continue;
    switch (message.kind) {
      case ToWorker::Kind::assign:
        assignment_ = message.assignment;
        arena_ = assignment_->arena;
        epoch_ = assignment_->epoch;
        board_ = assignment_->board;
        game_ = world_.game_of(arena_);
        region_ = world_.region_of_spare(pid_);
        region_->arena = arena_;
        region_->epoch = epoch_;
        region_->stage = Stage::recovering;
        region_->quarantined = assignment_->quarantined;
        world_.checker().assigned(arena_, epoch_, pid_);
        go(At::begin, 100 * kUs);
        return;
      case ToWorker::Kind::join: {
        Member& member = members_[message.channel.id.value];
        member.channel = message.channel;
        break;
      }
      case ToWorker::Kind::leave:
        if (const auto found = members_.find(message.channel.id.value); found != members_.end())
          found->second.channel.gone = true;
        break;
      case ToWorker::Kind::finish:
        finish_wanted_ = true;
        break;
      case ToWorker::Kind::adopt:
        if (message.from_life != link_) break;
        board_ = message.board;
        alone_since_ns_ = 0;
        break;
      case ToWorker::Kind::bell:
      case ToWorker::Kind::abort:
        break;
    }
  }
}

void Worker::offer_if_alone() {
  if (alone_since_ns_ == 0 || offered_) return;
  Offer offer{arena_, epoch_, pid_, region_, {}};
  for (const auto& [id, member] : members_) offer.channels.push_back(member.channel);
  const uint64_t life = world_.offer(std::move(offer));
  if (life == 0) return;
  link_ = life;
  offered_ = true;
}

void Worker::turn() {
  look_at_inbox();
  if (at_ != At::waiting || is_spare()) return;
  const bool is_watched = alone_since_ns_ == 0;
  if (ended_ && is_watched) return finish(Stage::ended);
  if (finish_wanted_) return finish(ended_ ? Stage::ended : Stage::finished);
  offer_if_alone();
  if (!is_watched && link_ == 0 && world_.now() - alone_since_ns_ >= world_.settings().orphan_timeout_ns) {
    world_.met(Met::orphan_gave_up);
    return finish(ended_ ? Stage::ended : Stage::finished);
  }
  const uint64_t now = world_.now();
  if (ended_) {
    if (!is_watched) world_.met(Met::ended_waits_for_arenad);
    return go(At::waiting, kOfferEveryNs);
  }
  if (ticks_->is_due(now)) {
    ticks_->begin(now);
    region_->heartbeat_ns = now;
    return decide();
  }
  const uint64_t due_ns = ticks_->due_ns();
  const uint64_t next_ns = is_watched ? due_ns : std::min(due_ns, now + kOfferEveryNs);
  go(At::waiting, next_ns - now);
}

// ---- a frame ------------------------------------------------------------------------------------------------------------

void Worker::decide() {
  region_->in_frame = true;
  ARENAD_SIM_POINT(before_log);
  LogRecord r;
  r.frame = frame_ + 1;
  r.time_ns = world_.now();
  r.seed = mixed(arena_.low, r.frame);
  for (auto& [id, m] : members_) {
    if (m.left) continue;
    if (!m.joined) {
      if (m.channel.gone) {
        m.left = r.frame;
        continue;
      }
      r.entries.push_back({FrameEntryKind::join, m.channel.slot, id, m.channel.player});
    }
    if (m.channel.memory && !m.channel.memory->ring.empty() && !m.broken && m.channel.memory->published > m.cursor)
      r.entries.push_back({FrameEntryKind::take, m.channel.slot, m.channel.memory->published, 0});
    if (m.channel.gone) r.entries.push_back({FrameEntryKind::leave, m.channel.slot, 0, 0});
  }
  r.checksum = checksum_of(r);
  first_time_ = true;
  was_done_ = false;
  running_ = r;
  if (!world_.is(Mutant::log_after_frame)) {
    record(std::move(r));
    ARENAD_SIM_POINT(after_log);
    const bool members_change = std::any_of(running_.entries.begin(), running_.entries.end(),
                                            [](const Entry& e) { return e.kind != FrameEntryKind::take; });
    if (members_change) ARENAD_SIM_POINT(members_change);
  }
  entry_ = 0;
  outputs_before_ = region_->outputs.written;
  frame_ = running_.frame;
  state_ = mixed(mixed(mixed(state_, running_.frame), running_.time_ns), running_.seed);
  go(At::entries, 5 * kUs);
}

void Worker::record(LogRecord r) {
  if (counts()) world_.checker().recorded(arena_, epoch_, r, first_time_ ? Checker::Take::first : Checker::Take::again);
  if (region_->log.size() >= region_->log_capacity) world_.fail("the frame log is full");
  region_->frame_decided = r.frame;
  region_->log.push_back(std::move(r));
  ++log_since_snapshot_;
}

Worker::Member* Worker::at_slot(Seat slot) {
  for (auto& [id, member] : members_) {
    if (member.channel.slot == slot && member.in_arena()) return &member;
  }
  return nullptr;
}

// The events of one entry, one each step.
void Worker::entries() {
  while (entry_ < running_.entries.size() && !ended_) {
    const bool reversed = world_.is(Mutant::other_channel_order_in_replay) && !first_time_;
    const Entry& e = running_.entries[reversed ? running_.entries.size() - 1 - entry_ : entry_];
    switch (e.kind) {
      case FrameEntryKind::join: {
        const auto found = members_.find(e.value);
        if (found == members_.end()) return refuse(WorkerEnd::refused_broken_log);
        found->second.joined = true;
        region_->newest_channel = std::max(region_->newest_channel, e.value);
        region_->seats[e.slot] = {found->second.channel.id, found->second.released};
        state_ = mixed(mixed(state_, 1), e.value);
        break;
      }
      case FrameEntryKind::take: {
        Member* member = at_slot(e.slot);
        if (member == nullptr) return refuse(WorkerEnd::refused_broken_log);
        if (member->cursor < e.value) {
          if (!apply(*member)) return;
          if (member->cursor < e.value) return;  // its step was scheduled
        }
        break;
      }
      case FrameEntryKind::leave: {
        Member* member = at_slot(e.slot);
        if (member == nullptr) return refuse(WorkerEnd::refused_broken_log);
        state_ = mixed(mixed(state_, 2), member->channel.id.value);
        member->left = frame_;
        region_->seats.erase(e.slot);
        break;
      }
      case FrameEntryKind::drain:
      case FrameEntryKind::skip:
      case FrameEntryKind::retry:
      case FrameEntryKind::signal:
        break;  // the simulated arena knows no such entries: its region says what is left out
    }
    ++entry_;
  }
  go(At::tick, 10 * kUs);
}

// The next event of a channel. False if this worker is dead, hangs, or goes on in a step of its own.
bool Worker::apply(Member& member) {
  const auto& ring = member.channel.memory->ring;
  const uint64_t sequence = member.cursor + 1;
  const Event event = ring.empty() ? Event{} : ring[(sequence - 1) % ring.size()];
  if (event.sequence != sequence) {  // overwritten: the records cannot be told apart
    member.broken = true;
    world_.note("channel broken", member.channel.id.value, sequence, event.sequence);
    member.cursor = running_.entries[entry_].value;
    return true;
  }
  region_->applying = EventRef{member.channel.id, sequence};
  ++member.cursor;
  if (region_->quarantined.contains({member.channel.id.value, sequence})) {
    world_.met(Met::quarantined_event_skipped);
    world_.note("event skipped", arena_.low, member.channel.id.value, sequence);
    go(At::entries, 1 * kUs);
    return false;
  }
  if (hit(static_cast<int>(WorkerPoint::applying))) return false;
  uint64_t takes_ns = 3 * kUs;
  switch (event.kind) {
    case EventKind::plain:
      break;
    case EventKind::poison:
      world_.met(Met::poison_death);
      world_.worker_dies(pid_, Cause::own);
      return false;
    case EventKind::flaky:
      if (!world_.first_application(arena_, member.channel.id, sequence)) break;
      world_.met(Met::flaky_death);
      world_.worker_dies(pid_, Cause::own);
      return false;
    case EventKind::hang:
      hangs_ = true;
      deaf_ = event.payload % 3 == 0;
      world_.met(deaf_ ? Met::deaf_hang : Met::hang);
      world_.worker_hangs(pid_);
      return false;
    case EventKind::slow:
      world_.met(Met::slow_event);
      takes_ns = 150 * kMs + event.payload % (200 * kMs);
      break;
  }
  state_ = mixed(mixed(state_, member.channel.id.value), mixed(sequence, event.payload));
  region_->outputs.write({0, frame_, state_});
  if (hit(static_cast<int>(WorkerPoint::applied))) return false;
  go(At::entries, takes_ns);
  return false;
}

void Worker::tick() {
  region_->applying.reset();
  if (world_.plan().crash_in_tick()) {
    world_.met(Met::crash_in_tick);
    world_.worker_dies(pid_, Cause::own);
    return;
  }
  if (!ended_) {
    if (!game_.deterministic) state_ = mixed(state_, world_.draw(Stream::game).next());
    state_ = mixed(state_, 7);
    region_->outputs.write({0, frame_, state_});
    if (state_ % 12 == 0) region_->results.write({0, frame_, state_});
    if (game_.match_frames != 0 && frame_ >= game_.match_frames) ended_ = true;
  }
  if (world_.is(Mutant::log_after_frame) && first_time_) record(running_);
  ARENAD_SIM_POINT(before_publish);
  go(At::publish, 5 * kUs);
}

uint64_t Worker::outputs_hash(uint64_t from, uint64_t end) const {
  uint64_t hash = 0;
  for (uint64_t p = from; p < end; ++p) hash = mixed(hash, region_->outputs.at(p).value);
  return hash;
}

void Worker::publish() {
  if (!first_time_) {
    const uint64_t begin = outputs_before_;
    bool same = true;
    if (was_done_) {
      same = previous_outputs_end_ == region_->outputs.written &&
             previous_outputs_hash_ == outputs_hash(begin, region_->outputs.written);
    } else if (const auto& before = assignment_->predecessor) {
      same = before->outputs.published <= region_->outputs.written;
      for (uint64_t p = begin; same && p < before->outputs.published; ++p) {
        same = before->outputs.at(p).value == region_->outputs.at(p).value;
      }
    }
    if (!same) {
      world_.met(Met::divergence_seen);
      if (!world_.is(Mutant::divergence_hidden)) ++region_->divergences;
      if (game_.on_divergence == OnDivergence::stop && !world_.is(Mutant::divergence_hidden))
        return refuse(WorkerEnd::refused_divergence);
    }
  }
  if (world_.is(Mutant::done_before_outputs)) {
    mark_done();
  } else {
    publish_outputs();
  }
  ARENAD_SIM_POINT(after_publish);
  go(At::done, 3 * kUs);
}

void Worker::publish_outputs() {
  region_->outputs.published = region_->outputs.written;
  const bool results = region_->results.published != region_->results.written;
  region_->results.published = region_->results.written;
  if (counts()) world_.checker().published(arena_, epoch_, frame_, *region_);
  if (results) send({.kind = FromWorker::Kind::results});
}

void Worker::mark_done() {
  LogRecord& last = region_->log.back();
  last.done = true;
  last.outputs_end = region_->outputs.written;
  last.outputs_hash = outputs_hash(outputs_before_, last.outputs_end);
  region_->frame_done = frame_;
  if (counts()) world_.checker().done(arena_, frame_, state_, *region_);
}

void Worker::done() {
  if (world_.is(Mutant::done_before_outputs)) {
    publish_outputs();
  } else {
    mark_done();
  }
  region_->in_frame = false;
  if (!first_time_) {
    ++region_->replayed_frames;
    ARENAD_SIM_POINT(replaying);
    return go(At::replay, 1 * kUs);
  }
  ARENAD_SIM_POINT(after_done);
  // A snapshot if one is due, as in worker_role.cc.
  const Fullness full = fullness();
  const bool due = snapshot_frame_ == frame_ ? second_copy_due({board_->durable_frame}, older_slot(), {frame_}, full)
                                             : snapshots_->due(world_.now(), full);
  if (due) return go(At::slot_begin, 1 * kUs);
  after_snapshot();
}

// ---- snapshots and release ----------------------------------------------------------------------------------------------

std::vector<ChannelAt> Worker::positions() const {
  std::vector<ChannelAt> result;
  for (const auto& [id, m] : members_) {
    if (m.in_arena()) result.push_back({m.channel.id, m.channel.slot, m.channel.player, m.cursor});
  }
  return result;
}

void Worker::slot_begin() {
  region_->in_frame = true;
  slot_ = !slot_frames_[0] || (slot_frames_[1] && *slot_frames_[0] < *slot_frames_[1]) ? 0 : 1;
  slot_frames_[slot_].reset();
  Slot& slot = region_->slots[slot_];
  slot.published.reset();
  slot.content.snapshot.state = ~state_;  // half of it
  ARENAD_SIM_POINT(slot_torn);
  go(At::slot_end, 20 * kUs);
}

void Worker::slot_end() {
  Slot& slot = region_->slots[slot_];
  Snapshot s{arena_, epoch_, {frame_}, state_, region_->outputs.published, region_->results.published, ended_, positions()};
  if (world_.is(Mutant::events_behind_the_snapshot_taken_again)) {
    for (ChannelAt& at : s.channels) at.taken -= std::min<uint64_t>(at.taken, 1);
  }
  slot.content = {s, checksum_of(s), false};
  slot.published = FrameNumber{frame_};
  slot_frames_[slot_] = frame_;
  snapshot_frame_ = frame_;
  has_snapshot_ = true;
  log_since_snapshot_ = 0;
  for (auto& [id, m] : members_) m.at_snapshot = m.cursor;
  marks_.push_back({frame_, s.channels});
  if (marks_.size() > 256) marks_.erase(marks_.begin() + 1);
  if (snapshots_) snapshots_->taken(world_.now());
  region_->in_frame = false;
  world_.keep_old_snapshot(slot.content);
  ARENAD_SIM_POINT(slot_written);
  if (region_->stage == Stage::recovering) return go(At::replay, 1 * kUs);
  if (finish_wanted_ || ended_) {
    if (finish_wanted_ || alone_since_ns_ == 0) return finish(ended_ ? Stage::ended : Stage::finished);
  }
  after_snapshot();
}

void Worker::after_snapshot() {
  release();
  go(At::waiting, 1 * kUs);
}

FrameNumber Worker::older_slot() const {
  if (!slot_frames_[0] || !slot_frames_[1]) return {};
  return {std::min(*slot_frames_[0], *slot_frames_[1])};
}

Fullness Worker::fullness() const {
  Fullness f;
  const auto log = static_cast<double>(region_->log_capacity);
  f.kept = static_cast<double>(region_->log.size()) / log;
  f.since_snapshot = static_cast<double>(log_since_snapshot_) / log;
  for (const auto& [id, m] : members_) {
    if (m.channel.memory->ring.empty()) continue;
    const auto ring = static_cast<double>(m.channel.memory->ring.size());
    f.kept = std::max(f.kept, static_cast<double>(m.cursor - m.released) / ring);
    f.since_snapshot = std::max(f.since_snapshot, static_cast<double>(m.cursor - m.at_snapshot) / ring);
  }
  return f;
}

void Worker::release() {
  Floor floor = retention_floor({board_->durable_frame}, older_slot(), fullness());
  if (world_.is(Mutant::records_released_too_early)) floor.frame = {snapshot_frame_};
  while (marks_.size() > 1 && marks_[1].frame <= floor.frame.value) marks_.pop_front();
  if (marks_.empty() || marks_.front().frame > floor.frame.value) return;
  const Mark& mark = marks_.front();
  world_.met(floor.release == Release::early ? Met::released_early : Met::released_by_checkpoint);
  // The mutant lets the frames stay, so that only the events behind them are gone.
  const uint64_t through = world_.is(Mutant::records_released_too_early) ? board_->durable_frame : mark.frame;
  while (!region_->log.empty() && region_->log.front().frame <= through) region_->log.pop_front();
  for (const ChannelAt& at : mark.channels) {
    const auto found = members_.find(at.id.value);
    if (found == members_.end() || at.taken <= found->second.released) continue;
    found->second.released = at.taken;
    if (found->second.in_arena()) region_->seats[at.slot].released = at.taken;
  }
  if (counts()) world_.checker().released(arena_, mark.frame, older_slot().value, floor.release == Release::early);
  for (auto it = members_.begin(); it != members_.end();) {
    if (it->second.left && *it->second.left <= mark.frame) {
      send({.kind = FromWorker::Kind::released, .channel = it->second.channel.id});
      it = members_.erase(it);
    } else {
      ++it;
    }
  }
}

// ---- the beginning ------------------------------------------------------------------------------------------------------

void Worker::init() {
  state_ = mixed(arena_.low, 0x494E4954);
  region_->rung = Rung::init;
  world_.met(Met::rung_init);
  world_.checker().begun_anew(arena_);
  go(At::slot_begin, 1 * kUs);
}

bool Worker::restore(const Snapshot& s) {
  const int64_t shift = world_.is(Mutant::one_output_not_suppressed)        ? 1
                        : world_.is(Mutant::one_output_too_many_suppressed) ? -1
                                                                            : 0;
  const uint64_t outputs = s.outputs + static_cast<uint64_t>(s.outputs != 0 ? shift : 0);
  region_->outputs.begin = region_->outputs.published = region_->outputs.written = outputs;
  region_->results.begin = region_->results.published = region_->results.written = s.results;
  frame_ = s.frame.value;
  state_ = s.state;
  ended_ = s.ended;
  region_->frame_decided = region_->frame_done = frame_;
  for (const ChannelAt& at : s.channels) {
    const auto found = members_.find(at.id.value);
    if (found == members_.end()) {
      world_.note("channel missing", at.id.value, s.frame.value);
      return false;
    }
    Member& m = found->second;
    m.cursor = m.at_snapshot = at.taken;
    m.joined = true;
    region_->newest_channel = std::max(region_->newest_channel, at.id.value);
    uint64_t released = at.taken;
    if (const auto& before = assignment_->predecessor) {
      const auto entry = before->seats.find(at.slot);
      const bool same = entry != before->seats.end() && entry->second.channel == at.id;
      released = same ? std::min(entry->second.released, at.taken) : 0;
    }
    m.released = released;
    region_->seats[at.slot] = {at.id, released};
  }
  return true;
}

void Worker::begin() {
  ARENAD_SIM_POINT(assigned);
  for (const AssignedChannel& channel : assignment_->channels) members_[channel.id.value].channel = channel;
  if (assignment_->with == BeginWith::nothing) return init();

  std::vector<RungCandidate> candidates;
  std::vector<const StoredSnapshot*> snapshots;
  const bool check = !world_.is(Mutant::no_slot_checksum);
  const auto consider = [&](RungCandidate::Source source, const StoredSnapshot& stored) {
    const bool whole = (!check || stored.checksum == checksum_of(stored.snapshot)) && stored.snapshot.arena == arena_ &&
                       stored.snapshot.epoch < epoch_;
    candidates.push_back({source, whole ? stored.snapshot.frame : FrameNumber{},
                          whole ? RungCandidate::Condition::whole : RungCandidate::Condition::damaged});
    snapshots.push_back(&stored);
  };
  const Region* before = assignment_->predecessor.get();
  if (before != nullptr) {
    for (const Slot& slot : before->slots) {
      if (slot.published) consider(RungCandidate::Source::slot, slot.content);
    }
  }
  if (assignment_->checkpoint) consider(RungCandidate::Source::checkpoint, *assignment_->checkpoint);
  if (world_.is(Mutant::older_slot_first)) {
    const bool two = candidates.size() >= 2 && candidates[0].source == candidates[1].source &&
                     candidates[0].condition == candidates[1].condition && candidates[0].frame != candidates[1].frame;
    if (two) candidates[candidates[0].frame > candidates[1].frame ? 0 : 1].condition = RungCandidate::Condition::damaged;
  }
  OldLog log;
  std::optional<LogRange> range;
  if (before != nullptr) {
    log = read_log(*before, !world_.is(Mutant::no_log_checksum));
    range = log.frames.empty() ? LogRange{{1}, {0}} : LogRange{{log.frames.front().frame}, {log.frames.back().frame}};
  }
  const auto choice = choose_rung(candidates, range);
  if (!choice) return refuse(WorkerEnd::refused_no_snapshot);
  if (log.broken) return refuse(WorkerEnd::refused_broken_log);
  const Snapshot& chosen = snapshots[choice->candidate]->snapshot;
  const uint64_t known = std::max(log.frames.empty() ? 0 : log.frames.back().frame, chosen.frame.value);
  if (before != nullptr && before->frame_decided > known) return refuse(WorkerEnd::refused_no_snapshot);
  if (!restore(chosen)) return refuse(WorkerEnd::refused_broken_log);
  if (before != nullptr && !world_.is(Mutant::results_of_predecessor_dropped)) {
    // Those that are not in the database yet: arenad may die before they are.
    OutputRing& results = region_->results;
    const uint64_t from = std::min(std::max(before->results.oldest(), board_->results_committed), chosen.results);
    for (uint64_t p = from; p < chosen.results; ++p) results.ring[p % results.ring.size()] = before->results.at(p);
    results.begin = from;
  }
  region_->rung = choice->rung;
  region_->restored_frame = chosen.frame.value;
  if (before == nullptr) {
    world_.met(Met::rung_checkpoint_alone);
    world_.checker().set_back(arena_, chosen.frame.value);
  } else {
    world_.met(choice->rung == Rung::newest_slot  ? Met::rung_newest
               : choice->rung == Rung::older_slot ? Met::rung_older
                                                  : Met::rung_checkpoint);
    world_.checker().restored(arena_, *before, assignment_->checkpoint, chosen.frame.value);
  }
  to_replay_.assign(std::make_move_iterator(log.frames.begin()), std::make_move_iterator(log.frames.end()));
  go(At::slot_begin, 20 * kUs);
}

void Worker::next_replayed() {
  first_time_ = false;
  // Not run again, but kept for a successor that may have to begin with an older snapshot.
  for (; !to_replay_.empty() && to_replay_.front().frame <= region_->restored_frame; to_replay_.pop_front()) {
    const bool fits = region_->log.size() < region_->log_capacity;
    const bool again = to_replay_.front().frame > board_->durable_frame && !world_.is(Mutant::log_not_recorded_again);
    if (again && fits) record(std::move(to_replay_.front()));
  }
  region_->frame_decided = frame_;
  if (to_replay_.empty()) return go(At::live, 1 * kUs);
  LogRecord r = std::move(to_replay_.front());
  to_replay_.pop_front();
  was_done_ = std::exchange(r.done, false);
  previous_outputs_end_ = r.outputs_end;
  previous_outputs_hash_ = r.outputs_hash;
  if (region_->log.size() >= region_->log_capacity) {
    while (!region_->log.empty() && region_->log.front().frame <= region_->restored_frame) region_->log.pop_front();
  }
  if (world_.is(Mutant::seed_drawn_anew_in_replay)) r.seed = mixed(r.seed, epoch_.value);
  running_ = r;
  region_->in_frame = true;
  record(std::move(r));
  entry_ = 0;
  outputs_before_ = region_->outputs.written;
  frame_ = running_.frame;
  state_ = mixed(mixed(mixed(state_, running_.frame), running_.time_ns), running_.seed);
  go(At::entries, 3 * kUs);
}

void Worker::go_live() {
  ARENAD_SIM_POINT(before_live);
  if (assignment_->with != BeginWith::nothing) {
    const uint64_t frames = region_->replayed_frames;
    world_.met(frames == 0 ? Met::replay_none : frames == 1 ? Met::replay_one : Met::replay_many);
  }
  const uint64_t now = world_.now();
  const auto& predecessor = assignment_->predecessor;
  const uint64_t known_through = predecessor ? predecessor->newest_channel : 0;
  region_->newest_channel = std::max(region_->newest_channel, known_through);
  for (auto& [id, m] : members_) {
    // One that is not in the snapshot, and that an earlier incarnation had taken in, has left before it.
    const bool was_there =
        id <= known_through && !world_.is(Mutant::who_left_joins_again) && !world_.is(Mutant::who_left_in_a_replay_joins_again);
    if ((m.channel.gone || was_there) && !m.joined) m.left = frame_;
  }
  uint64_t first_ns = now + mixed(arena_.low, 0) % game_.tick_ns;
  if (const auto& before = assignment_->predecessor; before && before->heartbeat_ns != 0)
    first_ns = std::max(before->heartbeat_ns + game_.tick_ns, now > kSecond ? now - kSecond : 0);
  ticks_.emplace(game_.tick_ns, first_ns);
  snapshots_.emplace(game_.snapshot_interval_ns, now);
  region_->stage = Stage::live;
  region_->live_since_ns = now;
  if (counts()) world_.checker().live(arena_, pid_, predecessor.get());
  send({.kind = FromWorker::Kind::live});
  assignment_->predecessor.reset();
  go(At::waiting, 1 * kUs);
}

// ---- the end ------------------------------------------------------------------------------------------------------------

void Worker::refuse(WorkerEnd end) {
  world_.note("refused", arena_.low, epoch_.value, static_cast<uint64_t>(end));
  world_.checker().refused(arena_, end);
  send({.kind = FromWorker::Kind::refused, .refused = end});
  exit_later();
}

void Worker::finish(Stage stage) {
  if (!has_snapshot_ || snapshot_frame_ != frame_) {
    finish_wanted_ = finish_wanted_ || !ended_;
    return go(At::slot_begin, 1 * kUs);
  }
  region_->stage = stage;
  send({.kind = stage == Stage::ended ? FromWorker::Kind::ended : FromWorker::Kind::finished});
  exit_later();
}

void Worker::exit_later() {
  go(At::exiting, 30 * kUs);
}

}  // namespace arenad::sim
