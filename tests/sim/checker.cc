#include "tests/sim/checker.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace arenad::sim {
namespace {

// The model's own arithmetic, written again: a slip in one of the two is a difference.
uint64_t stir(uint64_t left, uint64_t right) {
  uint64_t v = 0x9E3779B97F4A7C15ull;
  v *= right;
  v ^= left;
  v += 0x632BE59BD9B4E019ull;
  v ^= v >> 30;
  v *= 0xBF58476D1CE4E5B9ull;
  v ^= v >> 27;
  v *= 0x94D049BB133111EBull;
  v ^= v >> 31;
  return v;
}

std::string number(uint64_t value) {
  return std::to_string(value);
}

}  // namespace

uint64_t Checker::now() const {
  return world_.now();
}

Checker::Model& Checker::of(ArenaId arena) {
  Model& model = models_[arena];
  if (model.history.empty()) {
    model.history.emplace_back();
    model.history[0].state = stir(arena.low, 0x494E4954);
  }
  return model;
}

// ---- clients ------------------------------------------------------------------------------------------------------------

void Checker::channel_created(ArenaId arena, ChannelId channel, uint64_t) {
  Model& m = of(arena);
  require(m.channels.insert(channel.value).second, arena, "channel id " + number(channel.value) + " is given out again");
}

void Checker::sent(ArenaId arena, ChannelId channel, const Event& event) {
  auto& events = of(arena).sent[channel.value];
  require(event.sequence == events.size() + 1, arena, "the simulated client has sent out of order");
  events.push_back(event);
}

void Checker::read(ArenaId arena, uint64_t client, uint64_t position, const Output& output) {
  Model& m = of(arena);
  require(output.position == position, arena,
          "client " + number(client) + " read output " + number(output.position) + " at position " + number(position));
  require(position < m.outputs.size(), arena, "client " + number(client) + " read an output that was never published");
  if (world_.game_of(arena).deterministic) {
    require(output.value == m.outputs[position], arena,
            "client " + number(client) + " read another output at " + number(position) + " than the model's");
  }
}

void Checker::lagged(ArenaId arena, uint64_t position, const OutputRing& ring) {
  const bool overwritten = ring.written > position + ring.ring.size();
  require(overwritten || ring.begin > position, arena, "a client was told that it lags, and does not");
  // A ring that begins behind a reader: its incarnation began from a snapshot that is newer. What lies between must have been there to
  // read in the ring before; only who did not read it misses it, and is told.
}

uint64_t Checker::taken(ArenaId arena, ChannelId channel) const {
  const auto model = models_.find(arena);
  if (model == models_.end() || model->second.history.empty()) return 0;
  const auto found = model->second.taken_last.find(channel.value);
  return found == model->second.taken_last.end() ? 0 : found->second;
}

// ---- workers ------------------------------------------------------------------------------------------------------------

void Checker::assigned(ArenaId arena, Epoch epoch, Pid pid) {
  Model& m = of(arena);
  const Pid before = std::exchange(m.owner, pid);
  m.owner_is_given = true;
  // One that never lived, and is dead, nobody has seen. Without a keeper, one that nobody has written down is forgotten with its arenad.
  const bool used = m.lived_epochs.contains(epoch.value) && world_.settings().parent == Parent::keeper;
  require(!used, arena, "epoch " + number(epoch.value) + " is given out again");
  require_no_other(arena, pid, before, "assigned");
}

// Nobody hears of one before it is live, and one that is slow does not listen.
bool Checker::is_busy(const Worker& worker) const {
  const Region* region = worker.region().get();
  if (region == nullptr) return false;
  return region->stage == Stage::recovering || region->in_frame || now() - region->live_since_ns < 100 * kMs;
}

// Without a keeper nothing tells that a worker lives that does not answer: its time to offer itself passes, then it is taken for dead. It is
// ended when it comes in the end; until then there are two, and so there may be one that is older than the newest.
void Checker::require_no_other(ArenaId arena, Pid pid, Pid newest, const char* is_what) const {
  for (const auto& [other, worker] : world_.workers()) {
    if (other == pid || worker->arena() != arena) continue;
    const bool may_be_unseen = worker->hangs() || is_busy(*worker) || world_.was_stopped_lately(other) || other != newest;
    require(may_be_unseen && world_.settings().parent == Parent::shell, arena,
            "two workers: process " + number(pid) + " is " + is_what + " while " + number(other) + " lives");
  }
}

