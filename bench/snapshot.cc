// What a snapshot of 64 KiB of state takes from the frame: the mean over the snapshots of an arena that is changed all the time.
#include <fmt/format.h>

#include "bench/bench_player.h"
#include "bench/benchmark.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kWarmUpSnapshots = 10;
constexpr uint64_t kTimeoutNs = 60 * kSecond;
constexpr uint64_t kStateBytes = 64 * 1024;
constexpr uint64_t kChannelBytes = 1024 * 1024;

const Daemon::Options kOptions{.name = "snapshot", .settings = "", .game_settings = "snapshot_interval_ms = 5"};

struct Counted {
  uint64_t snapshots;
  uint64_t total_ns;
};

Counted count(const WorkerStatus& status) {
  return {status.snapshots.load(std::memory_order_acquire), status.snapshot_ns_total.load(std::memory_order_relaxed)};
}

Result<void> play_until(BenchPlayer& player, uint64_t snapshots) {
  const uint64_t deadline_ns = monotonic_ns() + kTimeoutNs;
  while (count(player.worker().status()).snapshots < snapshots) {
    if (auto poked = player.poke(); !poked) return poked;
    player.wait(1);
    if (auto taken = player.take_in(); !taken) return taken;
    if (monotonic_ns() > deadline_ns) return make_error(ErrorCode::timeout, "the bench arena takes too few snapshots");
  }
  return {};
}

}  // namespace

Result<Figures> measure_snapshot(const Conditions& conditions) {
  const auto wanted = std::max<uint64_t>(20, static_cast<uint64_t>(400 * conditions.scale));
  auto daemon = Daemon::start(conditions.folder, kOptions);
  if (!daemon) return daemon.error();
  auto player = BenchPlayer::join(*daemon, kChannelBytes);
  if (!player) return player.error();
  const WorkerStatus& status = (*player)->worker().status();
  if (auto warm = play_until(**player, kWarmUpSnapshots); !warm) return warm.error();
  const Counted before = count(status);
  if (auto played = play_until(**player, before.snapshots + wanted); !played) return played.error();
  const Counted after = count(status);
  const uint64_t bytes = status.snapshot_bytes.load(std::memory_order_relaxed);
  if (bytes < kStateBytes) return make_error(ErrorCode::failed, fmt::format("a snapshot has only {} bytes", bytes));
  player->reset();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  const uint64_t snapshots = after.snapshots - before.snapshots;
  return Figures{{"snapshot.64k_us",
                  static_cast<double>(after.total_ns - before.total_ns) / 1e3 / static_cast<double>(snapshots),
                  fmt::format("mean of {} snapshots of {} bytes", snapshots, bytes)}};
}

}  // namespace arenad::bench
