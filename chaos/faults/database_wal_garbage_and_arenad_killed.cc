// What has been written into the file is still in the -wal, but not only there. Of a -wal that is needed a damage takes what is
// newest, and no arenad can tell.
#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

constexpr size_t kWalHeaderBytes = 32;  // sqlite.org/fileformat2.html#walformat
constexpr size_t kMostBehindTheEnd = 20'000;

}  // namespace

Fault database_wal_garbage_and_arenad_killed() {
  return database_spoiled(
      "database.wal_garbage_and_arenad_killed",
      "arenad is killed, and the -wal of its database, all of which is in the file, begins or ends with garbage or is gone "
      "when the next "
      "one comes",
      "the next arenad goes by the file, and nothing is missing", [](const fs::path& database, Random& random) -> Result<void> {
        const fs::path wal = database.string() + "-wal";
        const auto db = open_database(database);
        if (sqlite3_wal_checkpoint_v2(db.get(), nullptr, SQLITE_CHECKPOINT_FULL, nullptr, nullptr) != SQLITE_OK)
          return make_error(ErrorCode::failed, "the -wal cannot be written into the file");
        std::error_code error;
        const uintmax_t bytes = fs::file_size(wal, error);
        const bool is_there = !error && bytes != 0;
        switch (is_there ? random.below(3) : 2) {
          case 0:
            return overwrite(wal, 0, kWalHeaderBytes, random);
          case 1:
            return overwrite(wal, bytes, 1 + random.below(kMostBehindTheEnd), random);
          default:
            for (const char* ending : {"-wal", "-shm"}) fs::remove(database.string() + ending, error);
            return {};
        }
      });
}

}  // namespace arenad::chaos
