#include <algorithm>

#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"

namespace arenad::chaos {

Fault database_cut() {
  return database_damaged(
      "database.cut", "arenad's database is cut to its beginning, or to nothing, while arenad uses it",
      "arenad finds it when it reads what is missing, moves the file aside, begins another one and writes all arenas that run "
      "into it",
      [](const std::filesystem::path& database, Random& random) -> Result<void> {
        const auto db = open_database(database);
        // Results lie behind it.
        auto page = number_from(db.get(), "SELECT rootpage FROM sqlite_schema WHERE name = 'results'");
        auto bytes = number_from(db.get(), "PRAGMA page_size");
        if (!page || !bytes) return page ? bytes.error() : page.error();
        const uint64_t left = random.below(4) == 0 ? 0 : random.below(static_cast<uint64_t>((*page - 1) * *bytes));
        std::error_code error;
        std::filesystem::resize_file(database, left, error);
        return error ? Result<void>(make_error(ErrorCode::failed, "cannot cut the database: " + error.message()))
                     : Result<void>();
      });
}

}  // namespace arenad::chaos
