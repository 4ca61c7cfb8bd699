// When a process began, as the kernel tells it.
#include "supervisor/process_start.h"

#include <doctest/doctest.h>

#include "tests/support/child.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr uint64_t kTickNs = 10'000'000;

}  // namespace

TEST_CASE("the start of a process lies between two looks at the clock") {
  const uint64_t before_ns = boot_ns();
  Child child([] {
    ::pause();
    return kChildFine;
  });
  const uint64_t after_ns = boot_ns();
  const auto began_ns = process_start_ns(child.pid());
  REQUIRE(began_ns);
  CHECK(*began_ns + kTickNs >= before_ns);
  CHECK(*began_ns <= after_ns);
  CHECK(*process_start_ns(::getpid()) <= before_ns);
}

TEST_CASE("a process that ends, before or while it is looked at, has no start") {
  for (int round = 0; round < 300; ++round) {
    Child child([] { return kChildFine; });
    while (!child.ended()) (void)process_start_ns(child.pid());
    const pid_t pid = child.pid();
    (void)child.wait();
    CHECK_FALSE(process_start_ns(pid));
  }
  CHECK_FALSE(process_start_ns(0));
}
