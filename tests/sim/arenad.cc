#include "tests/sim/arenad.h"

#include <algorithm>

#include "tests/sim/world.h"

namespace arenad::sim {

void Arenad::point(ArenadPoint where) {
  if (world_.plan().at(where)) throw ArenadDies{where};
}

ArenaShell* Arenad::find(ArenaId id) {
  const auto found = arenas_.find(id);
  return found == arenas_.end() ? nullptr : found->second.get();
}

void Arenad::begin() {
  for (const auto& [key, kept] : world_.kept()) {
    Left& left = left_[key.arena];
    left.keys.push_back(key);
    switch (key.kind) {
      case KeptKind::region:
        left.regions[key.number] = kept.region;
        break;
      case KeptKind::process:
        left.processes[key.number] = kept.pid;
        left.lives[key.number] = world_.worker(kept.pid) != nullptr && !world_.is(Mutant::second_worker_while_first_lives);
        break;
      case KeptKind::channel:
        left.channels.push_back({{key.number}, kept.slot, kept.player, kept.channel, false});
        break;
    }
  }
  store_.query([this](const Database& database) {
    unknown_ = database.arenas.size();
    for (const auto& [id, arena] : database.arenas) {
      arenas_[id] = std::make_unique<ArenaShell>(*this, id, arena.row);
    }
    adoption_deadline_.start(world_.settings().adoption_timeout_ns);
    if (unknown_ == 0) takes_offers_ = true;
    for (const auto& [id, arena] : database.arenas) {
      store_.query([this, id = id](const Database& now) {
        const Database::Arena& row = now.arenas.at(id);
        Durable durable;
        durable.results = row.results.size();
        durable.quarantined = row.quarantined;
        for (const StoredSnapshot& each : row.checkpoints) {
          if (each.checksum == checksum_of(each.snapshot)) {
            durable.checkpoint = each.snapshot;
            break;
          }
          ++durable.damaged;
        }
        take_up(id, std::move(durable));
      });
    }
    world_.to_arenad(0, [this] { settle_if_done(); });
  });
  world_.arenad_timer(world_.settings().checkpoint_interval_ns, [this] { checkpoint(); });
  world_.arenad_timer(world_.settings().hang.interval_ns, [this] { watch(); });
}

std::vector<KeptIncarnation> Arenad::kept_of(ArenaId id) const {
  std::vector<KeptIncarnation> kept;
  const auto found = left_.find(id);
  if (found == left_.end()) return kept;
  const Left& left = found->second;
  for (const auto& [epoch, region] : left.regions) {
    const bool is_its = region->arena == id && region->epoch.value == epoch;
    kept.push_back({{epoch}, is_its ? region->stage : Stage::blank, false});
  }
  for (const auto& [epoch, lives] : left.lives) {
    auto same = std::find_if(kept.begin(), kept.end(), [e = epoch](const KeptIncarnation& k) { return k.epoch.value == e; });
    if (same == kept.end()) same = kept.insert(kept.end(), KeptIncarnation{{epoch}});
    same->process_lives = lives;
  }
  return kept;
}

void Arenad::take_up(ArenaId id, Durable durable) {
  point(ArenadPoint::taking_up);
  if (--unknown_ == 0) takes_offers_ = true;
  take_up(*arenas_.at(id), std::move(durable), is_late_ ? Wait::waited : Wait::may_wait);
  settle_if_done();
}

void Arenad::take_up(ArenaShell& arena, Durable durable, Wait wait) {
  const ArenaId id = arena.id();
  const std::vector<KeptIncarnation> kept = kept_of(id);
  const Manager manager = world_.settings().parent == Parent::keeper && !kept.empty() ? Manager::there : Manager::none;
  const ArenaDisposition written = arena.row().disposition;
  if (!world_.is(Mutant::old_row_believed) && disposition_now(written, {arena.row().epoch}, kept) != written)
    arena.was_started_again();
  const TakeUp plan = plan_take_up(arena.row().disposition, kept, manager, wait);
  const bool any_lives = std::any_of(kept.begin(), kept.end(), [](const KeptIncarnation& one) { return one.process_lives; });
  if (plan.how == TakeUp::How::await_offer || any_lives) {
    if (plan.how != TakeUp::How::await_offer) end_workers(id);
    awaited_.emplace(id, std::move(durable));
    return;
  }
  switch (plan.how) {
    case TakeUp::How::await_offer:
      break;
    case TakeUp::How::from_region:
      arena.recover_from(inherit(arena, plan.epoch), durable);
      break;
    case TakeUp::How::keep_region:
      arena.keep(inherit(arena, plan.epoch), durable);
      break;
    case TakeUp::How::from_checkpoint:
      if (const auto left = left_.find(id); left != left_.end()) {
        for (const auto& [epoch, region] : left->second.regions) world_.checker().region_dropped(id, *region);
        for (const KeepKey& key : left->second.keys) world_.forget(key);
      }
      arena.take_up(durable);
      break;
  }
  left_.erase(id);
}

void Arenad::end_workers(ArenaId id) {
  const Left& left = left_.at(id);
  for (const auto& [epoch, pid] : left.processes) {
    if (!left.lives.at(epoch)) continue;
    world_.met(Met::late_worker_ended);
    if (is_late_) world_.checker().ended_as_late(id, pid, adoption_deadline_.began_ns());
    world_.arenad_kills(pid, Why::not_come);
  }
}

Inheritance Arenad::inherit(ArenaShell& arena, Epoch epoch) {
  Left& left = left_.at(arena.id());
  for (const KeepKey& key : left.keys) arena.is_kept(key);
  Inheritance inheritance{left.regions.at(epoch.value), std::move(left.channels)};
  const Region& region = *inheritance.region;
  const uint64_t newest_joined = world_.is(Mutant::who_left_joins_again) ? 0 : region.newest_channel;
  for (AssignedChannel& channel : inheritance.channels) {
    const auto seat = region.seats.find(channel.slot);
    const ChannelId now_there = seat == region.seats.end() ? ChannelId{} : seat->second.channel;
    const bool has_left = now_there != channel.id && channel.id.value <= newest_joined;
    if (has_left || now_there > channel.id) channel.gone = true;
  }
  if (world_.is(Mutant::two_channels_at_one_seat)) return inheritance;
  std::vector<RosterChannel> all;
  for (const AssignedChannel& channel : inheritance.channels) all.push_back({channel.id, channel.slot, "", Fd(), std::nullopt});
  mark_those_that_left(all, 0);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].gone_reason) inheritance.channels[i].gone = true;
  }
  return inheritance;
}

