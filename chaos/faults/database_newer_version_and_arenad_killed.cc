#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"
#include "chaos/faults/log_mark.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kNewerVersion = "database.newer_version_and_arenad_killed";
// As the next arenad says it (state/store_connection.cc).
constexpr const char* kWrittenByNewer = "was written by a newer Arenad";

Result<void> set_version_further(const std::filesystem::path& database, int64_t by) {
  const auto db = open_database(database);
  auto now = number_from(db.get(), "PRAGMA user_version");
  if (!now) return now.error();
  return execute(db.get(), "PRAGMA user_version = " + std::to_string(*now + by));
}

}  // namespace

Fault database_newer_version_and_arenad_killed() {
  Fault fault = database_spoiled(
      kNewerVersion,
      "arenad is killed, and its database is of a later version than the next one knows; later it is not any more",
      "the file stays where it is, the workers play on without an arenad, and when it can be read again one comes and adopts "
      "them",
      [](const std::filesystem::path& database, Random&) { return set_version_further(database, 1); });
  // Nothing is moved aside: what was durable stays so.
  fault.takes_database = false;
  fault.inject = [inject = std::move(fault.inject)](Stage& stage, const Strike& strike) {
    mark_log(stage, kNewerVersion, strike, kWrittenByNewer);
    return inject(stage, strike);
  };
  fault.fired = [](const Stage& stage, const Strike& strike) {
    return has_logged(stage, kNewerVersion, strike, kWrittenByNewer);
  };
  fault.heal = [](Stage& stage, const Strike& strike) -> Result<void> {
    if (auto set = set_version_further(stage.rig().folder() / "state/arenad.db", -1); !set) return set;
    return disk_becomes_well(stage, strike);
  };
  fault.heal_after_ms = 300;
  return fault;
}

}  // namespace arenad::chaos
