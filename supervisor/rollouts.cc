#include "supervisor/rollouts.h"

#include <algorithm>
#include <set>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr uint64_t kIntervalMs = 10;

std::string text_or_nothing(CodeHash hash) {
  return hash.is_null() ? "" : hash.text();
}

CodeHash hash_or_null(const std::string& text) {
  return CodeHash::parse(text).value_or(CodeHash{});
}

RolloutRecord record_of(const Rollouts::Running& running) {
  const RolloutPolicy& policy = running.order.policy;
  return {.id = running.id,
          .game = running.name,
          .from = text_or_nothing(running.from_code),
          .to = text_or_nothing(running.to_code),
          .current = text_or_nothing(running.current),
          .previous = text_or_nothing(running.previous),
          .from_version = running.from_version,
          .to_version = running.to_version,
          .canary = policy.canary,
          .batch = policy.batch,
          .batch_percent = policy.batch_percent,
          .on_failure = to_string(policy.on_failure),
          .probation_ms = running.order.probation.ns / kMillisecond,
          .probation_frames = running.order.probation.frames,
          .selection = running.order.arenas,
          .state = to_string(running.rollout.state()),
          .paused = running.rollout.is_paused(),
          .pinned = running.pinned,
          .began_unix_ms = running.began_unix_ms,
          .ended_unix_ms = running.ended_unix_ms};
}

// All but what the arenas say. Nothing: it was written by a newer arenad, or is damaged.
std::optional<Rollouts::Running> running_of(const RolloutRecord& record) {
  const auto on_failure = parse_on_failure(record.on_failure);
  if (!on_failure || !parse_rollout_state(record.state)) return std::nullopt;
  const uint64_t now = monotonic_ns();
  const int64_t until = record.ended_unix_ms != 0 ? record.ended_unix_ms : static_cast<int64_t>(unix_ms());
  const RolloutPolicy policy{record.canary, record.batch, record.batch_percent, *on_failure};
  return Rollouts::Running{
      .id = record.id,
      .name = record.game,
      .from_code = hash_or_null(record.from),
      .to_code = hash_or_null(record.to),
      .from_version = record.from_version,
      .to_version = record.to_version,
      .current = hash_or_null(record.current),
      .previous = hash_or_null(record.previous),
      .order = {policy, {record.probation_ms * kMillisecond, record.probation_frames}, record.selection, false},
      .rollout = Rollout(policy, {}),
      .pinned = record.pinned,
      .began_unix_ms = record.began_unix_ms,
      .ended_unix_ms = record.ended_unix_ms,
      .earlier_ms = static_cast<uint64_t>(std::max<int64_t>(0, until - record.began_unix_ms)),
      .began_ns = now,
      .ended_ns = now,
      .written = record};
}

std::vector<Rollout::Entry> entries_of(const RememberedRollout& remembered) {
  std::vector<Rollout::Entry> entries;
  for (const RolloutArenaRecord& arena : remembered.arenas) {
    const auto standing = parse_standing(arena.standing);
    if (standing) entries.push_back({arena.arena, *standing, arena.why});
  }
  return entries;
}

}  // namespace

Result<std::vector<RememberedRollout>> read_rollouts(Store& store) {
  auto records = store.rollouts();
  if (!records) return records.error();
  std::vector<RememberedRollout> remembered;
  for (RolloutRecord& record : *records) {
    auto arenas = store.rollout_arenas(record.id);
    if (!arenas) return arenas.error();
    remembered.push_back({std::move(record), std::move(*arenas)});
  }
  return remembered;
}

uint64_t Rollouts::Running::elapsed_ms() const {
  return earlier_ms + ((is_over() ? ended_ns : monotonic_ns()) - began_ns) / kMillisecond;
}

Rollouts::Rollouts(uv_loop_t* loop, FactQueue& facts, StoreThread& store, Roster& roster, LifecycleLog& events,
                   MetricsLedger& metrics)
    : facts_(facts), store_(store), roster_(roster), events_(events), metrics_(metrics), timer_(loop, [this] {
        facts_.post([this] { advance_all(); });
      }) {}

void Rollouts::close() {
  timer_.close();
  // What arenas still tell is for the next arenad.
  unanswered_.clear();
  running_.clear();
}

