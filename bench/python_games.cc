// What a game in Python costs: tanks_py as many_arenas.cc plays tanks; a start; reading an event; and a call that takes long, in one arena among others.
#include <algorithm>
#include <fmt/format.h>
#include <sstream>

#include "bench/bench_player.h"
#include "bench/benchmark.h"
#include "bench/crowd.h"
#include "bench/load_process.h"
#include "bench/quantile.h"
#include "bench/script.h"
#include "bench/sleep.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kArenas = 60;
constexpr uint64_t kStarts = 200;
constexpr uint64_t kNeighbours = 20;
constexpr uint64_t kHeavyCalls = 10;
constexpr uint64_t kBetweenCallsMs = 500;

// A start as a backend sees it: until the first player's first event has been applied, in the first frame.
Result<double> start_once(const Daemon& daemon, ControlClient& control, const std::string& name) {
  auto client = Client::connect(daemon.socket());
  if (!client) return client.error();
  const uint64_t asked_ns = monotonic_ns();
  if (auto started = start_arena(control, "bench", name, {}); !started) return started.error();
  auto arena = (*client)->attach({.arena = name, .player = "ann"});
  if (!arena) return arena.error();
  const WorkerProbe probe(**arena);
  if (!probe.attached()) return make_error(ErrorCode::failed, name + " does not run");
  const uint64_t deadline_ns = asked_ns + 20 * kSecond;
  uint64_t first_ns = 0;
  // Its join makes the first frame.
  while ((first_ns = probe.status().first_frame_published_ns.load(std::memory_order_acquire)) == 0) {
    if (monotonic_ns() > deadline_ns) return make_error(ErrorCode::timeout, name + " has run no frame");
    (*arena)->wait(1);
    (*arena)->receive();
  }
  arena->reset();
  if (auto stopped = stop_arena(control, name); !stopped) return stopped.error();
  return static_cast<double>(first_ns - asked_ns) / 1e6;
}

struct Neighbour {
  std::unique_ptr<Attachment> attachment;
  std::unique_ptr<WorkerProbe> probe;
  uint64_t late_before = 0;
};

}  // namespace

Result<Figures> measure_python_arenas(const Conditions& conditions) {
  auto facts =
      play_crowd(conditions, {.daemon = {.name = "python", .settings = "", .game_settings = "", .tanks_module = "tanks_py"},
                              .arenas = kArenas,
                              .load_processes = 2,
                              .seconds = 60});
  if (!facts) return facts.error();
  return Figures{
      {"python.arenas", static_cast<double>(facts->running),
       fmt::format("with {} players each; together {:.0f} ticks/s and {:.0f} inputs/s", kPlayersPerArena,
                   static_cast<double>(facts->frames) / facts->seconds, static_cast<double>(facts->events) / facts->seconds)},
      {"python.late_p99_ms", late_ms(*facts, 0.99),
       fmt::format("p50 {:.2f} ms, p99.9 {:.2f} ms", late_ms(*facts, 0.5), late_ms(*facts, 0.999))},
      {"python.shared_percent", median(facts->shared_percent),
       fmt::format("after {:.0f} s; least {:.1f}; of those that are of no file {:.1f}", facts->seconds,
                   quantile(facts->shared_percent, 0), median(facts->shared_anonymous_percent))},
      {"python.private_mib", median(facts->private_mib),
       fmt::format("median of {} workers, most {:.2f}", facts->private_mib.size(), quantile(facts->private_mib, 1))}};
}

Result<Figures> measure_python_start(const Conditions& conditions) {
  const auto starts = std::max<uint64_t>(10, static_cast<uint64_t>(kStarts * conditions.scale));
  auto daemon = Daemon::start(conditions.folder,
                              {.name = "python-start", .settings = "", .game_settings = "", .bench_module = "bench_py"});
  if (!daemon) return daemon.error();
  auto control = daemon->connect();
  if (!control) return control.error();
  // The template is warm after this one.
  if (auto first = start_once(*daemon, *control, "first"); !first) return first.error();
  std::vector<double> took_ms;
  for (uint64_t i = 0; i < starts; ++i) {
    auto took = start_once(*daemon, *control, fmt::format("bench-{}", i));
    if (!took) return took.error();
    took_ms.push_back(*took);
    sleep_ms(50);  // a spare is made again meanwhile, as between two starts a second of one game
  }
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return Figures{{"python.start_p99_ms", quantile(took_ms, 0.99),
                  fmt::format("{} starts, p50 {:.2f}, most {:.2f} ms", starts, median(took_ms), quantile(took_ms, 1))}};
}

