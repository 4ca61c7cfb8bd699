#include "chaos/faults/catalogue.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace arenad::chaos {

Fault disk_read_only() {
  return {.name = "disk.read_only",
          .does = "arenad's disk becomes one that may only be read, for a while, as after an error of its file system",
          .holds = "the arenas play on, and when it may be written to again nothing is missing",
          .uses = "disk",
          .missing = cannot_order_disk,
          .prepare = wait_for_obedient_disk,
          .inject = disk_falls_ill({.calls = bit(test::Call::write) | bit(test::Call::truncate) | bit(test::Call::remove),
                                    .lasting = test::Lasting::until_healed,
                                    .code = SQLITE_READONLY}),
          .fired = disk_was_asked,
          .heal = disk_becomes_well,
          .heal_after_ms = 500,
          .plays_on = 20,
          .settled = is_made_up_for};
}

}  // namespace arenad::chaos