bool Checker::counts(ArenaId arena, Pid pid) {
  const bool newest = of(arena).owner == pid;
  require(newest || world_.settings().parent == Parent::shell, arena, "an old process runs frames");
  return newest;
}

// Both slots of the new region may be damaged at once: then all that was decided since the last checkpoint is run from there. Its log goes
// back as far as that, or as its predecessor's did.
void Checker::check_log_reaches_back(ArenaId arena, const Region& region, const Region& predecessor) {
  uint64_t durable = 0;
  for (const StoredSnapshot& each : world_.database().row_of(arena).checkpoints)
    durable = std::max(durable, each.snapshot.frame.value);
  if (predecessor.log.empty() || predecessor.log.back().frame <= durable) return;
  const uint64_t first = std::max(predecessor.log.front().frame, durable + 1);
  require(!region.log.empty() && region.log.front().frame <= first, arena,
          "it is live, and its log does not reach back to frame " + number(first) +
              ", which is in its predecessor's and not durable");
}

void Checker::live(ArenaId arena, Pid pid, const Region* predecessor) {
  Model& m = of(arena);
  const Region& region = *world_.worker(pid)->region();
  if (predecessor != nullptr) check_log_reaches_back(arena, region, *predecessor);
  m.lived_epochs.insert(region.epoch.value);
  // From now on its outputs are those that are seen.
  for (uint64_t p = region.outputs.oldest(); p < region.outputs.published; ++p) m.outputs[p] = region.outputs.at(p).value;
  m.seen_through = m.history.size() - 1;
  m.lived = true;
}

void Checker::recorded(ArenaId arena, Epoch epoch, const LogRecord& r, Take take) {
  Model& m = of(arena);
  const std::string which = "frame " + number(r.frame) + " of epoch " + number(epoch.value);
  if (take == Take::first) {
    require(r.frame == m.records.size() + 1, arena, which + " is decided after frame " + number(m.records.size()));
    m.records.push_back(r);
    return;
  }
  require(r.frame >= 1 && r.frame <= m.records.size(), arena, which + " is run again and never was decided");
  const LogRecord& first = m.records[r.frame - 1];
  require(r.time_ns == first.time_ns && r.seed == first.seed && r.entries == first.entries, arena,
          which + " is run again with another time, seed or order of events");
}

void Checker::evaluate(ArenaId arena, Model& m, const LogRecord& r) {
  Moment next = m.history.back();
  const auto out = [&](uint64_t value) {
    m.outputs.push_back(value);
    ++next.outputs;
  };
  uint64_t s = stir(stir(stir(next.state, r.frame), r.time_ns), r.seed);
  for (const Entry& entry : r.entries) {
    if (next.ended) break;
    switch (entry.kind) {
      case FrameEntryKind::join:
        require(m.joined.emplace(entry.value, r.frame).second, arena,
                "channel " + number(entry.value) + " is let in again by frame " + number(r.frame));
        next.seats[entry.slot] = entry.value;
        next.taken[entry.value] = 0;
        s = stir(stir(s, 1), entry.value);
        break;
      case FrameEntryKind::leave: {
        const uint64_t channel = next.seats.at(entry.slot);
        next.seats.erase(entry.slot);
        next.taken.erase(channel);
        s = stir(stir(s, 2), channel);
        break;
      }
      case FrameEntryKind::take: {
        const uint64_t channel = next.seats.at(entry.slot);
        const auto& events = m.sent[channel];
        require(entry.value <= events.size(), arena, "a frame takes events that nobody has sent");
        for (uint64_t& at = next.taken[channel]; at < entry.value;) {
          const Event& event = events[at++];
          require(event.sequence == at, arena, "the model has lost an event");
          if (m.quarantined.contains({channel, event.sequence})) continue;
          require(event.kind != EventKind::poison && event.kind != EventKind::hang, arena,
                  "an event that nobody can survive was survived");
          s = stir(stir(s, channel), stir(event.sequence, event.payload));
          out(s);
        }
        m.taken_last[channel] = next.taken[channel];
        break;
      }
      case FrameEntryKind::drain:
      case FrameEntryKind::skip:
      case FrameEntryKind::retry:
      case FrameEntryKind::signal:
        break;  // the simulated arena knows no such entries: its region says what is left out
    }
  }
  if (!next.ended) {
    s = stir(s, 7);
    out(s);
    if (s % 12 == 0) {
      if (m.results.size() <= next.results) m.results.resize(next.results + 1);
      m.results[next.results++].insert(s);
    }
    const uint64_t last = world_.game_of(arena).match_frames;
    if (last != 0 && r.frame >= last) next.ended = true;
  }
  next.state = s;
  m.history.push_back(std::move(next));
  ++frames_;
}