Rollouts::Running* Rollouts::find(const std::string& game) {
  const auto found = running_.find(game);
  return found == running_.end() ? nullptr : &found->second;
}

CodeHash Rollouts::left_behind(const GameVersions& game) {
  const Running* last = find(game.name());
  if (last == nullptr || !last->is_over() || last->rollout.state() == Rollout::State::done) return {};
  if (hash_or_null(game.record().current) != last->current) return {};
  const CodeHash other = last->to_code != last->current ? last->to_code : last->from_code;
  const bool any = other != last->current && std::ranges::any_of(roster_.all(), [&](const auto& entry) {
                     const Arena& arena = *entry.second;
                     return arena.record().game == game.name() && arena.is_active() && !arena.record().pinned &&
                            arena.game() != nullptr && arena.game()->hash() == other;
                   });
  return any ? other : CodeHash{};
}

// ---- Beginning ----

Result<void> Rollouts::check(const GameVersions& game) const {
  const auto found = running_.find(game.name());
  const bool runs = found != running_.end() && !found->second.is_over();
  if (!runs && !preparing_.contains(game.name())) return {};
  return make_error(ErrorCode::refused, "a rollout of " + game.name() +
                                            " is not over yet: ask again when it is (arenactl rollout status " + game.name() +
                                            "), or end it (arenactl rollout abort " + game.name() + ")");
}

// Those that do not run the new code yet, and are not pinned.
std::vector<ArenaId> Rollouts::concerned(Running& running) const {
  std::vector<ArenaId> found;
  std::set<ArenaId> considered;
  running.pinned = 0;
  const auto consider = [&](const Arena& arena) {
    if (arena.record().game != running.name || !arena.is_active() || arena.game() == running.to) return;
    if (arena.is_changing_code() || !considered.insert(arena.record().id).second) return;
    if (arena.record().pinned) {
      ++running.pinned;
    } else {
      found.push_back(arena.record().id);
    }
  };
  if (running.order.arenas.empty()) {
    for (const auto& [id, arena] : roster_.all()) consider(*arena);
  }
  for (const std::string& text : running.order.arenas) {
    for (const Arena* arena : roster_.select(text)) consider(*arena);
  }
  return found;
}

Rollouts::Running Rollouts::plan(GameVersions& game, GameTemplate& from, GameTemplate& to, const RolloutOrder& order) const {
  Running running{.name = game.name(),
                  .game = &game,
                  .from = &from,
                  .to = &to,
                  .from_code = from.hash(),
                  .to_code = to.hash(),
                  .from_version = from.facts().version,
                  .to_version = to.facts().version,
                  .current = game.current().hash(),
                  .previous = game.previous(),
                  .order = order,
                  .rollout = Rollout(order.policy, {}),
                  .began_unix_ms = static_cast<int64_t>(unix_ms()),
                  .began_ns = monotonic_ns()};
  running.rollout = Rollout(order.policy, concerned(running));
  return running;
}

void Rollouts::begin(GameVersions& game, GameTemplate& from, GameTemplate& to, const RolloutOrder& order, Answer answer) {
  if (auto free = check(game); !free) return answer(free.error());
  preparing_[game.name()] = true;
  const GameFacts written = from.facts();
  // Not within a callback of the template: what follows may let it rest.
  const auto proceed = [this, &game, &from, &to, order, answer = std::move(answer)](const Result<void>& ready) {
    facts_.post([this, &game, &from, &to, order, answer, ready] {
      preparing_.erase(game.name());
      if (!ready) {
        if (!is_used(to) && !tells_of(to)) game.discard(to.hash());
        return answer(ready.error());
      }
      Running planned = plan(game, from, to, order);
      if (order.dry_run) return answer(&planned);
      begin_planned(std::move(planned), answer);
    });
  };
  to.prepare([&to, written, proceed](const Result<void>& ready) {
    if (!ready) return proceed(ready);
    to.check_state(written, proceed);
  });
}

void Rollouts::begin_planned(Running planned, Answer answer) {
  planned.id = ++last_id_;
  Running& running = running_.insert_or_assign(planned.name, std::move(planned)).first->second;
  log_info("game={} rollout={} msg=\"a rollout of version {} begins: {} arenas\"", running.name, running.id, running.to_version,
           running.rollout.total());
  tell(LifecycleEvent::rollout_begun, running);
  timer_.start(kIntervalMs, kIntervalMs);
  advance(running);
  answer_when_written(running, std::move(answer));
}