void Arenad::process_ended(Pid pid, ExitHow how) {
  for (const auto& [id, arena] : arenas_) {
    if (arena->pid() != pid) continue;
    arena->worker_ended(how);
    return;
  }
  for (auto& [id, left] : left_) {
    for (const auto& [epoch, process] : left.processes) {
      if (process != pid || !left.lives.at(epoch)) continue;
      left.lives[epoch] = false;
      const auto awaited = awaited_.find(id);
      ArenaShell* arena = find(id);
      if (awaited == awaited_.end() || arena == nullptr) return;
      Durable durable = std::move(awaited->second);
      awaited_.erase(awaited);
      take_up(*arena, std::move(durable), is_late_ ? Wait::waited : Wait::may_wait);
      settle_if_done();
      return;
    }
  }
}

void Arenad::nobody_came() {
  is_late_ = true;
  for (auto& [id, durable] : std::exchange(awaited_, {})) {
    if (ArenaShell* arena = find(id)) take_up(*arena, std::move(durable), Wait::waited);
  }
  settle_if_done();
}

void Arenad::settle_if_done() {
  if (unknown_ != 0 || !awaited_.empty() || settled_) return;
  settled_ = true;
  adoption_deadline_.stop();
  for (auto& [id, left] : left_) {
    for (const auto& [epoch, pid] : left.processes) {
      if (left.lives.at(epoch)) world_.arenad_kills(pid, Why::not_needed);
    }
    for (const KeepKey& key : left.keys) world_.forget(key);
  }
  left_.clear();
  open_ = true;
  for (const auto& [id, arena] : arenas_) arena->expect_clients_back();
}

void Arenad::take_offer(const Offer& offer) {
  point(ArenadPoint::offer_taken);
  if (world_.worker(offer.pid) == nullptr && !world_.is(Mutant::adopt_the_dead)) return;  // it has hung up
  const auto awaited = awaited_.find(offer.arena);
  ArenaShell* arena = find(offer.arena);
  const bool is_its = offer.region->arena == offer.arena && offer.region->epoch == offer.epoch;
  const bool is_newest =
      arena != nullptr && arena->row().disposition == ArenaDisposition::running && offer.epoch.value >= arena->row().epoch;
  const bool anyone = world_.is(Mutant::adopt_whoever_offers) && arena != nullptr;
  if (!anyone && (awaited == awaited_.end() || !is_its || !is_newest)) {
    world_.met(Met::offer_refused);
    world_.arenad_kills(offer.pid, Why::offer_refused);
    return;
  }
  if (const auto left = left_.find(offer.arena); left != left_.end()) {
    for (const KeepKey& key : left->second.keys) arena->is_kept(key);
    left_.erase(left);
  }
  const Durable durable = awaited == awaited_.end() ? Durable{} : awaited->second;
  awaited_.erase(offer.arena);
  arena->adopt(offer, offer.channels, durable);
  // One that died right after it had offered itself: its descriptor says so at once.
  if (world_.worker(offer.pid) == nullptr && !world_.is(Mutant::adopt_the_dead)) arena->worker_ended(ExitHow::unknown);
  settle_if_done();
}

void Arenad::start_arena(ArenaId id) {
  auto& arena = arenas_[id];
  arena = std::make_unique<ArenaShell>(*this, id, ArenaRow{});
  arena->begin_new();
}

void Arenad::hear(Pid from, const FromWorker& message) {
  for (const auto& [id, arena] : arenas_) {
    if (arena->pid() == from) return arena->take_message(message);
  }
}

void Arenad::checkpoint() {
  world_.arenad_timer(world_.settings().checkpoint_interval_ns, [this] { checkpoint(); });
  if (checkpoint_in_flight_) return;
  Batch batch;
  std::vector<std::pair<ArenaId, FrameNumber>> frames;
  for (const auto& [id, arena] : arenas_) {
    if (auto checkpoint = arena->next_checkpoint()) {
      frames.emplace_back(id, checkpoint->snapshot.frame);
      batch.checkpoints.push_back(std::move(*checkpoint));
    }
  }
  if (frames.empty()) return;
  checkpoint_in_flight_ = true;
  store_.submit(std::move(batch), [this, frames = std::move(frames)] {
    point(ArenadPoint::checkpoint_committed);
    checkpoint_in_flight_ = false;
    for (const auto& [id, frame] : frames) {
      if (ArenaShell* arena = find(id)) arena->checkpoint_committed(frame);
    }
  });
  point(ArenadPoint::checkpoint_submitted);
}

void Arenad::watch() {
  world_.arenad_timer(world_.settings().hang.interval_ns, [this] { watch(); });
  for (const auto& [id, arena] : arenas_) arena->observe();
}

}  // namespace arenad::sim
