// Another process writes to the database for too long, as a backup tool or somebody with a shell might.
#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/database_file.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kDatabaseLocked = "database.locked";

}  // namespace

Fault database_locked() {
  return {.name = kDatabaseLocked,
          .does = "another process holds the database's write lock for half a second",
          .holds = "arenas play on, nothing is called durable meanwhile, and afterwards all is written",
          .uses = "disk",
          .prepare = wait_for_arenad,
          .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
            auto lock = lock_database(stage);
            if (!lock) return lock.error();
            stage.prop(kDatabaseLocked, strike.arena) = std::move(*lock);
            return {};
          },
          .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
            stage.prop(kDatabaseLocked, strike.arena).reset();
            return disk_becomes_well(stage, strike);
          },
          .heal_after_ms = 500,
          .plays_on = 20,
          .settled = is_made_up_for};
}

}  // namespace arenad::chaos
