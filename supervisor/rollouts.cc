#include "supervisor/rollouts.h"

#include <algorithm>

#include "ipc/clock.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr uint64_t kIntervalMs = 10;

bool is_over(const Rollouts::Running& running) {
  return running.ended_ns != 0;
}

}  // namespace

Rollouts::Rollouts(uv_loop_t* loop, FactQueue& facts, StoreThread& store, Roster& roster)
    : facts_(facts), store_(store), roster_(roster), timer_(loop, [this] { facts_.post([this] { advance_all(); }); }) {}

void Rollouts::close() {
  timer_.close();
}

Rollouts::Running* Rollouts::find(const std::string& game) {
  const auto found = running_.find(game);
  return found == running_.end() ? nullptr : &found->second;
}

Result<void> Rollouts::check(const GameVersions& game) const {
  const auto found = running_.find(game.name());
  const bool runs = found != running_.end() && !is_over(found->second);
  if (!runs && !preparing_.contains(game.name())) return {};
  return make_error(ErrorCode::refused,
                    "a rollout of " + game.name() + " is not over yet; arenactl rollout status " + game.name());
}

// Those that do not run the new code yet, and are not pinned.
std::vector<ArenaId> Rollouts::concerned(Running& running) const {
  std::vector<ArenaId> found;
  running.pinned = 0;
  const auto consider = [&](const Arena& arena) {
    if (arena.record().game != running.game->name() || !arena.is_active() || arena.game() == running.to) return;
    if (arena.is_changing_code() || std::ranges::find(found, arena.record().id) != found.end()) return;
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

Rollouts::Running Rollouts::plan(GameVersions& game, GameTemplate& to, const RolloutOrder& order) const {
  Running running{&game, &game.current(), &to, order, Rollout(order.policy, {}), game.previous(), 0, monotonic_ns(), 0};
  running.rollout = Rollout(order.policy, concerned(running));
  return running;
}

void Rollouts::begin(GameVersions& game, GameTemplate& to, const RolloutOrder& order, Answer answer) {
  if (auto free = check(game); !free) return answer(free.error());
  preparing_[game.name()] = true;
  const GameFacts written = game.current().facts();
  // Not within a callback of the template: what follows may let it rest.
  const auto proceed = [this, &game, &to, order, answer = std::move(answer)](const Result<void>& ready) {
    facts_.post([this, &game, &to, order, answer, ready] {
      preparing_.erase(game.name());
      if (!ready) {
        if (!is_used(to) && !tells_of(to)) game.discard(to.hash());
        return answer(ready.error());
      }
      Running planned = plan(game, to, order);
      if (order.dry_run) return answer(&planned);
      running_.erase(game.name());
      Running& running = running_.emplace(game.name(), std::move(planned)).first->second;
      log_info("game={} msg=\"a rollout of version {} begins: {} arenas\"", game.name(), to.facts().version,
               running.rollout.total());
      timer_.start(kIntervalMs, kIntervalMs);
      advance(running);
      answer(&running);
    });
  };
  to.prepare([&to, written, proceed](const Result<void>& ready) {
    if (!ready) return proceed(ready);
    to.check_state(written, proceed);
  });
}

void Rollouts::advance_all() {
  bool any = false;
  for (auto& [game, running] : running_) {
    if (is_over(running)) continue;
    advance(running);
    any |= !is_over(running);
  }
  if (!any) timer_.stop();
}

void Rollouts::advance(Running& running) {
  for (const ArenaId arena : concerned(running)) running.rollout.add(arena);
  const Rollout::Next next = running.rollout.next(running.to->spares().size());
  if (next.make_current) running.game->make_current(running.to->hash());
  if (next.make_old_current) running.game->restore(running.from->hash(), running.previous);
  if (next.make_current || next.make_old_current) save(*running.game);
  if (running.rollout.wants_workers()) get_worker(running);
  for (const ArenaId arena : next.hand_over) hand_over(running, arena, *running.to);
  for (const ArenaId arena : next.give_back) hand_over(running, arena, *running.from);
  if (running.rollout.is_over()) finish(running);
}

// The game may keep no spares, or the one that there was has died.
void Rollouts::get_worker(Running& running) {
  if (!running.to->spares().empty() || running.to->is_getting_spares()) return;
  running.to->prepare([this, game = running.game->name()](const Result<void>& ready) {
    Running* now = find(game);
    if (ready || now == nullptr || is_over(*now)) return;
    log_error("game={} msg=\"the rollout is aborted, there are no workers for it: {}\"", game, ready.error().text());
    now->rollout.abort();
  });
}

void Rollouts::hand_over(Running& running, ArenaId id, GameTemplate& to) {
  Arena* arena = roster_.find(id);
  if (arena == nullptr || !arena->is_active()) return running.rollout.gone(id);
  const auto news = [this, game = running.game->name()](ArenaId which, Arena::HandoverNews what, const std::string& why) {
    Running* now = find(game);
    if (now == nullptr || is_over(*now)) return;
    switch (what) {
      case Arena::HandoverNews::live:
        return now->rollout.live(which);
      case Arena::HandoverNews::passed:
        return now->rollout.passed(which);
      case Arena::HandoverNews::failed:
        return now->rollout.failed(which, why);
      case Arena::HandoverNews::gone:
        return now->rollout.gone(which);
    }
  };
  if (!arena->hand_over(to, running.order.probation, news)) running.rollout.postponed(id);
}

void Rollouts::save(const GameVersions& game) {
  StoreBatch batch;
  batch.games.push_back(game.record());
  store_.submit(std::move(batch), [](const Result<void>&) {});
}

bool Rollouts::is_used(const GameTemplate& version) const {
  return std::ranges::any_of(roster_.all(), [&](const auto& entry) { return entry.second->game() == &version; });
}

bool Rollouts::tells_of(const GameTemplate& version) const {
  const auto found = running_.find(version.game());
  return found != running_.end() && (found->second.from == &version || found->second.to == &version);
}

void Rollouts::finish(Running& running) {
  running.ended_ns = monotonic_ns();
  log_info("game={} msg=\"the rollout of version {} is over: {}, {} arenas have passed, {} failed\"", running.game->name(),
           running.to->facts().version, to_string(running.rollout.state()), running.rollout.count(Rollout::Standing::passed),
           running.rollout.count(Rollout::Standing::failed));
  for (GameTemplate* version : {running.from, running.to}) {
    if (!is_used(*version)) running.game->let_go(version->hash());
  }
}

}  // namespace arenad
