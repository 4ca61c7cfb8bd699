// How long an arena is away when its worker is killed: from SIGKILL to the first new frame published by the next incarnation.
//
// The state has 64 KiB, and events, each in a frame of its own, have come since the last snapshot: all of them are run again.
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

constexpr uint64_t kRecoveryTimeoutNs = 20 * kSecond;
constexpr uint64_t kChannelBytes = 512 * 1024;

// Snapshots only when they are brought about, restarts at once and for ever.
Daemon::Options options_of(const std::string& module) {
  return {.name = "recovery-" + module,
          .settings = "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n",
          .game_settings = "snapshot_interval_ms = 600000\nframe_log_bytes = 1048576",
          .bench_module = module};
}

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

Result<void> check_replay(const WorkerStatus& status, uint64_t events) {
  const uint64_t replayed = status.replayed_events.load(std::memory_order_relaxed);
  if (replayed != events) {
    return make_error(ErrorCode::failed, fmt::format("{} events were run again instead of {}", replayed, events));
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

Result<Recovery> kill_once(BenchPlayer& player, uint64_t events) {
  if (auto saved = player.bring_about_snapshot(); !saved) return saved.error();
  for (uint64_t i = 0; i < events; ++i) {
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
  if (auto replayed = check_replay(status, events); !replayed) return replayed.error();
  if (auto applied = player.wait_until_applied(); !applied) return applied.error();
  const uint64_t replay_ns = status.recovery_ns.load(std::memory_order_relaxed);
  const uint64_t assigned_unix_ns = status.live_since_unix_ns.load(std::memory_order_relaxed) - replay_ns;
  return Recovery{milliseconds(*published_ns - killed_ns), milliseconds(assigned_unix_ns - killed_unix_ns),
                  milliseconds(replay_ns), status.replayed_frames.load(std::memory_order_relaxed)};
}

struct Recoveries {
  std::vector<double> total_ms;
  std::string note;
};

Result<Recoveries> kill_again_and_again(const Conditions& conditions, const std::string& module, uint64_t events) {
  const auto kills = std::max<uint64_t>(5, static_cast<uint64_t>(200 * conditions.scale));
  auto daemon = Daemon::start(conditions.folder, options_of(module));
  if (!daemon) return daemon.error();
  auto player = BenchPlayer::join(*daemon, kChannelBytes);
  if (!player) return player.error();
  std::vector<double> total_ms;
  std::vector<double> assigned_ms;
  std::vector<double> replayed_ms;
  std::vector<double> frames;
  for (uint64_t i = 0; i < kills; ++i) {
    auto recovery = kill_once(**player, events);
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
  return Recoveries{total_ms, fmt::format("{} kills, {} events in {:.0f} frames; until assigned {:.2f}, load and replay {:.2f}",
                                          kills, events, median(frames), median(assigned_ms), median(replayed_ms))};
}

}  // namespace

Result<Figures> measure_recovery(const Conditions& conditions) {
  constexpr uint64_t kEventsToReplay = 1000;
  auto recoveries = kill_again_and_again(conditions, "bench", kEventsToReplay);
  if (!recoveries) return recoveries.error();
  const auto& total_ms = recoveries->total_ms;
  return Figures{{"recovery.p50_ms", quantile(total_ms, 0.5), recoveries->note},
                 {"recovery.p99_ms", quantile(total_ms, 0.99), fmt::format("max {:.2f} ms", quantile(total_ms, 1))}};
}

// The same in Python, with what 30 players of 20 orders a second send in half the time between two snapshots.
Result<Figures> measure_python_recovery(const Conditions& conditions) {
  constexpr uint64_t kEventsToReplay = 150;
  auto recoveries = kill_again_and_again(conditions, "bench_py", kEventsToReplay);
  if (!recoveries) return recoveries.error();
  const auto& total_ms = recoveries->total_ms;
  return Figures{
      {"python.recovery_p50_ms", quantile(total_ms, 0.5),
       fmt::format("{}; p99 {:.2f}, max {:.2f} ms", recoveries->note, quantile(total_ms, 0.99), quantile(total_ms, 1))}};
}

}  // namespace arenad::bench
