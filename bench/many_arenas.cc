// How many tanks arenas run at a time, with 30 players each, and how late their ticks begin; and what memory their workers take.
//
// A few processes hold the players (load_process.h). Lateness is what the workers themselves count, over the measured time only.
#include <array>
#include <fmt/format.h>
#include <memory>
#include <time.h>

#include "bench/benchmark.h"
#include "bench/daemon.h"
#include "bench/load_process.h"
#include "bench/peer.h"
#include "bench/private_memory.h"
#include "bench/quantile.h"
#include "bench/shared.h"
#include "bench/worker_probe.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kArenas = 300;
constexpr uint64_t kLoadProcesses = 6;
constexpr uint64_t kTicksPerSecond = 20;
constexpr uint64_t kChannelBytes = 32 * 1024;
constexpr uint64_t kAttachTimeoutNs = 300 * kSecond;
constexpr uint64_t kWarmUpMs = 5000;
constexpr double kSeconds = 15;
constexpr size_t kMemorySamples = 31;
// An arena runs if it makes at least this share of its ticks, and takes at least this share of its players' inputs.
constexpr double kLeastShare = 0.95;

const Daemon::Options kOptions{.name = "many", .settings = "", .game_settings = "spares = 0"};

void sleep_ms(uint64_t ms) {
  const timespec time{static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000 * 1'000'000)};
  ::nanosleep(&time, nullptr);
}

std::string arena_name(uint64_t number) {
  return fmt::format("tanks-{}", number);
}

// ---- the load ------------------------------------------------------------------------------------

Result<std::vector<Peer>> start_load(const Daemon& daemon, LoadProgress& progress) {
  std::vector<Peer> load;
  for (uint64_t process = 0; process < kLoadProcesses; ++process) {
    LoadOptions options{.socket = daemon.socket(), .arenas = {}, .channel_bytes = kChannelBytes, .seed = process + 1};
    for (uint64_t arena = process; arena < kArenas; arena += kLoadProcesses) options.arenas.push_back(arena_name(arena));
    auto peer = Peer::start([&] { return play_load(options, progress); });
    if (!peer) return peer.error();
    load.push_back(std::move(*peer));
  }
  return load;
}

Result<void> check_load(std::vector<Peer>& load) {
  for (Peer& peer : load) {
    if (peer.wait(0)) return make_error(ErrorCode::failed, "a load process has ended early");
  }
  return {};
}

Result<void> wait_until_attached(std::vector<Peer>& load, const LoadProgress& progress) {
  const uint64_t deadline_ns = monotonic_ns() + kAttachTimeoutNs;
  while (progress.attached.load() < kArenas * kPlayersPerArena) {
    if (auto alive = check_load(load); !alive) return alive;
    if (monotonic_ns() > deadline_ns) {
      return make_error(ErrorCode::timeout, fmt::format("only {} players have come in", progress.attached.load()));
    }
    sleep_ms(10);
  }
  return {};
}

// ---- what the workers say ------------------------------------------------------------------------

struct Observer {
  std::unique_ptr<Attachment> attachment;
  std::unique_ptr<WorkerProbe> probe;
};

Result<std::vector<Observer>> observe(Client& client) {
  std::vector<Observer> observers;
  for (uint64_t i = 0; i < kArenas; ++i) {
    auto attachment = client.attach({.arena = arena_name(i), .player = "observer", .observer = true});
    if (!attachment) return attachment.error();
    auto probe = std::make_unique<WorkerProbe>(**attachment);
    if (!probe->attached()) return make_error(ErrorCode::failed, arena_name(i) + " does not run");
    observers.push_back({std::move(*attachment), std::move(probe)});
  }
  return observers;
}

struct Reading {
  Epoch epoch;
  uint64_t frames = 0;
  uint64_t events = 0;
  std::array<uint64_t, kHistogramBuckets> lateness_us{};
};

Reading read(const WorkerProbe& probe) {
  const WorkerStatus& status = probe.status();
  Reading reading;
  reading.epoch = probe.epoch();
  reading.frames = status.frames.load(std::memory_order_relaxed);
  reading.events = status.events_applied.load(std::memory_order_relaxed);
  for (size_t i = 0; i < kHistogramBuckets; ++i) reading.lateness_us[i] = status.lateness_us[i].load(std::memory_order_relaxed);
  return reading;
}

