#include "chaos/faults/catalogue.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault disk_syncs_fail() {
  return {.name = "disk.syncs_fail",
          .does = "Every sync of arenad's database fails, for a while",
          .holds = "the arenas play on, and when the disk is well again nothing is missing",
          .uses = "disk",
          .missing = cannot_order_disk,
          .prepare = wait_for_obedient_disk,
          .inject = disk_falls_ill({.calls = bit(test::Call::sync), .lasting = test::Lasting::until_healed}),
          .fired = disk_was_asked,
          .heal = disk_becomes_well,
          .heal_after_ms = 500,
          .plays_on = 20,
          .settled = is_made_up_for};
}

}  // namespace arenad::chaos
