#include "bench/alternation.h"

#include "bench/quantile.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kMostUnanswered = 1024;

// Events a second.
Result<double> rate(BenchPlayer& player, double seconds, const std::function<Result<void>()>& meanwhile) {
  const uint64_t began_ns = monotonic_ns();
  const auto end_ns = began_ns + static_cast<uint64_t>(seconds * 1e9);
  uint64_t pokes = 0;
  for (; monotonic_ns() < end_ns; ++pokes) {
    if (auto poked = player.poke(); !poked) return poked.error();
    if (pokes % 64 != 0) continue;
    if (auto done = meanwhile(); !done) return done.error();
    // Never so far ahead that answers are overwritten unread.
    do {
      if (auto taken = player.take_in(); !taken) return taken.error();
    } while (player.pokes_sent() - player.pokes_echoed() > kMostUnanswered);
  }
  if (auto applied = player.wait_until_applied(); !applied) return applied.error();
  return static_cast<double>(pokes) * 1e9 / static_cast<double>(monotonic_ns() - began_ns);
}

double cost(double ratio) {
  return (1 - ratio) * 100;
}

}  // namespace

double Alternation::cost_percent() const {
  return cost(median(ratios));
}
double Alternation::cost_percent_low() const {
  return cost(quantile(ratios, 0.75));
}
double Alternation::cost_percent_high() const {
  return cost(quantile(ratios, 0.25));
}

Result<Alternation> alternate(BenchPlayer& player, uint64_t pairs, double seconds,
                              const std::function<Result<void>(bool on)>& turn,
                              const std::function<Result<void>(bool on)>& meanwhile) {
  Alternation result;
  for (uint64_t pair = 0; pair < pairs; ++pair) {
    double rates[2] = {};
    // Which of both comes first changes, or what one leaves to the other would always fall on the same.
    for (const bool on : {pair % 2 != 0, pair % 2 == 0}) {
      if (auto turned = turn(on); !turned) return turned.error();
      auto measured = rate(player, seconds, [&] { return meanwhile ? meanwhile(on) : Result<void>{}; });
      if (!measured) return measured.error();
      rates[on ? 1 : 0] = *measured;
    }
    result.ratios.push_back(rates[1] / rates[0]);
    result.without.push_back(rates[0]);
  }
  return result;
}

}  // namespace arenad::bench
