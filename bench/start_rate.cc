// How many tanks arenas can be started a second, for ten seconds, by a few callers that each wait for an answer before they ask again.
// An answer comes when the arena runs and the database has it.
#include <atomic>
#include <deque>
#include <fmt/format.h>
#include <vector>

#include "bench/benchmark.h"
#include "bench/daemon.h"
#include "bench/peer.h"
#include "bench/shared.h"
#include "bench/sleep.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr uint32_t kCallers = 4;
constexpr uint64_t kMostRunning = 2000;  // beyond it, a caller stops its oldest arena before it starts another
constexpr double kSeconds = 10;

const Daemon::Options kOptions{.name = "start", .settings = "[arenas]\nkeep_finished = 0\n", .game_settings = "spares = 0"};

struct Progress {
  std::atomic<uint64_t> begin_ns;  // not 0: go
  std::atomic<uint64_t> end_ns;
  std::atomic<uint64_t> started;
  std::atomic<uint64_t> stopped;
  std::atomic<uint32_t> ready;
};

Result<void> call_again_and_again(const Daemon& daemon, uint32_t caller, Progress& progress) {
  auto control = daemon.connect();
  if (!control) return control.error();
  std::deque<std::string> running;
  progress.ready.fetch_add(1);
  while (progress.begin_ns.load(std::memory_order_acquire) == 0) sleep_ms(1);
  const uint64_t end_ns = progress.end_ns.load(std::memory_order_relaxed);
  for (uint64_t number = 0; monotonic_ns() < end_ns; ++number) {
    if (running.size() >= kMostRunning / kCallers) {
      if (auto stopped = stop_arena(*control, running.front()); !stopped) return stopped;
      running.pop_front();
      progress.stopped.fetch_add(1);
    }
    running.push_back(fmt::format("tanks-{}-{}", caller, number));
    if (auto started = start_arena(*control, "tanks", running.back(), {{"seconds", "3600"}}); !started) return started;
    if (monotonic_ns() < end_ns) progress.started.fetch_add(1);
  }
  return {};
}

}  // namespace

Result<Figures> measure_start_rate(const Conditions& conditions) {
  const double seconds = std::max(1.0, kSeconds * conditions.scale);
  auto daemon = Daemon::start(conditions.folder, kOptions);
  if (!daemon) return daemon.error();
  auto progress = Shared<Progress>::make();
  if (!progress) return progress.error();
  std::vector<Peer> callers;
  for (uint32_t i = 0; i < kCallers; ++i) {
    auto caller = Peer::start([&] { return call_again_and_again(*daemon, i, **progress); });
    if (!caller) return caller.error();
    callers.push_back(std::move(*caller));
  }
  // The template has loaded the module when this one runs.
  auto control = daemon->connect();
  if (!control) return control.error();
  if (auto first = start_arena(*control, "tanks", "first", {{"seconds", "3600"}}); !first) return first.error();
  while ((*progress)->ready.load() < kCallers) {
    for (Peer& caller : callers) {
      if (caller.has_failed()) return make_error(ErrorCode::failed, "a caller has ended early");
    }
    sleep_ms(1);
  }
  const uint64_t now = monotonic_ns();
  (*progress)->end_ns.store(now + static_cast<uint64_t>(seconds * 1e9), std::memory_order_relaxed);
  (*progress)->begin_ns.store(now, std::memory_order_release);
  for (Peer& caller : callers) {
    if (auto finished = caller.finish(static_cast<uint64_t>(seconds * 1000) + 60'000); !finished) return finished.error();
  }
  const uint64_t started = (*progress)->started.load();
  const uint64_t stopped = (*progress)->stopped.load();
  auto running = running_arenas(*control);
  if (!running) return running.error();
  // Each caller may have started one more when the time was over.
  if (*running + stopped < started + 1) {
    return make_error(ErrorCode::failed,
                      fmt::format("{} arenas were started and {} stopped, but {} run", started + 1, stopped, *running));
  }
  if (auto ended = daemon->stop(); !ended) return ended.error();
  return Figures{{"arenas.started_per_s", static_cast<double>(started) / seconds,
                  fmt::format("{} in {:.0f} s, {} of them run at the end", started, seconds, *running)}};
}

}  // namespace arenad::bench
