// What log lines cost: how much less an arena that works as fast as it can gets done while its game logs as many lines a second as an arena
// may (logs.lines_per_s): from the game through the worker's output and arenad into arenad's log and the lines kept for arenactl logs.
//
// It logs many times as many, so that what they take stands out of whatever else goes on on the machine, and that is divided in the end.
#include <fmt/format.h>

#include "bench/alternation.h"
#include "bench/benchmark.h"
#include "bench/quantile.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kChannelBytes = 4 * 1024 * 1024;
constexpr uint64_t kPairs = 40;
constexpr double kHalfSeconds = 0.5;
constexpr uint64_t kLinesPerSecond = 100;  // the default of logs.lines_per_s
constexpr uint64_t kTimesAsMany = 20;
constexpr uint64_t kIntervalNs = kSecond / kLinesPerSecond / kTimesAsMany;
constexpr const char* kLine = "the tower at the northern ford has fallen, and with it the last of the bridges";

const Daemon::Options kOptions{
    .name = "logs", .settings = "[logs]\nlines_per_s = 10000\nburst = 10000\n", .game_settings = "spares = 0"};

}  // namespace

Result<Figures> measure_logs(const Conditions& conditions) {
  auto daemon = Daemon::start(conditions.folder, kOptions);
  if (!daemon) return daemon.error();
  auto player = BenchPlayer::join(*daemon, kChannelBytes);
  if (!player) return player.error();
  uint64_t said = 0;
  uint64_t next_ns = 0;
  const auto turn = [&](bool) -> Result<void> {
    next_ns = monotonic_ns();
    return {};
  };
  const auto meanwhile = [&](bool on) -> Result<void> {
    if (!on || monotonic_ns() < next_ns) return {};
    next_ns += kIntervalNs;
    ++said;
    return (*player)->say(kLine);
  };
  auto measured = alternate(**player, kPairs, std::max(0.2, kHalfSeconds * conditions.scale), turn, meanwhile);
  if (!measured) return measured.error();
  player->reset();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  const uint64_t logged = daemon->logged(kLine);
  if (logged != said) return make_error(ErrorCode::failed, fmt::format("of {} lines {} are in the log", said, logged));
  return Figures{
      {"logs.cost_percent", measured->cost_percent() / kTimesAsMany,
       fmt::format("of {:.2g} events/s, for {} lines a second. For {} times as many it was {:.1f}, the middle half of {} pairs "
                   "from {:.1f} to {:.1f}",
                   median(measured->without), kLinesPerSecond, kTimesAsMany, measured->cost_percent(), measured->ratios.size(),
                   measured->cost_percent_low(), measured->cost_percent_high())}};
}

}  // namespace arenad::bench
