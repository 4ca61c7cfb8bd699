#include "supervisor/status_report.h"

#include <array>

#include "ipc/channel.h"
#include "ipc/clock.h"
#include "ipc/mutant.h"
#include "ipc/process.h"
#include "supervisor/snapshot_age.h"

namespace arenad {
namespace {

double mean_us(uint64_t total_ns, uint64_t count) {
  return count == 0 ? 0.0 : static_cast<double>(total_ns) / static_cast<double>(count) / 1000.0;
}

void report_worker(const Arena& arena, const IncarnationView& view, Detail detail, wire::ArenaStatus::Builder to) {
  const WorkerStatus& s = view.status();
  to.setFrame(ARENAD_MUTANT("status.frame_of_last_checkpoint") ? arena.durable_frame().value : s.frame_done.load());
  to.setTickHz(view.tick_hz());
  to.setEvents(s.events_applied.load());
  to.setRejected(s.events_rejected.load());
  to.setOutputs(s.outputs_count.load());
  to.setOutputsRefused(s.outputs_refused.load());
  const uint64_t resumed_ns = s.first_frame_published_ns.load();
  if (arena.recoveries() > 0 && resumed_ns > arena.died_ns()) {
    to.setRecoveryMs(static_cast<double>(resumed_ns - arena.died_ns()) / 1e6);
  }
  to.setRung(rung_name(s.rung.load()));
  to.setReplayedFrames(s.replayed_frames.load());
  to.setReplayedEvents(s.replayed_events.load());
  to.setDivergences(s.divergences.load());
  to.setFirstDivergentFrame(s.first_divergent_frame.load());
  to.setFramesLate(s.frames_late.load());
  to.setFramesSlow(s.frames_slow.load());
  std::array<uint64_t, kHistogramBuckets> lateness{};
  for (size_t i = 0; i < lateness.size(); ++i) lateness[i] = s.lateness_us[i].load(std::memory_order_relaxed);
  to.setLateP50Us(histogram_quantile(lateness, 0.5));
  to.setLateP99Us(histogram_quantile(lateness, 0.99));
  to.setFrameMeanUs(mean_us(s.frame_ns_total.load(), s.frames.load()));
  to.setFrameMaxUs(s.frame_ns_max.load() / 1000);
  to.setSnapshots(s.snapshots.load());
  to.setSnapshotsFailed(s.snapshots_failed.load());
  to.setSnapshotBytes(s.snapshot_bytes.load());
  to.setSnapshotFrame(s.snapshot_frame.load());
  if (arena.state() == ArenaState::running) to.setSnapshotAgeMs(snapshot_age_ns(s, monotonic_ns()) / kMillisecond);
  to.setSnapshotMeanUs(mean_us(s.snapshot_ns_total.load(), s.snapshots.load()));
  to.setSharedMemoryBytes(view.bytes());
  to.setReleasedEarly(s.released_early.load() != 0);
  if (detail == Detail::row) return;
  auto counts = to.initLateness(kHistogramBuckets);
  for (uint i = 0; i < counts.size(); ++i) counts.set(i, lateness[i]);
}

void report_channel(const IncarnationView* view, const RosterChannel& channel, wire::ChannelStatus::Builder to) {
  to.setSeat(channel.slot);
  to.setPlayer(channel.player);
  auto region = channel.region.duplicate();
  if (view == nullptr || !region) return;
  auto mapped = ChannelView::map(std::move(*region));
  const ChannelEntry& entry = view->channels()[channel.slot];
  if (!mapped || entry.channel_id.load() != channel.id.value) return;
  const uint64_t taken = entry.taken.load();
  const uint64_t published = mapped->header().published.load();
  const uint64_t outputs = view->status().outputs_published.load();
  const uint64_t read = mapped->header().outputs_read.load();
  to.setApplied(entry.applied.load());
  to.setRejected(entry.rejected.load());
  to.setWaitingBytes(published > taken ? published - taken : 0);
  to.setKeptBytes(taken - std::min(taken, entry.released.load()));
  to.setOutputLagBytes(outputs > read ? outputs - read : 0);
}

}  // namespace

void report_arena(const Arena& arena, Detail detail, wire::ArenaStatus::Builder to) {
  const ArenaRecord& record = arena.record();
  to.setId(record.id.text());
  to.setName(record.name);
  to.setGame(record.game);
  if (arena.game() != nullptr) {
    to.setGameVersion(arena.version());
    if (!arena.game()->hash().is_null()) to.setCode(arena.game()->hash().text());
  }
  to.setPinned(arena.record().pinned);
  to.setProbation(arena.is_on_probation());
  to.setState(arena.is_draining() && arena.state() == ArenaState::running ? "draining" : to_string(arena.state()));
  to.setReason(record.reason);
  to.setPid(static_cast<uint32_t>(arena.pid()));
  to.setEpoch(record.epoch);
  to.setSinceUnixMs(static_cast<uint64_t>(record.created_unix_ms));
  to.setPlayers(arena.channels().present(ChannelRoster::Kind::player));
  to.setClients(static_cast<uint32_t>(arena.clients()));
  const uint64_t now = monotonic_ns();
  const RestartBudget& budget = arena.lifecycle().budget();
  to.setRestarts(budget.charged(now));
  to.setRestartsAllowed(budget.policy().intensity);
  to.setRestartWindowMs(budget.policy().window_ns / kMillisecond);
  to.setRestartsTotal(record.restarts);
  to.setLastExit(arena.last_exit());
  to.setDurableFrame(arena.durable_frame().value);
  to.setQuarantined(arena.quarantine().entries().size());
  to.setLastCrash(arena.last_crash());
  if (arena.delay_until_ns() > now) to.setNextRestartMs((arena.delay_until_ns() - now) / kMillisecond);
  if (arena.has_worker()) {
    to.setCpuNs(cpu_time_ns(arena.pid()).value_or(0));
    if (const auto share = arena.cpu().share()) to.setCpuPercent(100 * *share);
  }
  if (arena.lived() != nullptr) {
    report_worker(arena, *arena.lived(), detail, to);
  } else {
    to.setFrame(arena.durable_frame().value);  // there it goes on
  }
  if (detail == Detail::row) return;
  auto params = to.initParams(static_cast<uint>(record.params.size()));
  for (uint i = 0; i < params.size(); ++i) {
    params[i].setKey(record.params[i].first);
    params[i].setValue(record.params[i].second);
  }
  std::vector<const RosterChannel*> present;
  for (const auto& [id, channel] : arena.channels().all()) {
    if (!channel.gone_reason) present.push_back(&channel);
  }
  auto channels = to.initChannels(static_cast<uint>(present.size()));
  for (uint i = 0; i < channels.size(); ++i) report_channel(arena.lived(), *present[i], channels[i]);
}

}  // namespace arenad
