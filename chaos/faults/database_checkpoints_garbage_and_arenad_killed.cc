#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"
#include "chaos/faults/log_mark.h"

namespace arenad::chaos {
namespace {

constexpr const char* kCheckpointsGarbage = "database.checkpoints_garbage_and_arenad_killed";
// As the next arenad says it (state/store.cc).
constexpr const char* kSkippedRow = "skipped a damaged row";

}  // namespace

Fault database_checkpoints_garbage_and_arenad_killed() {
  Fault fault = database_spoiled(
      kCheckpointsGarbage, "arenad is killed, and every checkpoint in its database is garbage when the next one comes",
      "the next arenad says so, believes none of them, adopts the workers, and writes checkpoints anew",
      [](const std::filesystem::path& database, Random&) {
        return execute(open_database(database).get(), "UPDATE checkpoints SET bytes = randomblob(length(bytes))");
      });
  fault.inject = [inject = std::move(fault.inject)](Stage& stage, const Strike& strike) {
    mark_log(stage, kCheckpointsGarbage, strike, kSkippedRow);
    return inject(stage, strike);
  };
  fault.fired = [](const Stage& stage, const Strike& strike) {
    return has_logged(stage, kCheckpointsGarbage, strike, kSkippedRow);
  };
  return fault;
}

}  // namespace arenad::chaos
