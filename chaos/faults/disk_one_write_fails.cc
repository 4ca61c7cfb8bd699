#include "chaos/faults/catalogue.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault disk_one_write_fails() {
  return {.name = "disk.one_write_fails",
          .does = "One write of arenad's database fails",
          .holds = "the next try makes up for it",
          .uses = "disk",
          .missing = cannot_order_disk,
          .prepare = wait_for_obedient_disk,
          .inject = disk_falls_ill({.calls = bit(test::Call::write)}),
          .fired = disk_was_asked,
          .heal = disk_becomes_well,
          .heal_after_ms = 300,
          .plays_on = 20,
          .settled = is_made_up_for};
}

}  // namespace arenad::chaos
