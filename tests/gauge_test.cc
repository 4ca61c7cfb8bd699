// When arenad's growth is measured from, and that it is a slope.
#include "chaos/gauge.h"

#include <unistd.h>

#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "ipc/limits.h"

namespace {

using namespace arenad;
using namespace arenad::chaos;

constexpr uint64_t kLast = 10'000;
constexpr uint64_t kEnough = 2 * limits::kMaxDeathsOfArena;
constexpr uint64_t kLongRest = 60 * kSecond;

enum class Up { all, not_all };

bool look(Gauge& gauge, uint64_t now_ns, const Gauge::Kills& kills, Up up = Up::all) {
  return gauge.look(now_ns, kills, up == Up::all);
}

}  // namespace

TEST_CASE("slope: by least squares") {
  CHECK(slope({}) == 0);
  CHECK(slope({{5, 7}}) == 0);
  CHECK(slope({{5, 7}, {5, 9}}) == 0);
  CHECK(slope({{0, 1}, {10, 21}}) == doctest::Approx(2));
  // Worked out by hand: means 2 and 2, covariance 5, variance 10.
  CHECK(slope({{0, 1}, {1, 2}, {2, 1}, {3, 3}, {4, 3}}) == doctest::Approx(0.5));
}

TEST_CASE("gauge: it is warm when the arena that was spared most has died often enough") {
  Gauge gauge(::getpid(), kLast);
  CHECK_FALSE(look(gauge, 1, {3000, kEnough - 1}));
  CHECK(look(gauge, 1, {3001, kEnough}));
  CHECK(gauge.warm_up() == 3001);
}

TEST_CASE("gauge: a short run is measured in its second half") {
  Gauge gauge(::getpid(), 100);
  CHECK_FALSE(look(gauge, 1, {49, 3}));
  CHECK(look(gauge, 1, {50, 3}));
}

TEST_CASE("gauge: nothing is killed while descriptors are counted, and that begins when all arenas are up") {
  Gauge gauge(::getpid(), kLast);
  const Gauge::Kills warm{3000, kEnough};
  REQUIRE(look(gauge, 1, warm));
  CHECK(look(gauge, 2, warm, Up::not_all));
  CHECK(look(gauge, 2 + kLongRest, warm, Up::not_all));
  CHECK(look(gauge, 3 + kLongRest, warm));
  CHECK(look(gauge, 4 + kLongRest, warm));
  CHECK_FALSE(look(gauge, 3 + 2 * kLongRest, warm));
  CHECK(gauge.samples() == 0);

  CHECK_FALSE(look(gauge, 4 + 2 * kLongRest, {3001, kEnough}));
  CHECK_FALSE(look(gauge, 5 + 2 * kLongRest, {3002, kEnough}));
  CHECK(gauge.samples() == 1);
  CHECK(gauge.last_rss_kib() > 0);
  CHECK(look(gauge, 6 + 2 * kLongRest, {kLast, kEnough}));
  CHECK(gauge.samples() == 2);
  CHECK_FALSE(gauge.done());
  CHECK(look(gauge, 7 + 2 * kLongRest, {kLast, kEnough}));
  (void)look(gauge, 7 + 3 * kLongRest, {kLast, kEnough});
  CHECK(gauge.done());
  CHECK(gauge.fds() > 0);
  CHECK(gauge.fd_growth() == 0);
}
