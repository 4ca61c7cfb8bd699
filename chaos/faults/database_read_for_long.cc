// A tool that reads in one long transaction: what is in the -wal may not be written into the file meanwhile, and the -wal grows.
#include <filesystem>

#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/database_file.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kReadForLong = "database.read_for_long";
constexpr uint64_t kGrowsBy = 256 * 1024;

struct LongReader {
  std::shared_ptr<sqlite3> db;
  std::filesystem::path log;
  uint64_t log_bytes = 0;
};

std::shared_ptr<LongReader> reader_of(const Stage& stage, const Strike& strike) {
  return std::static_pointer_cast<LongReader>(stage.prop(kReadForLong, strike.arena));
}

uint64_t bytes_of(const std::filesystem::path& file) {
  std::error_code error;
  const uint64_t bytes = std::filesystem::file_size(file, error);
  return error ? 0 : bytes;
}

// All that is in the -wal into the file, and the -wal to nothing. False: somebody is in the way.
bool empties_the_log(sqlite3* db) {
  return sqlite3_wal_checkpoint_v2(db, nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace

Fault database_read_for_long() {
  return {
      .name = kReadForLong,
      .does = "another process reads the database in one transaction until its -wal has grown by a quarter of a MiB",
      .holds = "all is written meanwhile, nobody waits for the reader, and when it has gone the -wal can be emptied",
      .uses = "disk",
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto reader = std::make_shared<LongReader>();
        reader->db = open_database(stage);
        reader->log = stage.rig().folder() / "state/arenad.db-wal";
        // So that what is written from now on makes it longer.
        (void)empties_the_log(reader->db.get());
        if (sqlite3_exec(reader->db.get(), "BEGIN; SELECT count(*) FROM checkpoints", nullptr, nullptr, nullptr) != SQLITE_OK)
          return make_error(ErrorCode::failed, std::string("cannot read the database: ") + sqlite3_errmsg(reader->db.get()));
        reader->log_bytes = bytes_of(reader->log);
        stage.prop(kReadForLong, strike.arena) = std::move(reader);
        return {};
      },
      .fired =
          [](const Stage& stage, const Strike& strike) {
            const auto reader = reader_of(stage, strike);
            return reader != nullptr && bytes_of(reader->log) > reader->log_bytes + kGrowsBy;
          },
      .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
        const auto reader = reader_of(stage, strike);
        // Otherwise it was not in the way of anybody.
        auto other = open_database(stage);
        sqlite3_busy_timeout(other.get(), 0);
        const bool was_in_the_way = !empties_the_log(other.get());
        sqlite3_exec(reader->db.get(), "COMMIT", nullptr, nullptr, nullptr);
        const bool is_free = empties_the_log(reader->db.get());
        stage.prop(kReadForLong, strike.arena).reset();
        (void)disk_becomes_well(stage, strike);
        if (!was_in_the_way) return make_error(ErrorCode::failed, "the reader was not in the way");
        return is_free ? Result<void>() : make_error(ErrorCode::failed, "the -wal cannot be emptied");
      },
      .heal_after_ms = 300,
      .plays_on = 20,
      .settled = is_made_up_for};
}

}  // namespace arenad::chaos