Result<Figures> measure_python_reading(const Conditions&) {
  auto said = run_script("reading.py", {});
  if (!said) return said.error();
  double speed = 0;
  double size = 0;
  double typed_ns = 0;
  double pickled_ns = 0;
  uint64_t typed_bytes = 0;
  uint64_t pickled_bytes = 0;
  if (std::istringstream words(*said); !(words >> speed >> size >> typed_ns >> pickled_ns >> typed_bytes >> pickled_bytes))
    return make_error(ErrorCode::failed, "a script has printed no figures: " + *said);
  return Figures{{"python.read_ratio_to_pickle", speed, fmt::format("{:.0f} ns, pickle {:.0f} ns", typed_ns, pickled_ns)},
                 {"python.bytes_ratio_to_pickle", size, fmt::format("{} bytes, pickle {} bytes", typed_bytes, pickled_bytes)}};
}

// Late are frames that begin more than a tick late, as arenactl counts them.
Result<Figures> measure_python_heavy_call(const Conditions& conditions) {
  auto daemon = Daemon::start(conditions.folder, {.name = "python-heavy",
                                                  .settings = "[hang]\nsoft_limit_ms = 0\nhard_limit_ms = 60000\n",
                                                  .game_settings = "",
                                                  .tanks_module = "tanks_py",
                                                  .bench_module = "bench_py"});
  if (!daemon) return daemon.error();
  auto control = daemon->connect();
  if (!control) return control.error();
  auto client = Client::connect(daemon->socket());
  if (!client) return client.error();
  std::vector<Neighbour> neighbours;
  for (uint64_t i = 0; i < kNeighbours; ++i) {
    const std::string name = fmt::format("tanks-{}", i);
    if (auto started = start_arena(*control, "tanks", name, {{"seconds", "3600"}}); !started) return started.error();
    auto attachment = (*client)->attach({.arena = name, .player = "observer", .observer = true});
    if (!attachment) return attachment.error();
    auto probe = std::make_unique<WorkerProbe>(**attachment);
    neighbours.push_back({std::move(*attachment), std::move(probe)});
  }
  auto player = BenchPlayer::join(*daemon, 512 * 1024);
  if (!player) return player.error();
  sleep_ms(1000);
  for (Neighbour& one : neighbours) one.late_before = one.probe->status().frames_late.load();
  std::vector<double> calls_ms;
  for (uint64_t i = 0; i < kHeavyCalls; ++i) {
    const uint64_t began_ns = monotonic_ns();
    if (auto said = (*player)->say("heavy"); !said) return said.error();
    // Sleeps: a core that waits in a loop would be taken from the neighbours.
    const WorkerStatus& status = (*player)->worker().status();
    for (const uint64_t frames = status.frames.load(); status.frames.load() == frames;) {
      if (monotonic_ns() > began_ns + 20 * kSecond) return make_error(ErrorCode::timeout, "a heavy call does not end");
      sleep_ms(1);
    }
    calls_ms.push_back(static_cast<double>(monotonic_ns() - began_ns) / 1e6);
    sleep_ms(kBetweenCallsMs);
  }
  uint64_t late = 0;
  uint64_t frames = 0;
  for (const Neighbour& one : neighbours) {
    late += one.probe->status().frames_late.load() - one.late_before;
    frames += one.probe->status().frames.load();
  }
  neighbours.clear();
  player->reset();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return Figures{{"python.heavy_call_late_frames", static_cast<double>(late),
                  fmt::format("of {} frames of {} arenas, during {} calls of {:.0f} ms", frames, kNeighbours, kHeavyCalls,
                              median(calls_ms))}};
}

}  // namespace arenad::bench
