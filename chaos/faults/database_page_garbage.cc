#include <fmt/format.h>

#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"

namespace arenad::chaos {

Fault database_page_garbage() {
  return database_damaged(
      "database.page_garbage", "Two pages of arenad's database are overwritten with garbage while arenad uses it",
      "arenad finds it when it reads them, moves the file aside, begins another one and writes all arenas that run into it",
      [](const std::filesystem::path& database, Random& random) -> Result<void> {
        const auto db = open_database(database);
        auto bytes = number_from(db.get(), "PRAGMA page_size");
        if (!bytes) return bytes.error();
        // With no results arenad reads the index alone.
        for (const char* name : {"results", "sqlite_autoindex_results_1"}) {
          auto page = number_from(db.get(), fmt::format("SELECT rootpage FROM sqlite_schema WHERE name = '{}'", name));
          if (!page) return page.error();
          const auto offset = static_cast<uint64_t>((*page - 1) * *bytes);
          if (auto written = overwrite(database, offset, static_cast<size_t>(*bytes), random); !written) return written;
        }
        return {};
      });
}

}  // namespace arenad::chaos
