#include "state/store_connection.h"

#include <utility>

#include <sqlite3.h>

#include "ipc/crash_point.h"
#include "state/database_file.h"

namespace arenad {
namespace {

using sqlite::execute;
using sqlite::query;
using sqlite::Row;

constexpr int64_t kApplicationId = 0x4172656e;  // "Aren", at offset 68 of the file
// One commit at full load writes some 50 MiB; a smaller bound would copy the same pages twice in one commit.
constexpr int64_t kWalBytes = 64 * 1024 * 1024;
constexpr int64_t kPageBytes = 4096;
constexpr int64_t kCacheKib = 32 * 1024;
// Of the cache as much may stay after a commit. The next one reads again what it needs, from the kernel's page cache.
constexpr int kCacheKeptBytes = 128 * 1024;

Error damaged(const std::string& path, const std::string& how) {
  return make_error(ErrorCode::corrupt, path + " " + how);
}

const char* pragma_for(Scrutiny scrutiny) {
  switch (scrutiny) {
    case Scrutiny::quick:
      return "PRAGMA quick_check(1)";
    case Scrutiny::full:
      return "PRAGMA integrity_check(1)";
  }
  return "";
}

int read_identity(sqlite3* db, std::string& identity) {
  return query(db, "SELECT identity FROM store", [&](const Row& row) { identity = row.bytes(0); });
}

// Empty if the file alone cannot tell: a checkpoint into it may have been cut off.
std::string identity_without_wal(const std::string& path) {
  const sqlite::Database db = sqlite::open_without_wal(path);
  std::string identity;
  if (db == nullptr || read_identity(db.get(), identity) != SQLITE_OK) return {};
  return identity;
}

}  // namespace

Result<std::unique_ptr<StoreConnection>> StoreConnection::open(const std::string& path, const StoreOptions& options,
                                                               Scrutiny scrutiny) {
  std::unique_ptr<StoreConnection> opening(new StoreConnection(path, scrutiny));
  Result<void> done = opening->take_steps(options);
  if (!done && done.error().code == ErrorCode::corrupt && opening->db_ != nullptr) {
    // SQLite tells of a page that cannot be read as of one that is damaged. A disk that fails is no reason to part from what is on it; one
    // that has failed once is asked again, by a connection that has read nothing yet.
    if (const int code = sqlite::read_every_byte(opening->db_.get()); code != SQLITE_OK) return opening->error(code, "read");
    opening.reset(new StoreConnection(path, scrutiny));
    done = opening->take_steps(options);
  }
  if (!done) return done.error();
  opening->trust_ = Trust::sound;
  return opening;
}

Result<void> StoreConnection::take_steps(const StoreOptions& options) {
  for (const auto step :
       {&StoreConnection::open_file, &StoreConnection::harden, &StoreConnection::recognise, &StoreConnection::check_content,
        &StoreConnection::check_wal, &StoreConnection::use_wal, &StoreConnection::renew_wal, &StoreConnection::migrate,
        &StoreConnection::prepare_statements, &StoreConnection::learn_identity, &StoreConnection::sweep_orphans,
        &StoreConnection::count_incidents}) {
    if (Result<void> done = (this->*step)(options); !done) return done;
  }
  return {};
}

StoreConnection::~StoreConnection() {
  if (trust_ == Trust::sound) {
    // Closing does this as well, but only for the last connection to the file.
    sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  } else if (db_ != nullptr) {
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  }
}

Error StoreConnection::error(int code, const char* doing) {
  const int system_errno = sqlite::errno_behind(code, db_.get());
  const ErrorCode meaning = sqlite::meaning_of(code, system_errno);
  if (trust_ == Trust::sound && sqlite::makes_suspect(code, meaning)) trust_ = Trust::suspect;
  const std::string text = std::string("cannot ") + doing + " " + path_ + " (" + sqlite3_errmsg(db_.get()) +
                           ", SQLite's code " + std::to_string(code) + "); " + sqlite::advice_for(code, meaning);
  return {meaning, system_errno, text};
}

Error StoreConnection::judgement(int code, const char* doing) {
  Error found = error(code, doing);
  if (sqlite::primary(code) == SQLITE_ERROR) found.code = ErrorCode::corrupt;
  return found;
}

Result<void> StoreConnection::open_file(const StoreOptions&) {
  sqlite3* opened = nullptr;
  const int code =
      sqlite3_open_v2(path_.c_str(), &opened,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
  db_.reset(opened);
  if (code != SQLITE_OK) return error(code, "open");
  // Without the right to write, SQLite opens the file for reading instead.
  if (sqlite3_db_readonly(db_.get(), "main") == 1) {
    return make_error(ErrorCode::failed, "may not write " + path_ + "; give the service's user the right to write it");
  }
  return {};
}

// Nothing that stands in the file, its schema included, may make SQLite do more than keep rows (sqlite.org/security.html).
Result<void> StoreConnection::harden(const StoreOptions& options) {
  sqlite3_busy_timeout(db_.get(), static_cast<int>(options.busy_timeout.count()));
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  // Debian's SQLite overwrites what is deleted with zeros unless told not to.
  const int code = execute(db_.get(),
                           "PRAGMA mmap_size = 0; PRAGMA cell_size_check = ON;"
                           "PRAGMA synchronous = FULL; PRAGMA secure_delete = OFF;"
                           "PRAGMA cache_size = -" +
                               std::to_string(kCacheKib));
  if (code != SQLITE_OK) return judgement(code, "prepare");
  return {};
}

Result<void> StoreConnection::recognise(const StoreOptions& options) {
  int64_t application = 0;
  int64_t tables = 0;
  const auto into = [](int64_t& value) { return [&value](const Row& row) { value = row.number(0); }; };
  int code = query(db_.get(), "PRAGMA user_version", into(version_));
  if (code == SQLITE_OK) code = query(db_.get(), "PRAGMA application_id", into(application));
  if (code == SQLITE_OK) {
    code = query(db_.get(), "SELECT count(*) FROM sqlite_schema", into(tables));
  }
  if (code != SQLITE_OK) return judgement(code, "read");

  const int64_t newest = options.migrations.back().version;
  if (application == kApplicationId && version_ > newest) {
    return make_error(ErrorCode::refused, path_ + " was written by a newer Arenad (its version is " + std::to_string(version_) +
                                              ", this one knows " + std::to_string(newest) +
                                              "); install that version again, or configure another path");
  }
  const bool is_new = application == 0 && version_ == 0 && tables == 0;
  const bool is_ours = application == kApplicationId && version_ > 0;
  if (!is_new && !is_ours) return damaged(path_, "is a database of another program");
  // open_file() has seen that the file may be written, so it is the file's own header that forbids it.
  if (sqlite3_db_readonly(db_.get(), "main") == 1) {
    return damaged(path_, "has a damaged header");
  }
  return {};
}

Result<void> StoreConnection::check_content(const StoreOptions&) {
  std::string verdict;
  const int code = query(db_.get(), pragma_for(scrutiny_), [&](const Row& row) { verdict = row.bytes(0); });
  if (code != SQLITE_OK) return judgement(code, "check");
  if (verdict != "ok") return damaged(path_, "is damaged: " + verdict);
  return {};
}

// SQLite takes any whole -wal of the right name for the database's own. Every transaction writes the page with the identity, so
// if the -wal is another database's, the identity read through it is another one than that of the file.
Result<void> StoreConnection::check_wal(const StoreOptions&) {
  if (version_ == 0 || bytes_of_file(path_ + "-wal") == 0) return {};
  const std::string alone = identity_without_wal(path_);
  if (alone.empty()) return {};
  std::string through_wal;
  const int code = read_identity(db_.get(), through_wal);
  if (code != SQLITE_OK) return judgement(code, "read");
  if (alone != through_wal) return damaged(path_, "stands beside the -wal of another database");
  return {};
}

Result<void> StoreConnection::use_wal(const StoreOptions&) {
  std::string mode;
  int code = query(db_.get(), "PRAGMA journal_mode = WAL", [&](const Row& row) { mode = row.bytes(0); });
  if (code == SQLITE_OK && mode != "wal") code = SQLITE_CANTOPEN;
  if (code == SQLITE_OK) {
    code = execute(db_.get(), "PRAGMA journal_size_limit = " + std::to_string(kWalBytes) +
                                  "; PRAGMA wal_autocheckpoint = " + std::to_string(kWalBytes / kPageBytes));
  }
  if (code != SQLITE_OK) return error(code, "use write-ahead logging in");
  return {};
}

// After a sync that failed, here or in a process before this one, the system takes the pages for clean and serves them to readers,
// though the disk does not have them; and the next commit's sync would "succeed" without them. Written anew they are synced with it.
Result<void> StoreConnection::renew_wal(const StoreOptions&) {
  if (bytes_of_file(path_ + "-wal") == 0) return {};
  int code = execute(db_.get(), "BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = sqlite::write_wal_anew(db_.get());
  const int ended = execute(db_.get(), "ROLLBACK");
  if (code == SQLITE_OK) code = ended;
  if (code != SQLITE_OK) return error(code, "write the -wal anew of");
  return {};
}

Result<void> StoreConnection::migrate(const StoreOptions& options) {
  const bool is_new = version_ == 0;
  for (const Migration& migration : options.migrations) {
    if (migration.version <= version_) continue;
    ARENAD_ASSERT(migration.version == version_ + 1);
    if (const int code = apply(migration); code != SQLITE_OK) {
      Error failure = error(code, "migrate");
      execute(db_.get(), "ROLLBACK");
      return failure;
    }
    version_ = migration.version;
  }
  // check_wal() wants the identity in the file itself.
  if (is_new) {
    sqlite3_wal_checkpoint_v2(db_.get(), nullptr, SQLITE_CHECKPOINT_PASSIVE, nullptr, nullptr);
  }
  return {};
}

int StoreConnection::apply(const Migration& migration) {
  int code = execute(db_.get(), "BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = execute(db_.get(), migration.sql);
  if (code == SQLITE_OK) {
    code = execute(db_.get(), "PRAGMA application_id = " + std::to_string(kApplicationId) +
                                  "; PRAGMA user_version = " + std::to_string(migration.version));
  }
  if (code == SQLITE_OK) code = execute(db_.get(), "COMMIT");
  return code;
}

Result<void> StoreConnection::prepare_statements(const StoreOptions&) {
  int code = tables_.prepare(db_.get());
  if (code == SQLITE_OK) code = result_tables_.prepare(db_.get());
  if (code == SQLITE_OK) code = rollout_tables_.prepare(db_.get());
  if (code == SQLITE_OK) code = incident_tables_.prepare(db_.get());
  if (code == SQLITE_OK) code = history_tables_.prepare(db_.get());
  if (code == SQLITE_OK) code = lifecycle_tables_.prepare(db_.get());
  if (code != SQLITE_OK) return judgement(code, "use the tables of");
  return {};
}

Result<void> StoreConnection::learn_identity(const StoreOptions&) {
  const int code = read_identity(db_.get(), identity_);
  if (code != SQLITE_OK) return error(code, "read");
  if (identity_.empty()) return damaged(path_, "has lost its identity");
  return {};
}

Result<void> StoreConnection::sweep_orphans(const StoreOptions&) {
  const int code = execute(db_.get(), "DELETE FROM checkpoints WHERE arena NOT IN (SELECT id FROM arenas)");
  if (code != SQLITE_OK) return error(code, "clean up");
  return {};
}

Result<void> StoreConnection::count_incidents(const StoreOptions&) {
  const int code = incident_tables_.count_incidents();
  if (code != SQLITE_OK) return error(code, "count the incidents in");
  return {};
}

bool StoreConnection::file_has_moved() const {
  int moved = 0;
  sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

// A cache keeps what it has once had, so arenad would grow for as long as its database does.
void StoreConnection::let_go_of_pages() {
  int used = 0;
  int most = 0;
  sqlite3_db_status(db_.get(), SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0);
  if (used > kCacheKeptBytes) sqlite3_db_release_memory(db_.get());
}

// ---- Writing ----

Result<void> StoreConnection::write(const StoreBatch& batch) {
  int code = execute(db_.get(), "BEGIN IMMEDIATE");
  ARENAD_CRASH_POINT("arenad.store.begun");
  if (code == SQLITE_OK) code = tables_.write(batch);
  if (code == SQLITE_OK) code = result_tables_.write(batch);
  if (code == SQLITE_OK) code = rollout_tables_.write(batch);
  if (code == SQLITE_OK) code = incident_tables_.write(batch);
  if (code == SQLITE_OK) code = history_tables_.write(batch);
  if (code == SQLITE_OK) code = lifecycle_tables_.write(batch);
  ARENAD_CRASH_POINT("arenad.store.written");
  if (code == SQLITE_OK) code = execute(db_.get(), "COMMIT");
  ARENAD_CRASH_POINT("arenad.store.committed");
  if (code == SQLITE_OK) {
    let_go_of_pages();
    return {};
  }
  Error failure = error(code, "write");
  // Fails if there is no transaction any more, which is as well.
  execute(db_.get(), "ROLLBACK");
  return failure;
}

// ---- Reading ----

Result<std::vector<ArenaRecord>> StoreConnection::arenas(const OnDamage& on_damage) {
  std::vector<ArenaRecord> arenas;
  const int code = tables_.read_arenas(on_damage, arenas);
  if (code != SQLITE_OK) return error(code, "read");
  return arenas;
}

Result<std::vector<GameRecord>> StoreConnection::games() {
  std::vector<GameRecord> games;
  const int code = tables_.read_games(games);
  if (code != SQLITE_OK) return error(code, "read");
  return games;
}

Result<std::vector<RolloutRecord>> StoreConnection::rollouts() {
  std::vector<RolloutRecord> rollouts;
  const int code = rollout_tables_.read_rollouts(rollouts);
  if (code != SQLITE_OK) return error(code, "read");
  return rollouts;
}

Result<std::vector<RolloutArenaRecord>> StoreConnection::rollout_arenas(uint64_t rollout) {
  std::vector<RolloutArenaRecord> arenas;
  const int code = rollout_tables_.read_arenas(rollout, arenas);
  if (code != SQLITE_OK) return error(code, "read");
  return arenas;
}

Result<std::vector<CommandRecord>> StoreConnection::commands(uint64_t newest) {
  std::vector<CommandRecord> commands;
  const int code = history_tables_.read_commands(newest, commands);
  if (code != SQLITE_OK) return error(code, "read");
  return commands;
}

Result<uint64_t> StoreConnection::latest_command() {
  uint64_t id = 0;
  const int code = history_tables_.read_latest(id);
  if (code != SQLITE_OK) return error(code, "read");
  return id;
}

Result<std::vector<LifecycleRecord>> StoreConnection::lifecycle() {
  std::vector<LifecycleRecord> events;
  const int code = lifecycle_tables_.read(events);
  if (code != SQLITE_OK) return error(code, "read");
  return events;
}

Result<std::vector<CheckpointRecord>> StoreConnection::checkpoints(ArenaId arena, const OnDamage& on_damage) {
  std::vector<CheckpointRecord> checkpoints;
  const int code = tables_.read_checkpoints(arena, on_damage, checkpoints);
  if (code != SQLITE_OK) return error(code, "read");
  return checkpoints;
}

Result<std::vector<ResultRecord>> StoreConnection::results(ArenaId arena) {
  std::vector<ResultRecord> results;
  const int code = result_tables_.read_results(arena, results);
  if (code != SQLITE_OK) return error(code, "read");
  return results;
}

Result<std::optional<uint64_t>> StoreConnection::latest_results_sequence(ArenaId arena) {
  std::optional<uint64_t> latest;
  const int code = result_tables_.read_latest_sequence(arena, latest);
  if (code != SQLITE_OK) return error(code, "read");
  return latest;
}

Result<ResultPage> StoreConnection::result_page(const ResultQuery& query) {
  ResultPage page;
  const int code = result_tables_.read_page(query, page);
  if (code != SQLITE_OK) return error(code, "read");
  return page;
}

Result<std::optional<std::string>> StoreConnection::result_types(uint64_t id, const OnDamage& on_damage) {
  std::optional<std::string> types;
  const int code = result_tables_.read_types(id, on_damage, types);
  if (code != SQLITE_OK) return error(code, "read");
  return types;
}

Result<std::vector<IncidentRecord>> StoreConnection::incidents(std::optional<ArenaId> arena, IncidentScope scope, size_t newest,
                                                               const OnDamage& on_damage) {
  std::vector<IncidentRecord> incidents;
  const int code = incident_tables_.read_incidents(arena, scope, newest, on_damage, incidents);
  if (code != SQLITE_OK) return error(code, "read");
  return incidents;
}

Result<std::vector<IncidentRecord>> StoreConnection::slow_frames(uint64_t before, size_t newest, const OnDamage& on_damage) {
  std::vector<IncidentRecord> incidents;
  const int code = incident_tables_.read_slow_frames(before, newest, on_damage, incidents);
  if (code != SQLITE_OK) return error(code, "read");
  return incidents;
}

Result<std::optional<IncidentRecord>> StoreConnection::incident(uint64_t id, const OnDamage& on_damage) {
  std::optional<IncidentRecord> incident;
  const int code = incident_tables_.read_incident(id, on_damage, incident);
  if (code != SQLITE_OK) return error(code, "read");
  return incident;
}

Result<uint64_t> StoreConnection::latest_incident() {
  uint64_t latest = 0;
  const int code = incident_tables_.read_latest_incident(latest);
  if (code != SQLITE_OK) return error(code, "read");
  return latest;
}

Result<std::vector<QuarantineRecord>> StoreConnection::quarantined(std::optional<ArenaId> arena, const OnDamage& on_damage) {
  std::vector<QuarantineRecord> entries;
  const int code = incident_tables_.read_quarantine(arena, on_damage, entries);
  if (code != SQLITE_OK) return error(code, "read");
  return entries;
}

Result<std::optional<QuarantineRecord>> StoreConnection::quarantined_event(uint64_t id, const OnDamage& on_damage) {
  std::optional<QuarantineRecord> entry;
  const int code = incident_tables_.read_quarantined(id, on_damage, entry);
  if (code != SQLITE_OK) return error(code, "read");
  return entry;
}

Result<uint64_t> StoreConnection::latest_quarantined() {
  uint64_t latest = 0;
  const int code = incident_tables_.read_latest_quarantined(latest);
  if (code != SQLITE_OK) return error(code, "read");
  return latest;
}

}  // namespace arenad
