#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"

namespace arenad::chaos {

Fault database_deleted() {
  return database_taken(
      "database.deleted", "arenad's database is deleted while arenad uses it",
      "arenad notices, begins another one and writes all arenas that run into it; no result gets lost on the way",
      [](const std::filesystem::path& database, Random&) -> Result<void> {
        std::error_code error;
        if (!std::filesystem::remove(database, error)) return make_error(ErrorCode::failed, "cannot delete it");
        return {};
      });
}

}  // namespace arenad::chaos
