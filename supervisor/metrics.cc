#include "supervisor/metrics.h"

#include <algorithm>

#include "ipc/clock.h"
#include "supervisor/log.h"
#include "supervisor/metrics_text.h"
#include "supervisor/snapshot_age.h"
#include "supervisor/version.h"

namespace arenad {
namespace {

uint64_t since(uint64_t then_ns, uint64_t now_ns) {
  return then_ns == 0 || then_ns > now_ns ? 0 : now_ns - then_ns;
}

ArenaGauges gauges_of(const Arena& arena, uint64_t now_ns) {
  ArenaGauges gauges;
  gauges.checkpoint_lag_ns = since(arena.unsaved_since_ns(), now_ns);
  gauges.quarantined = arena.quarantine().entries().size();
  gauges.clients = arena.clients();
  gauges.players = arena.channels().present(ChannelRoster::Kind::player);
  if (arena.lived() == nullptr) return gauges;
  const WorkerStatus& s = arena.lived()->status();
  gauges.region_bytes = arena.lived()->bytes();
  gauges.snapshot_bytes = s.snapshot_bytes.load(std::memory_order_relaxed);
  if (arena.state() != ArenaState::running) return gauges;
  gauges.snapshot_age_ns = snapshot_age_ns(s, now_ns);
  gauges.waiting_bytes = s.channel_waiting_bytes.load(std::memory_order_relaxed);
  gauges.output_lag_bytes = s.output_lag_bytes.load(std::memory_order_relaxed);
  return gauges;
}

// One that is over has nothing more to tell; one that has failed is looked for.
bool has_series(const Arena& arena) {
  return arena.is_active() || arena.state() == ArenaState::failed;
}

}  // namespace

void ArenaGauges::add(const ArenaGauges& other) {
  snapshot_bytes += other.snapshot_bytes;
  snapshot_age_ns = std::max(snapshot_age_ns, other.snapshot_age_ns);
  checkpoint_lag_ns = std::max(checkpoint_lag_ns, other.checkpoint_lag_ns);
  waiting_bytes += other.waiting_bytes;
  output_lag_bytes = std::max(output_lag_bytes, other.output_lag_bytes);
  region_bytes += other.region_bytes;
  quarantined += other.quarantined;
  clients += other.clients;
  players += other.players;
}

// One text on its way through a thread of libuv's pool.
struct Metrics::Rendering {
  uv_work_t work{};
  std::weak_ptr<Metrics*> owner;
  MetricsFacts facts;
  std::string text;
  uint64_t collected_ns = 0;
  uint64_t took_ns = 0;
};

Metrics::Metrics(Scope scope)
    : scope_(scope),
      server_(scope.loop, scope.facts, [this] { wanted(); }),
      started_unix_s_((static_cast<double>(unix_ns()) - static_cast<double>(monotonic_ns() - scope.started_ns)) / 1e9) {}

void Metrics::configure(gid_t group) {
  server_.set_access(Access::of(scope_.config.access));
  const std::string& wish = scope_.config.metrics.listen;
  auto address = parse_metrics_address(wish).value_or(NoMetrics{});  // config.cc has checked it
  auto* unix_socket = std::get_if<UnixMetrics>(&address);
  if (unix_socket != nullptr)
    unix_socket->path = (scope_.config.daemon.runtime_directory / unix_socket->path).lexically_normal();
  if (wish != listening_) {
    if (auto done = server_.listen(address); !done) {
      return log_error("msg=\"metrics cannot be had at {}: {}{}\"", wish, done.error().text(),
                       listening_.empty() ? "" : "; they stay at " + listening_);
    }
    listening_ = wish;
    if (!wish.empty()) log_info("msg=\"metrics at {}\"", wish);
  }
  if (unix_socket != nullptr) give_to_group(unix_socket->path.string(), group);
}

void Metrics::close() {
  self_.reset();
  server_.close();
}

void Metrics::loop_looked(uint64_t now_ns) {
  constexpr uint64_t kIntervalNs = Arena::kWatchIntervalMs * kMillisecond;
  if (looked_ns_ != 0) loop_delay_.add(now_ns - looked_ns_ > kIntervalNs ? now_ns - looked_ns_ - kIntervalNs : 0);
  looked_ns_ = now_ns;
}

void Metrics::wanted() {
  if (is_rendering_) return;
  const uint64_t now = monotonic_ns();
  if (text_ && now - text_ns_ < kFreshNs) return server_.serve(text_);
  auto rendering = std::make_unique<Rendering>();
  rendering->owner = self_;
  rendering->facts = collect();
  rendering->facts.cpu = std::move(cpu_);
  rendering->collected_ns = now;
  collecting_.add(monotonic_ns() - now);
  rendering->work.data = rendering.get();
  is_rendering_ = true;
  const auto make = [](uv_work_t* work) {
    auto& one = *static_cast<Rendering*>(work->data);
    const uint64_t began_ns = monotonic_ns();
    read_cpu_times(one.facts);
    one.text = metrics_text(one.facts, read_memory(one.facts));
    one.took_ns = monotonic_ns() - began_ns;
  };
  const auto made = [](uv_work_t* work, int) {
    const std::unique_ptr<Rendering> one(static_cast<Rendering*>(work->data));
    if (const auto owner = one->owner.lock()) (*owner)->rendered(*one);
  };
  ARENAD_ASSERT(uv_queue_work(scope_.loop, &rendering.release()->work, make, made) == 0);
}

void Metrics::rendered(Rendering& done) {
  is_rendering_ = false;
  rendering_.add(done.took_ns);
  cpu_ = std::move(done.facts.cpu);
  text_ = std::make_shared<const std::string>(std::move(done.text));
  text_ns_ = done.collected_ns;
  scope_.facts.post([this, self = std::weak_ptr(self_)] {
    if (self.lock()) server_.serve(text_);
  });
}

MetricsFacts Metrics::collect() {
  MetricsFacts facts;
  collect_arenas(facts);
  collect_games(facts);
  collect_daemon(facts);
  return facts;
}

void Metrics::collect_arenas(MetricsFacts& facts) {
  const uint64_t now = monotonic_ns();
  scope_.ledger.forget_all_but([&](ArenaId id) { return scope_.roster.find(id) != nullptr; });
  for (const auto& [id, arena] : scope_.roster.all()) {
    arena->count();
    GameMetrics& game = facts.games[arena->record().game];
    ++game.arenas[static_cast<size_t>(arena->state())];
    if (arena->is_draining() && arena->state() == ArenaState::running) ++game.draining;
    if (arena->has_worker()) game.workers.push_back(arena->pid());
    ArenaGauges gauges = gauges_of(*arena, now);
    game.gauges.add(gauges);
    if (!has_series(*arena)) continue;
    if (facts.arenas.size() >= scope_.config.metrics.max_arenas_with_series) {
      ++game.series_left_out;
      continue;
    }
    facts.arenas.push_back({arena->record().name, arena->record().game, arena->pid(), gauges, scope_.ledger.of(id)});
  }
}

void Metrics::collect_games(MetricsFacts& facts) const {
  for (const auto& [name, versions] : scope_.games) {
    GameMetrics& game = facts.games[name];
    for (const auto& [hash, version] : versions->all()) game.spares += version->spares().size();
  }
  for (const auto& [name, rollout] : scope_.rollouts.all()) {
    if (rollout.is_over()) continue;
    GameMetrics& game = facts.games[name];
    ++game.rollouts_running;
    if (rollout.rollout.is_paused()) ++game.rollouts_paused;
  }
  for (const auto& [name, totals] : scope_.ledger.games()) facts.games[name].totals = totals;
}

void Metrics::collect_daemon(MetricsFacts& facts) const {
  facts.version = kVersion;
  facts.started_unix_s = started_unix_s_;
  facts.requests = requests_.counts();
  facts.requests_open = requests_.open();
  facts.control_connections = scope_.control.connections();
  facts.adopted = scope_.adoption.adopted();
  facts.set_back = scope_.adoption.set_back();
  const StoreHealth health = scope_.store.health();
  facts.store = {health.commits,         health.failed_commits,   health.skipped_rows,
                 health.replacements,    health.waiting_batches,  since(health.failing_since_ns.value_or(0), monotonic_ns()),
                 health.refused_records, health.unawaited_batches};
  facts.loop_delay = loop_delay_;
  facts.collecting = collecting_;
  facts.rendering = rendering_;
}

}  // namespace arenad