void Checker::published(ArenaId arena, Epoch epoch, uint64_t frame, const Region& region) {
  Model& m = of(arena);
  const std::string which = "frame " + number(frame) + " of epoch " + number(epoch.value);
  require(frame <= m.records.size(), arena, which + " has outputs before it is in the frame log");
  const uint64_t evaluated = m.history.size() - 1;
  require(frame <= evaluated + 1, arena, which + " is published and the one before it never was");
  const bool deterministic = world_.game_of(arena).deterministic;
  if (frame == evaluated + 1) {
    evaluate(arena, m, m.records[frame - 1]);
    if (!deterministic) {
      for (uint64_t p = m.history[frame - 1].outputs; p < m.history[frame].outputs && p < region.outputs.published; ++p)
        m.outputs[p] = region.outputs.at(p).value;
    }
  }
  const Moment& before = m.history[frame - 1];
  const Moment& after = m.history[frame];
  require(region.outputs.published == after.outputs, arena,
          which + " ends at output " + number(region.outputs.published) + ", the model at " + number(after.outputs));
  bool same = true;
  for (uint64_t p = before.outputs; p < after.outputs; ++p) {
    const Output& output = region.outputs.at(p);
    require(output.position == p, arena, which + ": output " + number(p) + " is not where it belongs");
    if (deterministic) require(output.value == m.outputs[p], arena, which + ": output " + number(p) + " is not the model's");
    same = same && output.value == m.outputs[p];
    if (region.stage == Stage::live) m.outputs[p] = output.value;
  }
  // Outputs of an incarnation that never went live nobody has seen.
  const bool seen = frame <= m.seen_through;
  if (region.stage == Stage::live) m.seen_through = std::max(m.seen_through, frame);
  if (!same && seen) {
    require(region.divergences != 0, arena, which + " gives other outputs than before, and nobody is told");
    require(world_.game_of(arena).on_divergence == OnDivergence::go_on, arena, which + " goes on although it diverges");
  }
}

void Checker::done(ArenaId arena, uint64_t frame, uint64_t state, const Region& region) {
  Model& m = of(arena);
  require(frame < m.history.size(), arena, "frame " + number(frame) + " is marked as done before its outputs are published");
  require(region.outputs.published >= m.history[frame].outputs, arena,
          "frame " + number(frame) + " is marked as done before its outputs are published");
  if (world_.game_of(arena).deterministic)
    require(state == m.history[frame].state, arena, "the state after frame " + number(frame) + " is not the model's");
}

void Checker::released(ArenaId arena, uint64_t frame, uint64_t older_slot, bool early) {
  uint64_t durable = 0;
  for (const StoredSnapshot& each : world_.database().row_of(arena).checkpoints)
    durable = std::max(durable, each.snapshot.frame.value);
  require(frame <= durable || (early && frame <= older_slot), arena,
          "records up to frame " + number(frame) + " are released, and only frame " + number(durable) + " is durable");
}

void Checker::refused(ArenaId arena, WorkerEnd end) {
  of(arena).refused = end;
}

