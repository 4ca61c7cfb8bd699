#include "bench/crowd.h"

#include <array>
#include <fmt/format.h>
#include <memory>

#include "bench/load_process.h"
#include "bench/peer.h"
#include "bench/private_memory.h"
#include "bench/quantile.h"
#include "bench/shared.h"
#include "bench/sleep.h"
#include "bench/worker_probe.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kTicksPerSecond = 20;
constexpr uint64_t kChannelBytes = 32 * 1024;
constexpr uint64_t kAttachTimeoutNs = 300 * kSecond;
constexpr uint64_t kWarmUpMs = 5000;
constexpr size_t kMemorySamples = 31;
// An arena runs if it makes at least this share of its ticks, and takes at least this share of its players' inputs.
constexpr double kLeastShare = 0.95;

std::string arena_name(uint64_t number) {
  return fmt::format("tanks-{}", number);
}

// ---- the load ------------------------------------------------------------------------------------

Result<std::vector<Peer>> start_load(const Daemon& daemon, const CrowdOptions& crowd, LoadProgress& progress) {
  std::vector<Peer> load;
  for (uint64_t process = 0; process < crowd.load_processes; ++process) {
    LoadOptions options{.socket = daemon.socket(), .arenas = {}, .channel_bytes = kChannelBytes, .seed = process + 1};
    for (uint64_t arena = process; arena < crowd.arenas; arena += crowd.load_processes)
      options.arenas.push_back(arena_name(arena));
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

Result<void> wait_until_attached(std::vector<Peer>& load, uint64_t players, const LoadProgress& progress) {
  const uint64_t deadline_ns = monotonic_ns() + kAttachTimeoutNs;
  while (progress.attached.load() < players) {
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

Result<std::vector<Observer>> observe(Client& client, uint64_t arenas) {
  std::vector<Observer> observers;
  for (uint64_t i = 0; i < arenas; ++i) {
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

bool runs(const Reading& before, const Reading& after, double seconds) {
  if (before.epoch != after.epoch) return false;
  const double ticks = seconds * kTicksPerSecond;
  const double inputs = seconds * kPlayersPerArena * kOrdersPerSecond;
  return static_cast<double>(after.frames - before.frames) >= kLeastShare * ticks &&
         static_cast<double>(after.events - before.events) >= kLeastShare * inputs;
}

CrowdFacts difference(const std::vector<Reading>& before, const std::vector<Reading>& after, double seconds) {
  CrowdFacts facts;
  facts.seconds = seconds;
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i].epoch != after[i].epoch) continue;  // its counters began anew
    facts.running += runs(before[i], after[i], seconds) ? 1 : 0;
    facts.frames += after[i].frames - before[i].frames;
    facts.events += after[i].events - before[i].events;
    for (size_t b = 0; b < kHistogramBuckets; ++b) facts.lateness_us[b] += after[i].lateness_us[b] - before[i].lateness_us[b];
  }
  return facts;
}

// Of workers all over the crowd.
Result<void> look_at_memory(const std::vector<Observer>& observers, CrowdFacts& facts) {
  for (size_t i = 0; i < kMemorySamples; ++i) {
    const pid_t worker = observers[i * observers.size() / kMemorySamples].probe->pid();
    auto bytes = private_bytes(worker);
    if (!bytes) return bytes.error();
    facts.private_mib.push_back(static_cast<double>(*bytes) / (1024 * 1024));
    auto shared = still_shared(template_of(worker), worker);
    if (!shared) return shared.error();
    const auto percent = [](uint64_t part, uint64_t whole) {
      return 100 * static_cast<double>(part) / static_cast<double>(whole);
    };
    facts.shared_percent.push_back(
        percent(shared->shared_of_files + shared->shared_anonymous, shared->of_files + shared->anonymous));
    facts.shared_anonymous_percent.push_back(percent(shared->shared_anonymous, shared->anonymous));
  }
  return {};
}

}  // namespace

double late_ms(const CrowdFacts& facts, double fraction) {
  return static_cast<double>(histogram_quantile(facts.lateness_us, fraction)) / 1000;
}

Result<CrowdFacts> play_crowd(const Conditions& conditions, const CrowdOptions& options) {
  const auto measured_ms = static_cast<uint64_t>(std::max(2.0, options.seconds * conditions.scale) * 1000);
  auto daemon = Daemon::start(conditions.folder, options.daemon);
  if (!daemon) return daemon.error();
  auto control = daemon->connect();
  if (!control) return control.error();
  for (uint64_t i = 0; i < options.arenas; ++i) {
    if (auto started = start_arena(*control, "tanks", arena_name(i), {{"seconds", "3600"}}); !started) return started.error();
  }
  auto progress = Shared<LoadProgress>::make();
  if (!progress) return progress.error();
  auto load = start_load(*daemon, options, **progress);
  if (!load) return load.error();
  if (auto attached = wait_until_attached(*load, options.arenas * kPlayersPerArena, **progress); !attached)
    return attached.error();
  auto client = Client::connect(daemon->socket());
  if (!client) return client.error();
  auto observers = observe(**client, options.arenas);
  if (!observers) return observers.error();

  sleep_ms(kWarmUpMs);
  const auto before = read_all(*observers);
  const uint64_t began_ns = monotonic_ns();
  sleep_ms(measured_ms);
  const auto after = read_all(*observers);
  const double seconds = static_cast<double>(monotonic_ns() - began_ns) / 1e9;
  if (auto alive = check_load(*load); !alive) return alive.error();
  CrowdFacts facts = difference(before, after, seconds);
  if (facts.frames == 0) return make_error(ErrorCode::failed, "no arena ticks");
  if (auto looked = look_at_memory(*observers, facts); !looked) return looked.error();
  load->clear();
  observers->clear();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return facts;
}

}  // namespace arenad::bench
