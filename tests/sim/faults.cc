#include "tests/sim/faults.h"

#include "tests/sim/world.h"

namespace arenad::sim {
namespace {

template <size_t count>
std::array<Draw, count> draws(uint64_t seed, const char* name) {
  return [&]<size_t... i>(std::index_sequence<i...>) {
    return std::array<Draw, count>{Draw(seed ^ (i + 1) * 0x9E3779B97F4A7C15ull, name)...};
  }
  (std::make_index_sequence<count>{});
}

Met met_of(WorkerPoint point) {
  switch (point) {
    case WorkerPoint::assigned:
      return Met::kill_assigned;
    case WorkerPoint::before_log:
      return Met::kill_before_log;
    case WorkerPoint::after_log:
      return Met::kill_after_log;
    case WorkerPoint::members_change:
      return Met::kill_members_change;
    case WorkerPoint::applying:
      return Met::kill_applying;
    case WorkerPoint::applied:
      return Met::kill_applied;
    case WorkerPoint::before_publish:
      return Met::kill_before_publish;
    case WorkerPoint::after_publish:
      return Met::kill_after_publish;
    case WorkerPoint::after_done:
      return Met::kill_after_done;
    case WorkerPoint::slot_torn:
      return Met::kill_slot_torn;
    case WorkerPoint::slot_written:
      return Met::kill_slot_written;
    case WorkerPoint::replaying:
      return Met::kill_replaying;
    case WorkerPoint::before_live:
    case WorkerPoint::count_:
      return Met::kill_before_live;
  }
  return Met::kill_before_live;
}

// What happens once or a few times in a life meets its faults more often.
uint64_t share(WorkerPoint point) {
  switch (point) {
    case WorkerPoint::assigned:
    case WorkerPoint::replaying:
    case WorkerPoint::before_live:
    case WorkerPoint::slot_torn:
    case WorkerPoint::slot_written:
      return 8;
    case WorkerPoint::members_change:
      return 32;
    case WorkerPoint::before_log:
    case WorkerPoint::after_log:
    case WorkerPoint::applying:
    case WorkerPoint::applied:
    case WorkerPoint::before_publish:
    case WorkerPoint::after_publish:
    case WorkerPoint::after_done:
    case WorkerPoint::count_:
      return 1;
  }
  return 1;
}

}  // namespace

FaultPlan::FaultPlan(World& world, uint64_t seed)
    : world_(world),
      worker_points_(draws<static_cast<size_t>(WorkerPoint::count_)>(seed, "worker points")),
      arenad_points_(draws<static_cast<size_t>(ArenadPoint::count_)>(seed, "arenad points")),
      crashes_(seed, "crashes"),
      waits_(seed, "waits") {}

void FaultPlan::begin() {
  next_timed();
}

WorkerFault FaultPlan::at(WorkerPoint point) {
  const uint64_t period = world_.settings().point_period;
  if (healed_ || period == 0) return WorkerFault::none;
  Draw& draw = worker_points_[static_cast<size_t>(point)];
  if (draw.below(std::max<uint64_t>(period * 4 / share(point), 3)) != 0) return WorkerFault::none;
  const uint64_t choice = draw.below(8);
  if (choice == 0) return WorkerFault::stop;
  world_.met(met_of(point));
  world_.count_fault();
  if (point == WorkerPoint::members_change && choice > 4) return WorkerFault::kill_all;
  return choice <= world_.settings().damage_in_8 && point != WorkerPoint::assigned ? WorkerFault::kill_and_damage
                                                                                   : WorkerFault::kill;
}

bool FaultPlan::crash_in_tick() {
  const uint64_t period = world_.settings().point_period;
  if (healed_ || period == 0 || crashes_.below(period * 6) != 0) return false;
  world_.count_fault();
  return true;
}

bool FaultPlan::at(ArenadPoint point) {
  const uint64_t period = world_.settings().arenad_point_period;
  if (healed_ || period == 0) return false;
  if (!arenad_points_[static_cast<size_t>(point)].one_in(period)) return false;
  switch (point) {
    case ArenadPoint::before_registration:
      world_.met(Met::arenad_killed_before_registration);
      break;
    case ArenadPoint::after_registration:
      world_.met(Met::arenad_killed_after_registration);
      break;
    case ArenadPoint::before_action:
    case ArenadPoint::begin_decided:
      world_.met(Met::arenad_killed_at_action);
      break;
    case ArenadPoint::checkpoint_submitted:
    case ArenadPoint::checkpoint_committed:
    case ArenadPoint::results_committed:
      world_.met(Met::arenad_killed_in_checkpoint);
      break;
    case ArenadPoint::taking_up:
    case ArenadPoint::offer_taken:
    case ArenadPoint::adopting:
      world_.met(Met::arenad_killed_in_adoption);
      break;
    case ArenadPoint::count_:
      break;
  }
  return true;
}

// What it waits for mostly comes soon: so soon it is stopped, and for so long that all of its time seems to be over.
void FaultPlan::waits(uint64_t limit_ns) {
  const uint64_t period = world_.settings().arenad_point_period;
  if (healed_ || period == 0 || waits_.below(std::max<uint64_t>(period / 4, 8)) != 0) return;
  const uint64_t for_ns = limit_ns + waits_.below(2 * kSecond);
  const bool all = waits_.one_in(2);
  world_.arenad_timer(waits_.below(20 * kMs), [this, for_ns, all] {
    if (healed_) return;
    if (all) {
      world_.pause_all(for_ns);
    } else {
      world_.met(Met::arenad_stopped);
      world_.count_fault();
      world_.stop_arenad(for_ns);
    }
  });
}

// ---- at any time --------------------------------------------------------------------------------------------------------

void FaultPlan::next_timed() {
  Draw& draw = world_.draw(Stream::timed);
  world_.after(draw.below(2 * world_.settings().timed_mean_ns), [this] {
    if (healed_) return;
    timed();
    next_timed();
  });
}

void FaultPlan::timed() {
  if (world_.is_paused()) return;
  Draw& draw = world_.draw(Stream::timed);
  const auto living = world_.living();
  const auto some_worker = [&]() -> Pid { return living.empty() ? 0 : living[draw.below(living.size())]; };
  const uint64_t choice = draw.below(32);
  if (choice < 6) {
    if (const Pid pid = some_worker(); pid != 0) {
      const auto region = world_.worker(pid)->region();
      world_.met(Met::kill_any_time);
      world_.count_fault();
      world_.worker_dies(pid, Cause::outside);
      if (region && draw.below(8) < world_.settings().damage_in_8) damage(*region);
    }
  } else if (choice < 9) {
    if (const Pid pid = some_worker(); pid != 0) world_.stop_worker(pid);
  } else if (choice < 13) {
    if (world_.arenad() != nullptr) world_.kill_arenad(World::Disaster::arenad);
  } else if (choice < 15) {
    world_.met(Met::arenad_stopped);
    world_.count_fault();
    world_.stop_arenad(draw.between(100, 6000) * kMs);
  } else if (choice < 16) {
    world_.pause_all(draw.between(100, draw.one_in(4) ? 20'000 : 4'000) * kMs);
  } else if (choice < 18) {
    if (world_.arenad() != nullptr) world_.kill_arenad(World::Disaster::all);
  } else if (choice < 19) {
    if (world_.settings().power_cuts && world_.arenad() != nullptr) world_.kill_arenad(World::Disaster::power_cut);
  } else if (choice < 23) {
    constexpr DiskMode kModes[] = {DiskMode::slow, DiskMode::failing, DiskMode::of_unknown_outcome, DiskMode::well};
    world_.set_disk_mode(kModes[draw.below(4)]);
    world_.count_fault();
  } else if (choice < 24) {
    damage_checkpoint();
  } else if (choice < 25) {
    world_.spares_die();
  } else {
    operate();
  }
}

void FaultPlan::operate() {
  Draw& draw = world_.draw(Stream::operators);
  const ArenaId id = world_.ids()[draw.below(world_.ids().size())];
  const uint64_t choice = draw.below(4);
  const auto commanded = [this, id](uint64_t delay_ns, auto command) {
    world_.to_arenad(delay_ns, [this, id, command] {
      ArenaShell* arena = world_.arenad()->find(id);
      if (arena != nullptr && world_.arenad()->is_open()) command(*arena);
    });
  };
  const auto stop = [this](ArenaShell& arena) {
    world_.met(Met::operator_stop);
    (void)arena.stop();
  };
  const auto restart = [this](ArenaShell& arena) {
    world_.met(Met::operator_restart);
    (void)arena.restart();
  };
  if (choice == 0) {
    commanded(100 * kUs, stop);
    if (!draw.one_in(3)) return;
    // In a hurry: the disk is not done with the first stop when the second comes.
    world_.set_disk_mode(DiskMode::slow);
    const uint64_t again_ns = draw.between(50, 500) * kMs;
    commanded(again_ns, restart);
    commanded(again_ns + draw.between(50, 500) * kMs, stop);
  } else if (choice == 1) {
    commanded(100 * kUs, [this, restart](ArenaShell& arena) {
      if (arena.pid() == 0) return restart(arena);
      world_.met(Met::kill_by_operator);
      world_.worker_dies(arena.pid(), Cause::outside);
    });
  } else {
    commanded(100 * kUs, restart);
  }
}

void FaultPlan::damage_checkpoint() {
  Draw& draw = world_.draw(Stream::damage);
  auto& arenas = world_.database().arenas;
  if (arenas.empty()) return;
  auto arena = arenas.begin();
  std::advance(arena, static_cast<long>(draw.below(arenas.size())));
  if (arena->second.checkpoints.empty()) return;
  StoredSnapshot& row = arena->second.checkpoints[draw.below(arena->second.checkpoints.size())];
  row.snapshot.state += 1;
  row.truth_damaged = true;
  world_.met(Met::checkpoint_damaged);
  world_.count_fault();
  world_.note("checkpoint damaged", arena->first.low, row.snapshot.frame.value);
}

void FaultPlan::damage(Region& region) {
  Draw& draw = world_.draw(Stream::damage);
  const uint64_t choice = draw.below(10);
  const size_t newer =
      region.slots[0].published && (!region.slots[1].published || *region.slots[0].published > *region.slots[1].published) ? 0
                                                                                                                           : 1;
  const size_t which = draw.one_in(3) ? 1 - newer : newer;
  Slot& slot = region.slots[which];
  world_.note("damage", region.arena.low, region.epoch.value, choice);
  const auto flip = [&](Slot& flipped) {
    if (!flipped.published) return;
    flipped.content.snapshot.state += 1ull << draw.below(63);
    flipped.content.truth_damaged = true;
  };
  if (choice < 3) {
    flip(slot);
    world_.met(Met::slot_flipped);
  } else if (choice < 4) {
    if (!slot.published) return;
    slot.content.snapshot.outputs += 1;  // the header is newer than the state
    slot.content.truth_damaged = true;
    world_.met(Met::slot_torn);
  } else if (choice < 6) {
    for (const auto& [id, old] : world_.old_snapshots()) {
      if (id == region.arena || old.empty() || !slot.published) continue;
      slot.content = old.back();
      slot.published = slot.content.snapshot.frame;
      world_.met(Met::slot_swapped);
      break;
    }
  } else if (choice < 7) {
    const auto found = world_.old_snapshots().find(region.arena);
    if (found == world_.old_snapshots().end() || found->second.empty() || !slot.published) return;
    slot.content = found->second.front();
    slot.published = slot.content.snapshot.frame;
    world_.met(Met::slot_stale);
  } else if (choice < 9) {
    flip(region.slots[0]);
    flip(region.slots[1]);
    world_.met(Met::both_slots_damaged);
  } else if (!region.log.empty()) {
    LogRecord& record = region.log[draw.below(region.log.size())];
    record.time_ns += 1;
    record.truth_damaged = true;
    world_.met(Met::log_damaged);
  }
}

}  // namespace arenad::sim