void Checker::restored(ArenaId arena, const Region& before, const std::optional<StoredSnapshot>& checkpoint, uint64_t frame) {
  uint64_t newest = 0;
  bool any = false;
  const uint64_t log_first = before.log.empty() ? 0 : before.log.front().frame;
  const auto consider = [&](const StoredSnapshot& stored) {
    if (stored.truth_damaged || stored.snapshot.arena != arena) return;
    if (!before.log.empty() && stored.snapshot.frame.value + 1 < log_first) return;
    any = true;
    newest = std::max(newest, stored.snapshot.frame.value);
  };
  for (const Slot& slot : before.slots) {
    if (slot.published) consider(slot.content);
  }
  if (checkpoint) consider(*checkpoint);
  require(any, arena, "it begins with something that no rung is");
  require(frame == newest, arena, "it begins with frame " + number(frame) + ", the newest rung is frame " + number(newest));
  for (const LogRecord& r : before.log)
    require(!r.truth_damaged, arena, "a damaged record of the frame log, frame " + number(r.frame) + ", is accepted");
}

void Checker::truncate(Model& m, uint64_t frame) {
  m.history.resize(frame + 1);
  m.records.resize(frame);
  m.outputs.resize(m.history.back().outputs);
  m.seen_through = std::min(m.seen_through, frame);
  std::erase_if(m.joined, [&](const auto& joined) { return joined.second > frame; });
  m.taken_last.clear();
}

void Checker::set_back(ArenaId arena, uint64_t frame) {
  Model& m = of(arena);
  require(frame < m.history.size(), arena, "it begins with a checkpoint of a frame that never was");
  if (frame == m.records.size()) return world_.begins_from_database(arena);
  // It may have been damaged after it was read.
  const auto& checkpoints = world_.database().row_of(arena).checkpoints;
  const auto newest = std::find_if(checkpoints.begin(), checkpoints.end(), [&](const StoredSnapshot& each) {
    return each.snapshot.frame.value == frame || each.checksum == checksum_of(each.snapshot);
  });
  require(newest != checkpoints.end() && newest->snapshot.frame.value == frame, arena,
          "it is set back to frame " + number(frame) + ", which is not the last durable checkpoint");
  require(m.set_back_reported, arena,
          "it is set back from frame " + number(m.records.size()) + " to " + number(frame) + ", and nobody is told");
  m.set_back_reported = false;
  for (const auto& [key, kept] : world_.kept()) {
    if (key.arena != arena || key.kind != KeptKind::region) continue;
    const bool lived =
        kept.region->stage == Stage::live || kept.region->stage == Stage::finished || kept.region->stage == Stage::ended;
    require(!lived, arena, "it is set back, and the keeper has its region of epoch " + number(key.number));
  }
  world_.begins_from_database(arena);
  truncate(m, frame);
}

// What the keeper had and nobody wants any more must be in the database.
void Checker::region_dropped(ArenaId arena, const Region& region) {
  const auto& row = world_.database().row_of(arena);
  const bool lived = region.stage == Stage::live || region.stage == Stage::finished || region.stage == Stage::ended;
  if (!lived || region.arena != arena || row.row.disposition == ArenaDisposition::lost) return;
  uint64_t durable = 0;
  for (const StoredSnapshot& each : row.checkpoints) durable = std::max(durable, each.snapshot.frame.value);
  require(region.frame_decided <= durable, arena,
          "its region with frame " + number(region.frame_decided) + " is dropped, and only frame " + number(durable) +
              " is durable");
}

// Whoever comes next has the database alone: it must say that the arena rests, and where.
void Checker::memory_given_up(ArenaId arena, const Region* lived) {
  const auto& row = world_.database().row_of(arena);
  require(row.row.disposition != ArenaDisposition::running, arena,
          "its memory is given up, and the database says that it runs");
  if (lived == nullptr) return;
  region_dropped(arena, *lived);
  require(lived->results.published <= row.results.size() || !world_.game_of(arena).deterministic, arena,
          "its region with result " + number(lived->results.published) + " is given up, and only " +
              number(row.results.size()) + " are durable");
}

void Checker::begun_anew(ArenaId arena) {
  Model& m = of(arena);
  if (m.records.empty()) return;
  require(world_.database().row_of(arena).checkpoints.empty(), arena, "it begins anew, and has a checkpoint");
  require(m.set_back_reported, arena, "it begins anew, and nobody is told");
  world_.begins_from_database(arena);
  truncate(m, 0);
}

