#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"

namespace arenad::chaos {

Fault database_set_back() {
  return database_taken("database.set_back", "A copy of arenad's database takes its place while arenad uses it, as if restored",
                        "arenad notices, goes on with the copy and writes all arenas that run into it anew",
                        [](const std::filesystem::path& database, Random&) -> Result<void> {
                          const std::filesystem::path copy = database.string() + ".copy";
                          if (auto copied = copy_database(database, copy); !copied) return copied;
                          std::error_code error;
                          std::filesystem::rename(copy, database, error);
                          return error ? Result<void>(make_error(ErrorCode::failed, error.message())) : Result<void>();
                        });
}

}  // namespace arenad::chaos
