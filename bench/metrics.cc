// What metrics cost: how much less an arena that works as fast as it can gets done while arenad, with as many arenas as have series of their
// own, is scraped once a second; what a scrape takes of the processors; and what counting takes of the shortest frame that there is.
//
// Times with scrapes and times without alternate, so that whatever else goes on on the machine falls on both; and there are more than three
// scrapes in a second, so that what they take stands out of that, and is divided by their number in the end.
#include <atomic>
#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/alternation.h"
#include "bench/benchmark.h"
#include "bench/peer.h"
#include "bench/quantile.h"
#include "bench/shared.h"
#include "ipc/clock.h"
#include "ipc/socket.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kArenas = 200;  // metrics.max_arenas_with_series
constexpr uint64_t kChannelBytes = 4 * 1024 * 1024;
constexpr uint64_t kPairs = 60;
constexpr double kHalfSeconds = 0.6;
constexpr uint64_t kScrapeIntervalNs = 300 * kMillisecond;  // beyond what one text is served for (supervisor/metrics.h)
constexpr double kScrapesPerSecond = static_cast<double>(kSecond) / static_cast<double>(kScrapeIntervalNs);
constexpr uint64_t kCounted = 20'000'000;

const Daemon::Options kOptions{.name = "metrics", .settings = "", .game_settings = "spares = 0"};

struct Scraping {
  std::atomic<uint32_t> wanted;
  std::atomic<uint32_t> stop;
  std::atomic<uint64_t> scrapes;
  std::atomic<uint64_t> bytes;
  std::atomic<uint64_t> took_ns;
};

void sleep_ns(uint64_t ns) {
  const timespec time{static_cast<time_t>(ns / kSecond), static_cast<long>(ns % kSecond)};
  ::nanosleep(&time, nullptr);
}