void Checker::died(ArenaId arena, const Region& region, Doing doing) {
  Model& m = of(arena);
  if (doing == Doing::from_outside || m.suspect != region.applying) m.may_blame = m.must_blame = 0;
  m.suspect = region.applying;
  if (doing == Doing::from_outside || !region.applying) return;
  ++m.may_blame;
  m.must_blame = doing == Doing::its_own ? m.must_blame + 1 : 0;
}

// ---- arenad -------------------------------------------------------------------------------------------------------------

void Checker::arenad_began() {
  for (auto& [id, m] : models_) {
    m.charged_ns.clear();
    m.budget_used_up = false;
    m.lived = true;
    // The next arenad has not seen what the last one has seen.
    m.must_blame = 0;
    m.owner_is_given = false;
    m.rests_from_before = true;
  }
}

void Checker::adopted(ArenaId arena, Pid pid) {
  require(world_.worker(pid) != nullptr, arena, "process " + number(pid) + " is adopted and is dead");
  Model& m = of(arena);
  require(!std::exchange(m.owner_is_given, true), arena, "process " + number(pid) + " is adopted, and it has a worker");
  // Without a keeper: one that did not answer was taken for dead, and no arenad has written down that it has a successor.
  if (m.owner != pid) {
    require(world_.settings().parent == Parent::shell, arena, "an old process is adopted");
    require(world_.worker(pid)->epoch().value >= world_.database().row_of(arena).row.epoch, arena,
            "an old process is adopted, and the database knows of a later one");
    throw Inconclusive{};
  }
  require_no_other(arena, pid, pid, "adopted");
}

void Checker::quarantined(ArenaId arena, const EventRef& event) {
  world_.note("quarantine", arena.low, event.channel.value, event.sequence);
  Model& m = of(arena);
  require(m.suspect == event && m.may_blame >= 2, arena,
          "event " + number(event.sequence) + " of channel " + number(event.channel.value) +
              " is quarantined without two deaths in a row");
  m.quarantined.emplace(event.channel.value, event.sequence);
  m.may_blame = m.must_blame = 0;
  // The first of the two deaths was charged; it is taken back.
  if (!m.charged_ns.empty()) m.charged_ns.pop_back();
}

uint64_t Checker::in_window(const Model& m) const {
  const uint64_t window_ns = world_.settings().restart.window_ns;
  return static_cast<uint64_t>(
      std::count_if(m.charged_ns.begin(), m.charged_ns.end(), [&](uint64_t at) { return now() - at < window_ns; }));
}

void Checker::charged(ArenaId arena) {
  Model& m = of(arena);
  require(m.must_blame < 3, arena, "an event has killed it three times, and is not in quarantine");
  if (m.lived) m.charged_ns.push_back(now());
}

void Checker::power_cut() {
  for (auto& [id, m] : models_) m.lived_epochs.clear();
}

void Checker::restarted(ArenaId arena, BeginWith source) {
  Model& m = of(arena);
  if (source == BeginWith::nothing) m.lived = false;
  if (std::exchange(m.budget_used_up, false)) m.charged_ns.clear();
  m.refused.reset();
}

void Checker::state(ArenaId arena, ArenaState state, const Region* lived, const RestartBudget& budget) {
  Model& m = of(arena);
  const ArenaState before = m.state;
  const bool from_before = std::exchange(m.rests_from_before, false);
  m.state = state;
  if (state == ArenaState::starting) m.lived = false;
  if (state == before) return;
  world_.note(to_string(state), arena.low, lived != nullptr ? lived->epoch.value : 0, budget.charged(now()));
  switch (state) {
    case ArenaState::starting:
    case ArenaState::restarting:
    case ArenaState::stopping:
      break;
    case ArenaState::running:
      m.lived = true;
      m.refused.reset();
      break;
    case ArenaState::recovering:
    case ArenaState::backing_off:
      require(in_window(m) <= world_.settings().restart.intensity, arena, "it is started again more often than it may");
      break;
    case ArenaState::stopped:
      world_.met(Met::stopped);
      break;
    case ArenaState::ended:
      world_.met(Met::ended);
      require(m.history.back().ended && m.records.size() + 1 == m.history.size(), arena, "it is over, and its match is not");
      break;
    case ArenaState::failed:
      world_.met(Met::failed);
      if (!from_before) check_failed(arena, m, before);
      break;
    case ArenaState::lost:
      world_.met(Met::lost);
      check_lost(arena, m, lived);
      break;
  }
}

