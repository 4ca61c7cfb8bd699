#include "chaos/faults/catalogue.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault disk_slow() {
  return {.name = "disk.slow",
          .does = "Every sync of arenad's database takes 200 ms, for a while",
          .holds = "no frame waits for the disk, and nothing is missing",
          .uses = "disk",
          .missing = cannot_order_disk,
          .prepare = wait_for_obedient_disk,
          .inject = disk_falls_ill({.calls = bit(test::Call::sync),
                                    .effect = test::Effect::delayed,
                                    .lasting = test::Lasting::until_healed,
                                    .delay_ms = 200}),
          .fired = disk_was_asked,
          .heal = disk_becomes_well,
          .heal_after_ms = 1000,
          .plays_on = 20,
          .settled = is_made_up_for};
}

}  // namespace arenad::chaos
