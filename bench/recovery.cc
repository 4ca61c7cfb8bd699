// How long an arena is away when its worker is killed: from SIGKILL to the first new frame published by the next incarnation.
//
// The state has 64 KiB, and 1,000 events, each in a frame of its own, have come since the last snapshot: all of them are run again.
// An event is sent right after the kill, so that the first new frame is due at once.
#include <csignal>
#include <fmt/format.h>

#include "bench/bench_player.h"
#include "bench/benchmark.h"
#include "bench/quantile.h"
#include "ipc/clock.h"
#include "ipc/process.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kEventsToReplay = 1000;
constexpr uint64_t kRecoveryTimeoutNs = 20 * kSecond;
constexpr uint64_t kChannelBytes = 512 * 1024;

// Snapshots only when they are brought about, restarts at once and for ever.
const Daemon::Options kOptions{
    .name = "recovery",
    .settings = "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n",
    .game_settings = "snapshot_interval_ms = 600000\nframe_log_bytes = 1048576"};

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

// Until the next incarnation has published a new frame. When that was, on the monotonic clock.
Result<uint64_t> wait_for_new_frame(BenchPlayer& player, Epoch old_epoch) {
  const uint64_t deadline_ns = monotonic_ns() + kRecoveryTimeoutNs;
  while (monotonic_ns() < deadline_ns) {
    player.wait(1);
    if (auto taken = player.take_in(); !taken) return taken.error();
    if (player.worker().epoch() == old_epoch) continue;
    const uint64_t published_ns = player.worker().status().first_frame_published_ns.load(std::memory_order_acquire);
    if (published_ns != 0) return published_ns;
  }
  return make_error(ErrorCode::timeout, "a killed worker has no successor");
}

Result<void> check_replay(const WorkerStatus& status) {
  const uint64_t replayed = status.replayed_events.load(std::memory_order_relaxed);
  if (replayed != kEventsToReplay) {
    return make_error(ErrorCode::failed, fmt::format("{} events were run again instead of {}", replayed, kEventsToReplay));
  }
  if (status.divergences.load(std::memory_order_relaxed) != 0) {
    return make_error(ErrorCode::failed, "frames that were run again gave other outputs");
  }
  return {};
}

struct Recovery {
  double total_ms;     // SIGKILL to the first new frame
  double assigned_ms;  // of that, until the successor is told what it is
  double replayed_ms;  // and from then until it has run all logged frames again
  uint64_t frames;     // so many
};

Result<Recovery> kill_once(BenchPlayer& player) {
  if (auto saved = player.bring_about_snapshot(); !saved) return saved.error();
  for (uint64_t i = 0; i < kEventsToReplay; ++i) {
    if (auto poked = player.poke(); !poked) return poked.error();
    if (auto applied = player.wait_until_applied(); !applied) return applied.error();
  }
  const Epoch epoch = player.worker().epoch();
  auto worker = open_pidfd(player.worker().pid());
  if (!worker) return worker.error();
  const uint64_t killed_unix_ns = unix_ns();
  const uint64_t killed_ns = monotonic_ns();
  send_signal(*worker, SIGKILL);
  if (auto poked = player.poke(); !poked) return poked.error();
  auto published_ns = wait_for_new_frame(player, epoch);
  if (!published_ns) return published_ns.error();
  const WorkerStatus& status = player.worker().status();
  if (auto replayed = check_replay(status); !replayed) return replayed.error();
  if (auto applied = player.wait_until_applied(); !applied) return applied.error();
  const uint64_t replay_ns = status.recovery_ns.load(std::memory_order_relaxed);
  const uint64_t assigned_unix_ns = status.live_since_unix_ns.load(std::memory_order_relaxed) - replay_ns;
  return Recovery{milliseconds(*published_ns - killed_ns), milliseconds(assigned_unix_ns - killed_unix_ns),
                  milliseconds(replay_ns), status.replayed_frames.load(std::memory_order_relaxed)};
}

}  // namespace

Result<Figures> measure_recovery(const Conditions& conditions) {
  const auto kills = std::max<uint64_t>(5, static_cast<uint64_t>(200 * conditions.scale));
  auto daemon = Daemon::start(conditions.folder, kOptions);
  if (!daemon) return daemon.error();
  auto player = BenchPlayer::join(*daemon, kChannelBytes);
  if (!player) return player.error();
  std::vector<double> total_ms;
  std::vector<double> assigned_ms;
  std::vector<double> replayed_ms;
  std::vector<double> frames;
  for (uint64_t i = 0; i < kills; ++i) {
    auto recovery = kill_once(**player);
    if (!recovery) return recovery.error();
    total_ms.push_back(recovery->total_ms);
    assigned_ms.push_back(recovery->assigned_ms);
    replayed_ms.push_back(recovery->replayed_ms);
    frames.push_back(static_cast<double>(recovery->frames));
  }
  if (auto taken = (*player)->take_in(); !taken) return taken.error();
  if ((*player)->pokes_echoed() != (*player)->pokes_sent()) {
    return make_error(ErrorCode::failed, fmt::format("{} events were sent, but {} were applied", (*player)->pokes_sent(),
                                                     (*player)->pokes_echoed()));
  }
  player->reset();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return Figures{{"recovery.p50_ms", quantile(total_ms, 0.5),
                  fmt::format("{} kills, {} events in {:.0f} frames; until assigned {:.2f}, load and replay {:.2f}", kills,
                              kEventsToReplay, median(frames), median(assigned_ms), median(replayed_ms))},
                 {"recovery.p99_ms", quantile(total_ms, 0.99), fmt::format("max {:.2f} ms", quantile(total_ms, 1))}};
}

}  // namespace arenad::bench