void Checker::check_failed(ArenaId arena, Model& m, ArenaState) {
  if (!m.lived) return;  // it never ran
  if (m.refused == WorkerEnd::refused_divergence) {
    world_.met(Met::divergence_stopped);
    require(!world_.game_of(arena).deterministic, arena, "it has failed for a divergence, and its game is deterministic");
    return;
  }
  m.budget_used_up = true;
  require(in_window(m) > world_.settings().restart.intensity, arena,
          "it has failed after " + number(in_window(m)) + " deaths that count, of " +
              number(world_.settings().restart.intensity) + " that it may have");
}

// Whether anything was left to go on from, by what is known of the damage.
void Checker::check_lost(ArenaId arena, Model&, const Region* lived) {
  const auto& row = world_.database().row_of(arena);
  bool holds = false;
  std::string rung;
  const bool log_is_whole = lived == nullptr || std::none_of(lived->log.begin(), lived->log.end(),
                                                             [](const LogRecord& r) { return r.truth_damaged; });
  const auto consider = [&](const StoredSnapshot& stored, const char* name) {
    if (stored.truth_damaged || stored.snapshot.arena != arena || !log_is_whole) return;
    if (lived != nullptr) {
      const uint64_t frame = stored.snapshot.frame.value;
      if (!lived->log.empty() && frame + 1 < lived->log.front().frame) return;
      if (lived->log.empty() && frame < lived->frame_decided) return;
    }
    holds = true;
    rung = name;
  };
  for (const StoredSnapshot& each : row.checkpoints) consider(each, "a checkpoint");
  if (lived != nullptr) {
    for (const Slot& slot : lived->slots) {
      if (slot.published) consider(slot.content, "a slot");
    }
  }
  require(!holds, arena, "it is lost, and " + rung + " holds");
}

void Checker::durable_told(ArenaId arena, uint64_t frame) {
  if (frame == 0) return;
  uint64_t newest = 0;
  for (const StoredSnapshot& each : world_.database().row_of(arena).checkpoints)
    newest = std::max(newest, each.snapshot.frame.value);
  require(frame <= newest, arena,
          "its worker is told that frame " + number(frame) + " is durable, and frame " + number(newest) + " is");
}

void Checker::results_acknowledged(ArenaId arena, uint64_t count) {
  require(world_.database().row_of(arena).results.size() >= count, arena,
          "result " + number(count) + " is acknowledged and not durable");
}

void Checker::ended_as_hung(ArenaId arena, Pid pid) {
  const Worker* worker = world_.worker(pid);
  if (worker == nullptr) return;
  require(worker->hangs() || world_.was_stopped_lately(pid), arena, "a healthy worker is ended as if it hung");
}

void Checker::ended_as_late(ArenaId arena, Pid pid, uint64_t expected_since_ns) {
  const Worker* worker = world_.worker(pid);
  if (worker == nullptr) return;
  require(worker->hangs() || is_busy(*worker) || world_.was_stopped_since(pid, expected_since_ns), arena,
          "a healthy worker is ended because its time is over");
}

// ---- the end ------------------------------------------------------------------------------------------------------------

void Checker::finish() {
  for (auto& [id, m] : models_) {
    const auto found = world_.database().arenas.find(id);
    if (found == world_.database().arenas.end()) continue;
    const auto& results = found->second.results;
    const bool deterministic = world_.game_of(id).deterministic;
    for (uint64_t i = 0; i < results.size() && deterministic; ++i) {
      require(i < m.results.size() && m.results[i].contains(results[i].value), id,
              "result " + number(i + 1) + " in the database is not the model's");
    }
    for (const auto& [channel, sequence] : m.quarantined) {
      const EventKind kind = m.sent[channel][sequence - 1].kind;
      require(kind == EventKind::poison || kind == EventKind::hang, id,
              "event " + number(sequence) + " of channel " + number(channel) + " is in quarantine and is innocent");
    }
  }
}

}  // namespace arenad::sim