Result<uint64_t> scrape(const std::string& socket) {
  auto connection = connect_unix(socket);
  if (!connection) return connection.error();
  constexpr std::string_view kRequest = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";
  if (::send(connection->get(), kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0)
    return errno_error("cannot ask for metrics");
  uint64_t bytes = 0;
  static char buffer[256 * 1024];
  for (;;) {
    const ssize_t got = ::read(connection->get(), buffer, sizeof buffer);
    if (got < 0) return errno_error("cannot read metrics");
    if (got == 0) break;
    if (bytes == 0 && !std::string_view(buffer, static_cast<size_t>(got)).starts_with("HTTP/1.1 200 ")) {
      return make_error(ErrorCode::failed, "arenad does not give its metrics");
    }
    bytes += static_cast<uint64_t>(got);
  }
  return bytes;
}

Result<void> scrape_when_wanted(const std::string& socket, Scraping& scraping) {
  uint64_t next_ns = 0;
  while (scraping.stop.load() == 0) {
    if (scraping.wanted.load() != 0 && monotonic_ns() >= next_ns) {
      const uint64_t began_ns = monotonic_ns();
      next_ns = began_ns + kScrapeIntervalNs;
      auto bytes = scrape(socket);
      if (!bytes) return bytes.error();
      scraping.took_ns.fetch_add(monotonic_ns() - began_ns);
      scraping.bytes.store(*bytes);
      scraping.scrapes.fetch_add(1);
    }
    sleep_ns(5 * kMillisecond);
  }
  return {};
}

// What a worker does for metrics in each frame of a game without ticks, which alone can run more than 128 a second (worker/worker_role.cc).
double counting_ns() {
  static WorkerStatus status{};
  const uint64_t began_ns = monotonic_ns();
  for (uint64_t i = 0; i < kCounted; ++i) {
    const uint64_t took_ns = (i * 2'654'435'761) & 0xFFFFFF;  // all that happens, in no order
    auto& bucket = status.frame_time[time_bucket(took_ns)];
    bucket.store(bucket.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  return static_cast<double>(monotonic_ns() - began_ns) / static_cast<double>(kCounted);
}

// Of a whole process; in the kernel's ticks.
Result<uint64_t> processor_ticks(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string text((std::istreambuf_iterator<char>(file)), {});
  std::istringstream fields(text.substr(std::min(text.size(), text.rfind(')') + 1)));
  std::string skipped;
  for (int i = 3; i < 14; ++i) fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  if (!(fields >> user >> system)) return make_error(ErrorCode::failed, "arenad's processor time cannot be read");
  return user + system;
}

Result<pid_t> process_at(const std::string& socket) {
  auto connection = connect_unix(socket);
  if (!connection) return connection.error();
  auto peer = peer_of(*connection);
  if (!peer) return peer.error();
  return peer->pid;
}

}  // namespace

Result<Figures> measure_metrics(const Conditions& conditions) {
  auto daemon = Daemon::start(conditions.folder, kOptions);
  if (!daemon) return daemon.error();
  auto control = daemon->connect();
  if (!control) return control.error();
  for (uint64_t i = 1; i < kArenas; ++i) {
    if (auto started = start_arena(*control, "bench", fmt::format("idle-{}", i), {}); !started) return started.error();
  }
  auto scraping = Shared<Scraping>::make();
  if (!scraping) return scraping.error();
  const std::string socket = daemon->socket().substr(0, daemon->socket().rfind('/')) + "/metrics.sock";
  auto scraper = Peer::start([&] { return scrape_when_wanted(socket, **scraping); });
  if (!scraper) return scraper.error();
  auto player = BenchPlayer::join(*daemon, kChannelBytes);
  if (!player) return player.error();

  auto arenad = process_at(socket);
  if (!arenad) return arenad.error();
  const WorkerStatus& status = (*player)->worker().status();
  const uint64_t frames_before = status.frames.load();
  const uint64_t began_ns = monotonic_ns();
  const double seconds = std::max(0.3, kHalfSeconds * conditions.scale);
  // Of arenad, without and with scrapes: since the beginning of the time that is running.
  uint64_t ticks[2] = {};
  uint64_t ticks_at_turn = 0;
  bool scrapes_now = false;
  const auto count_ticks = [&]() -> Result<void> {
    auto now = processor_ticks(*arenad);
    if (!now) return now.error();
    if (ticks_at_turn != 0) ticks[scrapes_now ? 1 : 0] += *now - ticks_at_turn;
    ticks_at_turn = *now;
    return {};
  };
  auto measured = alternate(**player, kPairs, seconds, [&](bool on) {
    (*scraping)->wanted.store(on ? 1 : 0);
    auto counted = count_ticks();
    scrapes_now = on;
    return counted;
  });
  if (!measured) return measured.error();
  if (auto counted = count_ticks(); !counted) return counted.error();
  const double frame_ns = static_cast<double>(monotonic_ns() - began_ns) /
                          static_cast<double>(std::max<uint64_t>(status.frames.load() - frames_before, 1));
  (*scraping)->stop.store(1);
  if (auto ended = scraper->finish(20'000); !ended) return ended.error();
  const uint64_t scrapes = (*scraping)->scrapes.load();
  if (scrapes == 0) return make_error(ErrorCode::failed, "nothing was scraped");
  player->reset();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();

  const double counting = counting_ns();
  const double per_scrape = 1.0 / static_cast<double>(scrapes);
  const double cpu_ms =
      (static_cast<double>(ticks[1]) - static_cast<double>(ticks[0])) * 1000 / static_cast<double>(::sysconf(_SC_CLK_TCK));
  const double machine_ms = 1000.0 * static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN));  // in a second
  return Figures{
      {"metrics.scrape_cost_percent", measured->cost_percent() / kScrapesPerSecond,
       fmt::format("of {:.2g} events/s, for one scrape a second; the middle half of {} pairs from {:.1f} to {:.1f}",
                   median(measured->without), measured->ratios.size(), measured->cost_percent_low() / kScrapesPerSecond,
                   measured->cost_percent_high() / kScrapesPerSecond)},
      {"metrics.scrape_cpu_percent", cpu_ms * per_scrape / machine_ms * 100,
       fmt::format("of all processors, once a second: {:.1f} ms of arenad for each of {} scrapes of {} arenas, {} KiB; {:.1f} "
                   "ms until the "
                   "answer",
                   cpu_ms * per_scrape, scrapes, kArenas, (*scraping)->bytes.load() / 1024,
                   static_cast<double>((*scraping)->took_ns.load()) * per_scrape / 1e6)},
      {"metrics.frame_cost_percent", counting / frame_ns * 100,
       fmt::format("{:.2f} ns for each frame; one every {:.1f} us, as fast as they can be", counting, frame_ns / 1000)}};
}

}  // namespace arenad::bench
