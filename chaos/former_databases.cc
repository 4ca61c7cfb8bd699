#include "chaos/former_databases.h"

#include <sqlite3.h>

namespace arenad::chaos {

std::filesystem::path FormerDatabases::next() {
  return files_.emplace_back(folder_ / ("former-" + std::to_string(files_.size() + 1) + ".db"));
}

std::map<uint64_t, std::string> FormerDatabases::results(ArenaId arena) const {
  std::map<uint64_t, std::string> all;
  for (const auto& file : files_) all.merge(results_in(file, arena));
  return all;
}

std::map<uint64_t, std::string> results_in(const std::filesystem::path& database, ArenaId arena) {
  std::map<uint64_t, std::string> found;
  sqlite3* db = nullptr;
  sqlite3_stmt* statement = nullptr;
  const std::string key = database_key(arena);
  // For writing too: one with a -wal is not read otherwise.
  if (sqlite3_open_v2(database.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK &&
      sqlite3_prepare_v2(db, "SELECT sequence, bytes FROM results WHERE arena = ?1", -1, &statement, nullptr) == SQLITE_OK) {
    sqlite3_bind_blob(statement, 1, key.data(), static_cast<int>(key.size()), SQLITE_TRANSIENT);
    while (sqlite3_step(statement) == SQLITE_ROW) {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, 1));
      const auto length = static_cast<size_t>(sqlite3_column_bytes(statement, 1));
      found.emplace(static_cast<uint64_t>(sqlite3_column_int64(statement, 0)), std::string(bytes, length));
    }
  }
  sqlite3_finalize(statement);
  sqlite3_close(db);
  return found;
}

std::string database_key(ArenaId arena) {
  std::string key;
  for (const uint64_t half : {arena.high, arena.low}) {
    for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(half >> shift & 0xFF));
  }
  return key;
}

}  // namespace arenad::chaos
