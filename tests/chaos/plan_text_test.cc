// Single runs as words of a command line, there and back.
#include "chaos/sweep/plan_text.h"

#include <doctest/doctest.h>

#include "chaos/sweep/call_course.h"

using namespace arenad;
using namespace arenad::sweep;

TEST_CASE("every call of every process in every way is read as it is written") {
  for (const CallRole role : kCallRoles) {
    for (size_t call = 0; call < kIoCalls.size(); ++call) {
      for (const CallWay& way : ways_of(kIoCalls[call])) {
        const CallTrap trap{role, call, 7, way};
        CAPTURE(trap_text(trap));
        Plan plan;
        REQUIRE(add_trap(plan, trap_text(trap), CrashAction::kill).ok());
        REQUIRE(plan.calls.size() == 1);
        CHECK(plan.calls[0].role == role);
        CHECK(plan.calls[0].call == call);
        CHECK(plan.calls[0].hit == 7);
        CHECK(plan.calls[0].way == way);
      }
    }
  }
}

TEST_CASE("every crash point is one, and no call") {
  for (size_t point = 0; point < kCrashPoints.size(); ++point) {
    Plan plan;
    REQUIRE(add_trap(plan, trap_text(Trap{point, 3}), CrashAction::abort).ok());
    REQUIRE(plan.calls.empty());
    CHECK(plan.traps.at(0).point == point);
    CHECK(plan.traps.at(0).hit == 3);
    CHECK(plan.traps.at(0).action == CrashAction::abort);
  }
}

TEST_CASE("without a hit it is the first, without a way a death") {
  Plan plan;
  REQUIRE(add_trap(plan, "arenad.openat", CrashAction::kill).ok());
  CHECK(trap_text(plan.calls.at(0)) == "arenad.openat#1=kill");
}

TEST_CASE("what is neither is refused") {
  for (const char* text :
       {"", "#1", "arenad", "openat#1=kill", "arenad.openat#0", "arenad.openat#x", "arenad.openat#1=", "arenad.openat#1=EBADF",
        "arenad.openat#1=kill+", "arenad.open#1", "frame.recorded#1=kill", "frame.recorded#"}) {
    CAPTURE(text);
    Plan plan;
    CHECK(!add_trap(plan, text, CrashAction::kill).ok());
    CHECK(plan.calls.empty());
    CHECK(plan.traps.empty());
  }
}

TEST_CASE("a command says all of a plan") {
  Plan plan{Scenario::adoption, Pace::ticking, {}, {}};
  REQUIRE(add_trap(plan, "arenad.pwrite64#3=EIO+", CrashAction::kill).ok());
  REQUIRE(add_trap(plan, "worker.mmap#2=kill", CrashAction::kill).ok());
  CHECK(command_for(plan) ==
        "arena-chaos sweep --scenario adoption --pace ticking --at arenad.pwrite64#3=EIO+ --at worker.mmap#2=kill");
}