void Rollouts::obey(Running& running, Order order, Answer answer) {
  switch (order) {
    case Order::pause:
      running.rollout.pause();
      break;
    case Order::resume:
      running.rollout.resume();
      break;
    case Order::abort:
      running.rollout.abort();
      break;
  }
  advance(running);
  answer_when_written(running, std::move(answer));
}

void Rollouts::answer_when_written(const Running& running, Answer answer) {
  unanswered_.push_back({running.id, running.name, std::move(answer)});
  // It completes with all that was submitted before it.
  store_.submit({}, [this, id = running.id](const Result<void>&) { give_answer(id); });
  reconsider();
}

void Rollouts::give_answer(uint64_t id) {
  const auto found = std::ranges::find(unanswered_, id, &Unanswered::id);
  if (found == unanswered_.end()) return;
  const Unanswered unanswered = std::move(*found);
  unanswered_.erase(found);
  const Running* running = find(unanswered.game);
  if (running != nullptr && running->id == id) return unanswered.answer(running);
  unanswered.answer(
      make_error(ErrorCode::refused, "the rollout is over, and another one of " + unanswered.game + " has begun"));
}

// While the database takes nothing, whoever waits for it is answered all the same.
void Rollouts::reconsider() {
  if (!store_.health().failing_since_ns.has_value()) return;
  while (!unanswered_.empty()) give_answer(unanswered_.front().id);
}

// ---- Going on ----

void Rollouts::advance_all() {
  if (held_) return;
  bool any = false;
  for (auto& [game, running] : running_) {
    if (running.is_over()) continue;
    advance(running);
    any |= !running.is_over();
  }
  if (!any) timer_.stop();
}

// What has been asked for, and what has failed, is written before anything follows from it. Else the next arenad could try again what has
// failed, and has had consequences. While the database takes nothing, a rollout goes on all the same.
bool Rollouts::is_held(const Running& running) const {
  return running.unwritten != 0 && !store_.health().failing_since_ns.has_value();
}

void Rollouts::advance(Running& running) {
  save(running, Versions::as_they_were);
  if (is_held(running)) return;
  for (const ArenaId arena : concerned(running)) running.rollout.add(arena);
  const Rollout::Next next = running.rollout.next(running.to == nullptr ? 0 : running.to->spares().size());
  if (next.make_current) running.game->make_current(running.to_code);
  if (next.make_old_current) running.game->restore(running.current, running.previous);
  if (running.rollout.wants_workers()) get_worker(running);
  for (const ArenaId arena : next.hand_over) hand_over(running, arena, running.to);
  for (const ArenaId arena : next.give_back) hand_over(running, arena, running.from);
  if (running.rollout.is_over()) finish(running);
  save(running, next.make_current || next.make_old_current ? Versions::changed : Versions::as_they_were);
}

// The game may keep no spares, or the one that there was has died.
void Rollouts::get_worker(Running& running) {
  if (!running.to->spares().empty() || running.to->is_getting_spares()) return;
  running.to->prepare([this, game = running.name](const Result<void>& ready) {
    Running* now = find(game);
    if (ready || now == nullptr || now->is_over()) return;
    log_error("game={} rollout={} msg=\"the rollout is aborted, there are no workers for it: {}\"", game, now->id,
              ready.error().text());
    now->rollout.abort();
  });
}

Arena::HandoverNotice Rollouts::news_of(const Running& running) {
  return [this, game = running.name](ArenaId which, Arena::HandoverNews what, const std::string& why) {
    Running* now = find(game);
    if (now == nullptr || now->is_over()) return;
    switch (what) {
      case Arena::HandoverNews::live:
        now->rollout.live(which);
        break;
      case Arena::HandoverNews::passed:
        now->rollout.passed(which);
        break;
      case Arena::HandoverNews::failed:
        now->rollout.failed(which, why);
        break;
      case Arena::HandoverNews::gone:
        lost(*now, which);
        break;
    }
    // At once: what has failed is written down, and stops what would be next.
    if (!held_) advance(*now);
  };
}