std::vector<Reading> read_all(std::vector<Observer>& observers) {
  std::vector<Reading> readings;
  for (Observer& observer : observers) {
    // Takes in what has come, such as a new incarnation; what the outputs say is nothing to us.
    while (observer.attachment->receive() == Incoming::output) {
    }
    readings.push_back(read(*observer.probe));
  }
  return readings;
}

// All arenas together, from one reading to the next.
struct Interval {
  double seconds = 0;
  uint64_t running = 0;
  uint64_t frames = 0;
  uint64_t events = 0;
  std::array<uint64_t, kHistogramBuckets> lateness_us{};
};

bool runs(const Reading& before, const Reading& after, double seconds) {
  if (before.epoch != after.epoch) return false;
  const double ticks = seconds * kTicksPerSecond;
  const double inputs = seconds * kPlayersPerArena * kOrdersPerSecond;
  return static_cast<double>(after.frames - before.frames) >= kLeastShare * ticks &&
         static_cast<double>(after.events - before.events) >= kLeastShare * inputs;
}

Interval difference(const std::vector<Reading>& before, const std::vector<Reading>& after, double seconds) {
  Interval interval;
  interval.seconds = seconds;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i].epoch != after[i].epoch) continue;  // its counters began anew
    interval.running += runs(before[i], after[i], seconds) ? 1 : 0;
    interval.frames += after[i].frames - before[i].frames;
    interval.events += after[i].events - before[i].events;
    for (size_t b = 0; b < kHistogramBuckets; ++b)
      interval.lateness_us[b] += after[i].lateness_us[b] - before[i].lateness_us[b];
  }
  return interval;
}

Result<std::vector<double>> private_mib(const std::vector<Observer>& observers) {
  std::vector<double> samples;
  for (size_t i = 0; i < kMemorySamples; ++i) {
    auto bytes = private_bytes(observers[i * observers.size() / kMemorySamples].probe->pid());
    if (!bytes) return bytes.error();
    samples.push_back(static_cast<double>(*bytes) / (1024 * 1024));
  }
  return samples;
}

double milliseconds(const Interval& interval, double fraction) {
  return static_cast<double>(histogram_quantile(interval.lateness_us, fraction)) / 1000;
}

Figures figures_of(const Interval& interval, const std::vector<double>& private_mib) {
  return {{"arenas.running", static_cast<double>(interval.running),
           fmt::format("with {} players each; together {:.0f} ticks/s and {:.0f} inputs/s", kPlayersPerArena,
                       static_cast<double>(interval.frames) / interval.seconds,
                       static_cast<double>(interval.events) / interval.seconds)},
          {"arenas.late_p99_ms", milliseconds(interval, 0.99),
           fmt::format("p50 {:.2f} ms, p99.9 {:.2f} ms", milliseconds(interval, 0.5), milliseconds(interval, 0.999))},
          {"arena.private_mib", median(private_mib),
           fmt::format("median of {} workers, most {:.2f}", private_mib.size(), quantile(private_mib, 1))}};
}

}  // namespace

Result<Figures> measure_many_arenas(const Conditions& conditions) {
  const auto measured_ms = static_cast<uint64_t>(std::max(2.0, kSeconds * conditions.scale) * 1000);
  auto daemon = Daemon::start(conditions.folder, kOptions);
  if (!daemon) return daemon.error();
  auto control = daemon->connect();
  if (!control) return control.error();
  for (uint64_t i = 0; i < kArenas; ++i) {
    if (auto started = start_arena(*control, "tanks", arena_name(i), {{"seconds", "3600"}}); !started) return started.error();
  }
  auto progress = Shared<LoadProgress>::make();
  if (!progress) return progress.error();
  auto load = start_load(*daemon, **progress);
  if (!load) return load.error();
  if (auto attached = wait_until_attached(*load, **progress); !attached) return attached.error();
  auto client = Client::connect(daemon->socket());
  if (!client) return client.error();
  auto observers = observe(**client);
  if (!observers) return observers.error();

  sleep_ms(kWarmUpMs);
  const auto before = read_all(*observers);
  const uint64_t began_ns = monotonic_ns();
  sleep_ms(measured_ms);
  const auto after = read_all(*observers);
  const double seconds = static_cast<double>(monotonic_ns() - began_ns) / 1e9;
  if (auto alive = check_load(*load); !alive) return alive.error();
  const Interval interval = difference(before, after, seconds);
  if (interval.frames == 0) return make_error(ErrorCode::failed, "no arena ticks");
  auto memory = private_mib(*observers);
  if (!memory) return memory.error();
  load->clear();
  observers->clear();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return figures_of(interval, *memory);
}

}  // namespace arenad::bench
