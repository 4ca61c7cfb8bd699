// What took how long: the parts follow each other without a gap, whatever a worker has written.
#include "supervisor/recovery_times.h"

#include <doctest/doctest.h>

using namespace arenad;

namespace {

uint64_t sum_of(const RecoveryTimes& times) {
  return times.start_ns + times.parts->load_ns + times.parts->replay_ns;
}

}  // namespace

TEST_CASE("recovery times: the parts of a recovery") {
  const RecoveryTimes times = times_of({.heard_ns = 1000, .assigned_ns = 1500, .loaded_ns = 2100, .live_ns = 4000});
  CHECK(times.start_ns == 500);
  REQUIRE(times.parts);
  CHECK(times.parts->load_ns == 600);
  CHECK(times.parts->replay_ns == 1900);
  CHECK(times.total_ns == 3000);
}

TEST_CASE("recovery times: they are the whole, also where a part took no time") {
  for (const uint64_t assigned : {1000, 1001, 4000}) {
    for (uint64_t loaded = assigned; loaded <= 4000; loaded += 500) {
      const RecoveryTimes times = times_of({.heard_ns = 1000, .assigned_ns = assigned, .loaded_ns = loaded, .live_ns = 4000});
      REQUIRE(times.parts);
      CHECK(sum_of(times) == times.total_ns);
    }
  }
}

TEST_CASE("recovery times: a worker that says nothing, or what cannot be, is not believed") {
  for (const uint64_t loaded : {uint64_t{0}, uint64_t{1499}, uint64_t{4001}, UINT64_MAX}) {
    const RecoveryTimes times = times_of({.heard_ns = 1000, .assigned_ns = 1500, .loaded_ns = loaded, .live_ns = 4000});
    CHECK_FALSE(times.parts);
    CHECK(times.start_ns == 500);
    CHECK(times.total_ns == 3000);
  }
}

TEST_CASE("recovery times: an assignment that is not known begins with the notice, and no time is negative") {
  CHECK(times_of({.heard_ns = 1000, .assigned_ns = 0, .loaded_ns = 2000, .live_ns = 4000}).start_ns == 0);
  CHECK(times_of({.heard_ns = 1000, .assigned_ns = 9000, .loaded_ns = 2000, .live_ns = 4000}).start_ns == 3000);
  const RecoveryTimes backwards = times_of({.heard_ns = 5000, .assigned_ns = 5000, .loaded_ns = 5000, .live_ns = 4000});
  CHECK(backwards.total_ns == 0);
  CHECK(backwards.start_ns == 0);
}

TEST_CASE("recovery times: the last sign of life is the latest one that can be true") {
  const SignOfLife note{LastSign::note, 900};
  const SignOfLife frame{LastSign::frame, 700};
  const SignOfLife absurd{LastSign::frame, 1001};
  CHECK(last_of({frame, note}, 1000).what == LastSign::note);
  CHECK(last_of({note, frame}, 1000).at_ns == 900);
  CHECK(last_of({frame, absurd}, 1000).at_ns == 700);
  CHECK(last_of({{LastSign::note, 1000}, frame}, 1000).what == LastSign::note);
  CHECK(last_of({absurd, {LastSign::seen, 0}}, 1000).what == LastSign::unknown);
}
