#include "supervisor/metrics_ledger.h"

#include <algorithm>
#include <utility>

namespace arenad {
namespace {

// Nanoseconds of two years of one processor. More between two looks is a lie, and would end in sums that overflow.
constexpr uint64_t kMaxStep = uint64_t{1} << 56;

constexpr size_t kFirstOfIncarnation = static_cast<size_t>(Tally::frames);

void take(Tallies& seen, const Tallies& now, Tallies& arena, Tallies& game) {
  for (size_t i = 0; i < Tallies::kCount; ++i) {
    if (now.at(i) <= seen.at(i)) continue;
    const uint64_t step = now.at(i) - seen.at(i);
    seen.at(i) = now.at(i);
    if (step > kMaxStep) continue;
    arena.at(i) += step;
    game.at(i) += step;
  }
}

}  // namespace

Tallies read_tallies(const WorkerStatus& status) {
  const auto read = [](const std::atomic<uint64_t>& word) { return word.load(std::memory_order_relaxed); };
  Tallies now;
  now[Tally::events] = read(status.events_applied);
  now[Tally::events_rejected] = read(status.events_rejected);
  now[Tally::outputs] = read(status.outputs_count);
  now[Tally::results] = read(status.system_count);
  now[Tally::frames] = read(status.frames);
  now[Tally::frames_late] = read(status.frames_late);
  now[Tally::frames_slow] = read(status.frames_slow);
  now[Tally::outputs_refused] = read(status.outputs_refused);
  now[Tally::channels_full] = read(status.channels_full);
  now[Tally::snapshots] = read(status.snapshots);
  now[Tally::snapshots_failed] = read(status.snapshots_failed);
  now[Tally::replayed_frames] = read(status.replayed_frames);
  now[Tally::replayed_events] = read(status.replayed_events);
  now[Tally::divergences] = read(status.divergences);
  now[Tally::garbage_put_off] = read(status.garbage_put_off);
  now[Tally::frame_ns] = read(status.frame_ns_total);
  now[Tally::lateness_ns] = read(status.lateness_ns_total);
  now[Tally::snapshot_ns] = read(status.snapshot_ns_total);
  for (size_t i = 0; i < kTimeBuckets; ++i) {
    now.at(static_cast<size_t>(Tally::frame_time) + i) = read(status.frame_time[i]);
    now.at(static_cast<size_t>(Tally::tick_lateness) + i) = read(status.tick_lateness[i]);
  }
  return now;
}

void MetricsLedger::observe(ArenaId arena, const std::string& game, Epoch epoch, const Tallies& now) {
  Account& account = arenas_[arena];
  if (!std::exchange(account.was_seen, true) || account.epoch != epoch) {
    // Of an incarnation that did not begin under this arenad.
    for (size_t i = 0; i < Tallies::kCount; ++i) {
      account.seen.at(i) = i < kFirstOfIncarnation ? std::max(account.seen.at(i), now.at(i)) : now.at(i);
    }
    account.epoch = epoch;
  }
  take(account.seen, now, account.totals.tallies, games_[game].tallies);
}

void MetricsLedger::begun(ArenaId arena, const std::string& game, Epoch epoch, const Tallies& now, Past past) {
  Account& account = arenas_[arena];
  const bool is_first = !std::exchange(account.was_seen, true);
  for (size_t i = 0; i < Tallies::kCount; ++i) {
    if (i >= kFirstOfIncarnation || past == Past::none) {
      account.seen.at(i) = 0;
    } else if (is_first) {
      account.seen.at(i) = now.at(i);
    }
  }
  account.epoch = epoch;
  take(account.seen, now, account.totals.tallies, games_[game].tallies);
}

void MetricsLedger::recovered(ArenaId arena, const std::string& game, Rung rung, const std::optional<RecoveryTimes>& took) {
  ++arenas_[arena].totals.recoveries;
  GameTotals& totals = games_[game];
  ++totals.recoveries[static_cast<uint32_t>(rung)];
  if (!took) return;
  totals.recovery_time.add(took->total_ns);
  totals.start_time.add(took->start_ns);
  if (!took->parts) return;
  totals.load_time.add(took->parts->load_ns);
  totals.replay_time.add(took->parts->replay_ns);
}

void MetricsLedger::died(ArenaId arena, const std::string& game, const char* kind, const std::string& signature) {
  ++arenas_[arena].totals.deaths;
  GameTotals& totals = games_[game];
  ++totals.deaths[kind];
  const bool is_known = totals.signatures.contains(signature);
  const bool has_room = totals.signatures.size() < kMaxSignatures;
  ++totals.signatures[is_known || has_room ? signature : std::string(kOtherSignature)];
}

ArenaTotals MetricsLedger::of(ArenaId arena) const {
  const auto found = arenas_.find(arena);
  return found == arenas_.end() ? ArenaTotals{} : found->second.totals;
}

}  // namespace arenad