// It runs no more. One that has failed before it could be given back would go on with the new code: that is told.
void Rollouts::lost(Running& running, ArenaId id) {
  const Arena* arena = roster_.find(id);
  const bool is_going_back = running.rollout.entry(id).standing == Rollout::Standing::going_back;
  if (is_going_back && arena != nullptr && arena->state() == ArenaState::failed) {
    return running.rollout.failed(id, "it has failed before it could be given back: " + arena->record().reason);
  }
  running.rollout.gone(id);
}

void Rollouts::hand_over(Running& running, ArenaId id, GameTemplate* to) {
  Arena* arena = roster_.find(id);
  if (arena == nullptr || !arena->is_active()) return lost(running, id);
  if (to == nullptr) return running.rollout.failed(id, "the code that it should get is not kept any more");
  if (!arena->hand_over(*to, running.order.probation, news_of(running))) running.rollout.postponed(id);
}

bool Rollouts::is_used(const GameTemplate& version) const {
  return std::ranges::any_of(roster_.all(), [&](const auto& entry) { return entry.second->game() == &version; });
}

bool Rollouts::tells_of(const GameTemplate& version) const {
  const auto found = running_.find(version.game());
  return found != running_.end() && (found->second.from == &version || found->second.to == &version);
}

void Rollouts::finish(Running& running) {
  metrics_.rolled_out(running.name, to_string(running.rollout.state()));
  running.ended_ns = monotonic_ns();
  running.ended_unix_ms = static_cast<int64_t>(unix_ms());
  log_info("game={} rollout={} msg=\"the rollout of version {} is over: {}, {} arenas have passed, {} failed\"", running.name,
           running.id, running.to_version, to_string(running.rollout.state()), running.rollout.count(Rollout::Standing::passed),
           running.rollout.count(Rollout::Standing::failed));
  tell(LifecycleEvent::rollout_over, running);
  for (GameTemplate* version : {std::exchange(running.from, nullptr), std::exchange(running.to, nullptr)}) {
    if (version != nullptr && !is_used(*version)) running.game->let_go(version->hash());
  }
}

// ---- What the next arenad will know ----

// In one transaction: a rollout has come so far, and what new arenas get because of that.
void Rollouts::save(Running& running, Versions versions) {
  StoreBatch batch;
  bool holds = false;
  if (versions == Versions::changed) batch.games.push_back(running.game->record());
  RolloutRecord now = record_of(running);
  if (now != running.written) {
    batch.rollouts.push_back(running.written = std::move(now));
    holds = true;
  }
  for (const size_t place : running.rollout.take_changed()) {
    const Rollout::Entry entry = running.rollout.entry(running.rollout.order()[place]);
    batch.rollout_arenas.push_back({running.id, entry.arena, place, to_string(entry.standing), entry.why});
    holds |= entry.standing == Rollout::Standing::failed;
  }
  if (batch.empty()) return;
  const bool is_step = !running.is_over() && !batch.rollout_arenas.empty();
  if (!holds) {
    store_.submit(std::move(batch), [](const Result<void>&) {});
    if (is_step) tell(LifecycleEvent::rollout_step, running);
    return;
  }
  ++running.unwritten;
  store_.submit(std::move(batch), [this, game = running.name, id = running.id](const Result<void>&) {
    Running* now_written = find(game);
    if (now_written == nullptr || now_written->id != id) return;
    --now_written->unwritten;
    if (!now_written->is_over()) advance(*now_written);
  });
  // Not before it: what the next arenad must know of does not wait for what scripts are told.
  if (is_step) tell(LifecycleEvent::rollout_step, running);
}

void Rollouts::tell(LifecycleEvent event, const Running& running) {
  const auto count = [&](Rollout::Standing standing) { return std::to_string(running.rollout.count(standing)); };
  LifecycleRecord about;
  about.game = running.name;
  about.details = {{"rollout", std::to_string(running.id)},
                   {"from", running.from_version},
                   {"to", running.to_version},
                   {"state", to_string(running.rollout.state())},
                   {"arenas", std::to_string(running.rollout.total())},
                   {"passed", count(Rollout::Standing::passed)},
                   {"failed", count(Rollout::Standing::failed)}};
  events_.add(event, std::move(about));
}

