#include "supervisor/checkpoint_alarm.h"

#include <doctest/doctest.h>

using namespace arenad;

TEST_CASE("checkpoint alarm: raised once over the limit, healed once below it") {
  CheckpointAlarm alarm(10);
  CHECK(alarm.observe(0, 0) == AlarmChange::none);
  CHECK(alarm.observe(10, 0) == AlarmChange::none);
  CHECK_FALSE(alarm.is_raised());
  CHECK(alarm.observe(11, 0) == AlarmChange::raised);
  CHECK(alarm.is_raised());
  CHECK(alarm.observe(50, 50) == AlarmChange::none);
  CHECK(alarm.is_raised());
  CHECK(alarm.observe(10, 10) == AlarmChange::healed);
  CHECK_FALSE(alarm.is_raised());
  CHECK(alarm.observe(0, 0) == AlarmChange::none);
}

TEST_CASE("checkpoint alarm: a failing database raises it, with nothing that waits") {
  CheckpointAlarm alarm(10);
  CHECK(alarm.observe(0, 10) == AlarmChange::none);
  CHECK(alarm.observe(0, 11) == AlarmChange::raised);
  CHECK(alarm.observe(11, 0) == AlarmChange::none);  // writing again, but still behind
  CHECK(alarm.observe(0, 0) == AlarmChange::healed);
  CHECK(alarm.observe(0, 11) == AlarmChange::raised);
}

TEST_CASE("checkpoint alarm: never with a limit of 0") {
  CheckpointAlarm alarm(0);
  CHECK(alarm.observe(UINT64_MAX, UINT64_MAX) == AlarmChange::none);
  CHECK_FALSE(alarm.is_raised());
}
