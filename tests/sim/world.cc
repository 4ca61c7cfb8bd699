#include "tests/sim/world.h"

#include <algorithm>

namespace arenad::sim {
namespace {

constexpr std::array<const char*, static_cast<size_t>(Stream::count_)> kStreams = {
    "settings", "disk", "workers", "clients", "arenad", "when", "timed", "points", "damage", "operators", "game"};
// Of two hundred events that hang or kill, each takes up to six seconds.
constexpr uint64_t kConvergesWithinNs = 1200 * kSecond;

}  // namespace

World::World(uint64_t seed, Mutant mutant, Trace::Print print)
    : settings_(Settings::draw(seed)), mutant_(mutant), trace_(print), checker_(*this), plan_(*this, seed) {
  for (const char* name : kStreams) streams_.emplace_back(seed, name);
  for (uint64_t i = 0; i < settings_.games.size(); ++i) ids_.push_back({1, i + 1});
}

void World::run() {
  start_arenad(0);
  uint64_t next = 1;
  for (const ArenaId id : ids_) {
    const uint64_t count = game_of(id).clients + 1;
    for (uint64_t i = 0; i < count; ++i, ++next) {
      const auto kind = i == 0 ? ChannelRoster::Kind::observer : ChannelRoster::Kind::player;
      clients_[next] = std::make_unique<Client>(*this, next, id, kind);
      after(draw(Stream::when).below(300 * kMs), [client = clients_[next].get()] { client->turn(); });
    }
  }
  plan_.begin();
  queue_.run_until(settings_.faults_end_ns);
  heal();
  std::string why;
  const uint64_t end_ns = now() + kConvergesWithinNs;
  while (!has_converged(&why)) {
    if (now() >= end_ns) fail("all faults are over for " + std::to_string(kConvergesWithinNs / kSecond) + " s, and " + why);
    queue_.run_until(now() + 250 * kMs);
    dead_.clear();
  }
  met(Met::converged);
  checker_.finish();
}

void World::heal() {
  note("healed");
  plan_.heal();
  disk_mode_ = DiskMode::well;
  spares_die_until_ns_ = 0;
  if (arenad_stopped_) goes_on();
  std::vector<Pid> stopped;
  for (const auto& [pid, worker] : workers_) {
    if (worker->is_stopped()) stopped.push_back(pid);
  }
  for (const Pid pid : stopped) worker_goes_on(pid);
}

bool World::has_converged(std::string* why) {
  if (!arenad_ || !arenad_->is_open()) {
    *why = "arenad does not answer";
    return false;
  }
  for (const ArenaId id : ids_) {
    ArenaShell* arena = arenad_->find(id);
    const std::string name = "arena " + std::to_string(id.low);
    if (arena == nullptr) {
      *why = name + " is not there";
      return false;
    }
    switch (arena->state()) {
      case ArenaState::ended:
      case ArenaState::lost:
        continue;
      case ArenaState::failed:
      case ArenaState::stopped:
        if (checker_.has_ended(id)) continue;
        if (arena->state() == ArenaState::failed && !game_of(id).deterministic) continue;
        // Whatever it failed of is over: an operator starts it again.
        to_arenad(0, [this, id] {
          if (ArenaShell* again = arenad_->find(id)) (void)again->restart();
        });
        *why = name + " rests";
        return false;
      case ArenaState::starting:
      case ArenaState::recovering:
      case ArenaState::backing_off:
      case ArenaState::restarting:
      case ArenaState::stopping:
        *why = name + " is " + to_string(arena->state());
        return false;
      case ArenaState::running:
        break;
    }
    if (game_of(id).deterministic && database_.row_of(id).results.size() + 2 < checker_.results(id)) {
      *why = "results of " + name + " have not come to the database";
      return false;
    }
    if (checker_.has_ended(id)) continue;
    for (const auto& [number, client] : clients_) {
      if (client->arena() != id) continue;
      client->read();
      if (client->has_caught_up()) continue;
      *why = "client " + std::to_string(number) + " of " + name + client->text();
      return false;
    }
  }
  return true;
}

// ---- processes ----------------------------------------------------------------------------------------------------------

Worker* World::worker(Pid pid) {
  const auto found = workers_.find(pid);
  return found == workers_.end() ? nullptr : found->second.get();
}

std::vector<Pid> World::living() const {
  std::vector<Pid> result;
  for (const auto& [pid, worker] : workers_) {
    if (!worker->is_spare()) result.push_back(pid);
  }
  return result;
}

void World::take_spare(std::function<void(Pid)> taken) {
  Draw& when = draw(Stream::arenad);
  const bool none = now() < spares_die_until_ns_ && when.one_in(2);
  to_arenad(when.between(100, 2000) * kUs, [this, none, taken = std::move(taken)] {
    if (none) return taken(0);
    const Pid pid = next_pid_++;
    const GameSettings& game = settings_.games[0];
    spare_regions_[pid] = std::make_shared<Region>(game.output_records, game.log_records);
    workers_[pid] = std::make_unique<Worker>(*this, pid, life_);
    if (now() < spares_die_until_ns_) {
      met(Met::spare_died);
      count_fault();
      after(draw(Stream::when).below(300 * kUs), [this, pid] { worker_dies(pid, Cause::outside); });
    }
    taken(pid);
  });
}

void World::worker_dies(Pid pid, Cause cause) {
  const auto found = workers_.find(pid);
  if (found == workers_.end()) return;
  Worker& worker = *found->second;
  note("worker dies", worker.arena().low, pid, static_cast<uint64_t>(cause));
  if (worker.region()) {
    if (cause == Cause::own) worker.region()->black_box = true;
    const auto doing = cause == Cause::own || (cause == Cause::arenad && worker.hangs() && !is_stopped(pid))
                           ? Checker::Doing::its_own
                       : worker.hangs() ? Checker::Doing::hung_or_killed
                                        : Checker::Doing::from_outside;
    if (cause != Cause::in_order && checker_.counts(worker.arena(), pid))
      checker_.died(worker.arena(), *worker.region(), doing);
    if (arenad_ == nullptr) met(Met::worker_died_alone);
  }
  const bool is_child = worker.link() == life_ && worker.link() != 0;
  const ExitHow how = !is_child ? ExitHow::unknown : cause == Cause::in_order ? ExitHow::exited : ExitHow::signalled;
  dead_.push_back(std::move(found->second));
  workers_.erase(found);
  stopped_until_ns_.erase(pid);
  if (arenad_) {
    to_arenad(draw(Stream::when).between(200, 3000) * kUs, [this, pid, how] { arenad_->process_ended(pid, how); });
  }
}

void World::kill_one_of(ArenaId arena) {
  if (plan_.healed()) return;
  for (const Pid pid : living()) {
    if (workers_.at(pid)->arena() == arena) return worker_dies(pid, Cause::outside);
  }
}

// An arenad that runs all the time and knows it ends it in time, whatever it was doing.
void World::worker_hangs(Pid pid) {
  if (!arenad_ || arenad_stopped_ || worker(pid)->link() != life_ || was_stopped_lately(pid)) return;
  const HangPolicy& policy = settings_.hang;
  const uint64_t at_most_ns = policy.hard_ns + policy.grace_ns + 4 * policy.interval_ns;
  after(at_most_ns, [this, pid, life = life_, stops = arenad_stops_] {
    const Worker* hung = worker(pid);
    if (hung == nullptr || !arenad_ || life != life_ || stops != arenad_stops_) return;
    throw Violation{now(), hung->arena().low, "process " + std::to_string(pid) + " hangs, and nobody ends it"};
  });
}

void World::stop_worker(Pid pid) {
  Worker* stopped = worker(pid);
  if (stopped == nullptr || stopped->is_stopped()) return;
  note("worker stopped", stopped->arena().low, pid);
  met(Met::stop_worker);
  if (stopped->region() && stopped->region()->in_frame) met(Met::stop_in_frame);
  count_fault();
  stopped->stop();
  const uint64_t for_ns = draw(Stream::when).between(50, 5000) * kMs;
  stopped_until_ns_[pid] = now() + for_ns;
  after(for_ns, [this, pid] { worker_goes_on(pid); });
}

void World::worker_goes_on(Pid pid) {
  Worker* stopped = worker(pid);
  if (stopped == nullptr || !stopped->is_stopped()) return;
  if (is_paused()) {
    after(pause_ends_ns_ - now(), [this, pid] { worker_goes_on(pid); });
    return;
  }
  stopped_until_ns_[pid] = now();
  stopped->go_on();
}

bool World::is_stopped(Pid pid) {
  const Worker* w = worker(pid);
  return w != nullptr && w->is_stopped() && !paused_.contains(pid);
}

bool World::was_stopped_lately(Pid pid) {
  const auto found = stopped_until_ns_.find(pid);
  return is_stopped(pid) || (found != stopped_until_ns_.end() && now() - found->second < 300 * kMs);
}

bool World::was_stopped_since(Pid pid, uint64_t since_ns) {
  const auto found = stopped_until_ns_.find(pid);
  return found != stopped_until_ns_.end() && found->second >= since_ns;
}

void World::keep_old_snapshot(const StoredSnapshot& snapshot) {
  auto& old = old_snapshots_[snapshot.snapshot.arena];
  if (old.size() >= 8) old.erase(old.begin());
  old.push_back(snapshot);
}

// ---- messages and signals -----------------------------------------------------------------------------------------------

void World::to_worker(Pid pid, uint64_t delay_ns, ToWorker message) {
  after(delay_ns, [this, pid, message = std::move(message)] {
    if (Worker* to = worker(pid)) to->receive(message);
  });
}

void World::tell_arenad(uint64_t life, Pid from, FromWorker message) {
  if (!arenad_ || life != life_) return;
  to_arenad(20 * kUs, [this, from, message] { arenad_->hear(from, message); });
}

uint64_t World::offer(Offer offer) {
  if (!arenad_ || !arenad_->takes_offers()) return 0;
  to_arenad(draw(Stream::when).between(50, 2000) * kUs, [this, offer = std::move(offer)] { arenad_->take_offer(offer); });
  return life_;
}

void World::in_arenad(const std::function<void()>& happens) {
  inside_arenad_ = true;
  try {
    happens();
    inside_arenad_ = false;
  } catch (const ArenadDies& dies) {
    inside_arenad_ = false;
    note("arenad dies at", static_cast<uint64_t>(dies.where));
    met(Met::arenad_killed_at_point);
    kill_arenad(draw(Stream::when).one_in(4) ? Disaster::all : Disaster::arenad);
  }
}

void World::to_arenad(uint64_t delay_ns, Source source, std::function<void()> happens) {
  if (!arenad_) return;
  after(delay_ns, [this, life = life_, source, happens = std::move(happens)] {
    if (!arenad_ || life_ != life) return;
    if (arenad_stopped_) {
      deferred_.push_back({source, happens});
      return;
    }
    in_arenad(happens);
  });
}

void World::arenad_kills(Pid pid, Why why) {
  Worker* killed = worker(pid);
  if (killed == nullptr) return;
  note("arenad kills", killed->arena().low, pid, static_cast<uint64_t>(why));
  if (why == Why::hung) checker_.ended_as_hung(killed->arena(), pid);
  worker_dies(pid, Cause::arenad);
}

void World::notify_incarnation(uint64_t client, std::shared_ptr<Region> region) {
  after(100 * kUs, [this, client, region = std::move(region), life = life_] {
    if (life_ == life) clients_.at(client)->incarnation(region);
  });
}

void World::notify_gone(uint64_t client, ChannelId attachment) {
  after(100 * kUs, [this, client, attachment, life = life_] {
    if (life_ == life) clients_.at(client)->gone(attachment);
  });
}

// Nothing else is left of it. Whoever was there reads what is left of the old outputs, and has to attach again. What is lost is lost with
// every region that had snapshots of it: none of them can lie in a slot any more.
void World::begins_from_database(ArenaId arena) {
  old_snapshots_.erase(arena);
  for (const auto& [id, client] : clients_) {
    if (client->arena() == arena) client->session_ends();
  }
}

// ---- arenad and its parent ----------------------------------------------------------------------------------------------

void World::keep(const KeepKey& key, Kept kept) {
  if (settings_.parent == Parent::keeper) keeper_.store(key, std::move(kept));
}

void World::start_arenad(uint64_t delay_ns) {
  after(delay_ns, [this] {
    if (arenad_) return;
    ++life_;
    note("arenad begins", life_);
    checker_.arenad_began();
    arenad_ = std::make_unique<Arenad>(*this, life_);
    in_arenad([this] { arenad_->begin(); });
    start_missing_arenas();
  });
}

// An operator whose start was not answered gives it again.
void World::start_missing_arenas() {
  to_arenad(100 * kMs, [this] {
    if (arenad_->is_open()) {
      for (ArenaId& id : ids_) {
        if (arenad_->find(id) != nullptr) continue;
        if (started_.contains(id)) replace(id);
        started_.insert(id);
        arenad_->start_arena(id);
      }
    } else {
      start_missing_arenas();
    }
  });
}

// A start that nobody was told of, and that nothing is known of any more: another arena is started instead.
void World::replace(ArenaId& id) {
  const ArenaId next{id.high, id.low + settings_.games.size()};
  for (const auto& [number, client] : clients_) {
    if (client->arena() == id) client->go_to(next);
  }
  id = next;
}

void World::kill_arenad(Disaster disaster) {
  count_fault();
  note("disaster", static_cast<uint64_t>(disaster), life_);
  if (arenad_) {
    met(Met::arenad_killed);
    arenad_->store().cut();
  }
  arenad_.reset();
  arenad_stopped_ = false;
  deferred_.clear();
  for (const auto& [id, client] : clients_) client->disconnected();
  std::vector<Pid> all;
  for (const auto& [pid, worker] : workers_) all.push_back(pid);
  switch (disaster) {
    case Disaster::arenad:
      for (const Pid pid : all) {
        after(draw(Stream::when).between(20, 300) * kUs, [this, pid, life = life_] {
          Worker* orphan = worker(pid);
          if (orphan != nullptr && orphan->link() == life) orphan->link_broke();
        });
      }
      break;
    case Disaster::all:
      met(settings_.parent == Parent::keeper ? Met::all_killed_kept : Met::all_killed_alone);
      for (const Pid pid : all) {
        const auto region = worker(pid)->region();
        worker_dies(pid, Cause::outside);
        if (region) plan_.damage(*region);
      }
      break;
    case Disaster::power_cut:
      met(Met::power_cut);
      for (const Pid pid : all) worker_dies(pid, Cause::outside);
      keeper_.clear();
      checker_.power_cut();
      for (const auto& [id, client] : clients_) client->power_cut();
      old_snapshots_.clear();
      break;
  }
  Draw& when = draw(Stream::when);
  const bool kept = settings_.parent == Parent::keeper && disaster != Disaster::power_cut;
  start_arenad(kept ? when.between(1, 100) * kMs : when.between(100, when.one_in(4) ? 5000 : 800) * kMs);
}

void World::stop_arenad(uint64_t for_ns) {
  if (!arenad_ || arenad_stopped_) return;
  note("arenad stopped", life_, for_ns);
  arenad_stopped_ = true;
  after(for_ns, [this, stop = ++arenad_stops_] {
    if (stop == arenad_stops_ && arenad_stopped_) goes_on();
  });
}

// In a pause of the machine arenad may be the first that runs again, or the last.
void World::goes_on() {
  if (!is_paused()) return arenad_goes_on();
  const bool arenad_first = draw(Stream::when).one_in(2);
  if (!arenad_first) pause_ends();
  arenad_goes_on();
  if (arenad_first) pause_ends();
}

void World::arenad_goes_on() {
  note("arenad goes on", life_);
  arenad_stopped_ = false;
  auto deferred = std::exchange(deferred_, {});
  // libuv may have been waiting for what has arrived, or is about to look at its timers first.
  if (draw(Stream::when).one_in(2)) {
    std::stable_partition(deferred.begin(), deferred.end(), [](const Deferred& d) { return d.source == Source::timer; });
  }
  for (Deferred& each : deferred) {
    if (!arenad_) return;
    if (arenad_stopped_) {  // again
      deferred_.push_back(std::move(each));
    } else {
      in_arenad(each.happens);
    }
  }
}

// As a virtual machine that is suspended. An arenad that is stopped already would go on at a time of its own.
void World::pause_all(uint64_t for_ns) {
  if (!arenad_ || arenad_stopped_) return;
  met(Met::all_paused);
  count_fault();
  pause_ends_ns_ = now() + for_ns;
  for (const auto& [pid, worker] : workers_) {
    if (worker->is_stopped()) continue;
    worker->stop();
    paused_.insert(pid);
  }
  stop_arenad(for_ns);
}

void World::pause_ends() {
  pause_ends_ns_ = 0;
  for (const Pid pid : std::exchange(paused_, {})) {
    if (Worker* again = worker(pid)) again->go_on();
  }
}

}  // namespace arenad::sim
