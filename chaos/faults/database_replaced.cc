#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/database_file.h"
#include "chaos/files.h"

namespace arenad::chaos {

Fault database_replaced() {
  return database_taken(
      "database.replaced", "A file that is no database takes the place of arenad's while arenad uses it",
      "arenad moves it aside, begins another one and writes all arenas that run into it; no result gets lost on "
      "the way",
      [](const std::filesystem::path& database, Random& random) -> Result<void> {
        const std::filesystem::path other = database.string() + ".other";
        auto written = write_file(other, random_bytes(random, 200 + random.below(20'000)));
        if (!written) return written;
        std::error_code error;
        std::filesystem::rename(other, database, error);
        return error ? Result<void>(make_error(ErrorCode::failed, error.message())) : Result<void>();
      });
}

}  // namespace arenad::chaos