void Rollouts::save_anew(const Games& games) {
  StoreBatch batch;
  for (const auto& [name, game] : games) batch.games.push_back(game->record());
  for (auto& [name, running] : running_) {
    batch.rollouts.push_back(running.written = record_of(running));
    for (size_t place = 0; place < running.rollout.order().size(); ++place) {
      const Rollout::Entry entry = running.rollout.entry(running.rollout.order()[place]);
      batch.rollout_arenas.push_back({running.id, entry.arena, place, to_string(entry.standing), entry.why});
    }
  }
  store_.submit(std::move(batch), [](const Result<void>&) {});
}

// ---- What an earlier arenad has left ----

void Rollouts::take_up(const std::vector<RememberedRollout>& remembered, const Games& games) {
  for (const RememberedRollout& one : remembered) {
    last_id_ = std::max(last_id_, one.record.id);
    auto restored = running_of(one.record);
    if (!restored) {
      log_error("game={} rollout={} msg=\"what is written of its last rollout cannot be read\"", one.record.game,
                one.record.id);
      continue;
    }
    const auto game = games.find(one.record.game);
    restored->game = game == games.end() ? nullptr : game->second.get();
    take_up(std::move(*restored), one);
  }
  // Of no rollout, as after `arenactl pin`.
  for (const auto& [id, arena] : roster_.all()) {
    if (!arena->is_handover_open()) continue;
    arena->resume_handover({}, [](ArenaId, Arena::HandoverNews, const std::string&) {});
  }
}

void Rollouts::take_up(Running restored, const RememberedRollout& remembered) {
  const auto state = *parse_rollout_state(remembered.record.state);
  std::vector<Rollout::Entry> entries = entries_of(remembered);
  Running& running = running_.insert_or_assign(restored.name, std::move(restored)).first->second;
  if (running.is_over() || running.game == nullptr) {
    running.rollout = Rollout(running.order.policy, running.is_over() ? state : Rollout::State::aborted, false, entries);
    if (!running.is_over()) finish(running);
    return save(running, Versions::as_they_were);
  }
  GameVersions& game = *running.game;
  running.from = game.find(running.from_code);
  running.to = game.find(running.to_code);
  for (Rollout::Entry& entry : entries) entry = entry_now(state, entry, look_at(running, entry.arena));
  const CodeHash current = hash_or_null(game.record().current);
  const bool is_current = current == running.to_code && current != running.current;
  running.rollout = Rollout(running.order.policy, state, is_current, entries);
  if (remembered.record.paused) running.rollout.pause();
  if (running.to == nullptr || (!is_current && current != running.current)) {
    log_error("game={} rollout={} msg=\"the rollout of version {} is aborted: {}\"", running.name, running.id,
              running.to_version,
              running.to == nullptr ? "its code is not kept any more" : "the configuration names another module since");
    running.rollout.abort();
  }
  log_warning(
      "game={} rollout={} msg=\"the rollout of version {} goes on where it was when arenad ended: {}, {} of {} arenas "
      "have passed\"",
      running.name, running.id, running.to_version, to_string(running.rollout.state()),
      running.rollout.count(Rollout::Standing::passed), running.rollout.total());
  follow(running);
  timer_.start(kIntervalMs, kIntervalMs);
  advance(running);
  ARENAD_CRASH_POINT("arenad.rollout.taken_up");
}

ArenaNow Rollouts::look_at(const Running& running, ArenaId id) const {
  const Arena* arena = roster_.find(id);
  if (arena == nullptr || !arena->is_active()) return {.runs = ArenaNow::Runs::gone, .failure = std::nullopt};
  const bool runs_new = arena->game() != nullptr && arena->game() == running.to;
  return {.runs = runs_new ? ArenaNow::Runs::new_code : ArenaNow::Runs::other_code,
          .on_probation = arena->is_on_probation(),
          .has_lived = arena->lived() != nullptr,
          .failure = arena->untold_failure(running.to_code)};
}

void Rollouts::follow(Running& running) {
  for (const ArenaId id : running.rollout.order()) {
    const Rollout::Standing standing = running.rollout.entry(id).standing;
    const bool is_on_probation = standing == Rollout::Standing::on_probation || standing == Rollout::Standing::going_back;
    if (Arena* arena = roster_.find(id); arena != nullptr && is_on_probation) {
      arena->resume_handover(running.order.probation, news_of(running));
    }
  }
}

}  // namespace arenad
