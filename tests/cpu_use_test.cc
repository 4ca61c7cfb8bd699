// How much of a core a worker takes, from readings of its processor time.
#include "supervisor/cpu_use.h"

#include <thread>
#include <unistd.h>

#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "ipc/process.h"

using namespace arenad;

TEST_CASE("processor use: of the time between two readings, a second apart") {
  constexpr uint64_t kSecond = CpuUse::kIntervalNs;
  CpuUse use;
  CHECK(use.is_due(1));
  use.read(kSecond, 5 * kSecond);
  CHECK_FALSE(use.share());  // nothing to compare with
  CHECK_FALSE(use.is_due(2 * kSecond - 1));
  CHECK(use.is_due(2 * kSecond));
  use.read(2 * kSecond, 5 * kSecond + kSecond / 4);
  CHECK(use.share() == doctest::Approx(0.25));
  use.read(4 * kSecond, 9 * kSecond + kSecond / 4);  // two threads
  CHECK(use.share() == doctest::Approx(2));
  use.read(5 * kSecond, 9 * kSecond + kSecond / 4);
  CHECK(use.share() == doctest::Approx(0));
  use.reset();
  CHECK_FALSE(use.share());
  CHECK(use.is_due(1));
}

TEST_CASE("processor time: of this process with its threads, and of none") {
  const auto before = cpu_time_ns(::getpid());
  REQUIRE(before);
  std::thread busy([before] {
    while (*cpu_time_ns(::getpid()) < *before + 20 * kMillisecond) {
    }
  });
  busy.join();
  CHECK(*cpu_time_ns(::getpid()) >= *before + 20 * kMillisecond);
  CHECK_FALSE(cpu_time_ns(0));
  CHECK_FALSE(cpu_time_ns(-1));
}
