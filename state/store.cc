// SQLite, and nothing but SQLite: this is the only file that includes sqlite3.h. In the order of
// reading: failures, statements, the connection (opening in steps, writing, reading), files that
// are moved aside, and the Store that ties them together.
#include "state/store.h"

#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <limits>
#include <string_view>
#include <system_error>

#include <sqlite3.h>
#include <xxhash.h>

#include "ipc/clock.h"
#include "ipc/limits.h"
#include "state/schema_sql.h"

namespace arenad {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kApplicationId = 0x4172656e;  // "Aren", at offset 68 of the file
constexpr uint64_t kHeaderBytes = 100;          // of the first page, sqlite.org/fileformat.html
// One commit at full load writes some 50 MiB; a smaller bound would copy the same pages twice in
// one commit.
constexpr int64_t kWalBytes = 64 * 1024 * 1024;
constexpr int64_t kPageBytes = 4096;
constexpr int64_t kCacheKib = 32 * 1024;
constexpr size_t kMaxNotices = 100;
// A snapshot is a state, its header and its cursors.
constexpr uint64_t kMaxCheckpointBytes = 2 * limits::kMaxStateBytes;

constexpr std::array kMigrations = {Migration{1, kSchemaSql}};

// ---- Failures ----

constexpr int primary(int code) {
  return code & 0xff;
}

ErrorCode meaning_of(int code, int system_errno) {
  switch (primary(code)) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return ErrorCode::exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::corrupt;
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return ErrorCode::invalid;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      if (code == SQLITE_IOERR_NOMEM) return ErrorCode::exhausted;
      // A full disk or quota often comes as an I/O error; only errno tells.
      errno = system_errno;
      return errno_error({}).code;
    default:
      return ErrorCode::failed;
  }
}

// What the system said when SQLite says that reading, writing or opening failed; else 0.
int errno_behind(int code, sqlite3* db) {
  if (primary(code) == SQLITE_CANTOPEN) return sqlite3_system_errno(db);
  if (primary(code) != SQLITE_IOERR) return 0;
  // A commit that fails does not set SQLite's own record, but the -wal that it wrote to remembers.
  sqlite3_file* wal = nullptr;
  int from_wal = 0;
  sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal);
  if (wal != nullptr && wal->pMethods != nullptr) {
    wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &from_wal);
  }
  return from_wal != 0 ? from_wal : sqlite3_system_errno(db);
}

const char* advice_for(int code, ErrorCode meaning) {
  switch (meaning) {
    case ErrorCode::exhausted:
      return "free memory and space on its file system, then the same is tried again";
    case ErrorCode::corrupt:
      return "the file is damaged and is moved aside";
    case ErrorCode::invalid:
      return "the record cannot be stored; report this as a bug";
    case ErrorCode::failed:
    case ErrorCode::unknown_arena:
    case ErrorCode::timeout:
    case ErrorCode::refused:
    case ErrorCode::unreachable:
      break;
  }
  if (primary(code) == SQLITE_BUSY) return "another process holds its lock: find and end it (fuser)";
  return "look at the rights of the file and its folder, and at the kernel's log for the disk";
}

// After these the connection's view of the file is not believed any more. A full disk is no reason:
// reading goes on.
bool makes_suspect(int code, ErrorCode meaning) {
  switch (primary(code)) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_READONLY:
      return true;
    case SQLITE_IOERR:
      return code != SQLITE_IOERR_NOMEM && !(code == SQLITE_IOERR_WRITE && meaning == ErrorCode::exhausted);
    default:
      return false;
  }
}

Error damaged(const std::string& path, const std::string& how) {
  return make_error(ErrorCode::corrupt, path + " " + how);
}

// ---- Statements ----

struct Blob {
  std::string_view bytes;
};

int64_t to_column(uint64_t number) {
  return static_cast<int64_t>(number);
}
uint64_t from_column(int64_t number) {
  return static_cast<uint64_t>(number);
}

// Text and blobs are not copied: they outlive the statement's run.
int bind(sqlite3_stmt* statement, int index, int64_t value) {
  return sqlite3_bind_int64(statement, index, value);
}
int bind(sqlite3_stmt* statement, int index, const std::string& text) {
  return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}
int bind(sqlite3_stmt* statement, int index, Blob blob) {
  return sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
}
int bind(sqlite3_stmt* statement, int index, ArenaId id) {
  std::array<unsigned char, 16> bytes;
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(id.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<unsigned char>(id.low >> (56 - 8 * i));
  }
  return sqlite3_bind_blob(statement, index, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

// The row at which a statement stands.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

  [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  [[nodiscard]] int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] uint64_t word(int column) const { return from_column(number(column)); }
  // Of text and blobs alike.
  [[nodiscard]] std::string bytes(int column) const {
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
    const int size = sqlite3_column_bytes(statement_, column);
    return data == nullptr ? std::string() : std::string(data, static_cast<size_t>(size));
  }
  [[nodiscard]] ArenaId arena(int column) const {
    const std::string stored = bytes(column);
    ArenaId id;
    for (size_t i = 0; i < stored.size() && i < 16; ++i) {
      uint64_t& half = i < 8 ? id.high : id.low;
      half = half << 8 | static_cast<unsigned char>(stored[i]);
    }
    return id;
  }

 private:
  sqlite3_stmt* statement_;
};

class Statement {
 public:
  int prepare(sqlite3* db, const char* sql) {
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
    handle_.reset(prepared);
    return code;
  }

  // Binds the values, calls on_row for each row, and is ready for the next run. Runs no other
  // statement within on_row.
  template <class OnRow, class... Values>
  int each(OnRow on_row, const Values&... values) {
    int index = 0;
    int code = SQLITE_OK;
    ((code = code == SQLITE_OK ? bind(handle_.get(), ++index, values) : code), ...);
    while (code == SQLITE_OK) {
      const int step = sqlite3_step(handle_.get());
      if (step == SQLITE_DONE) break;
      code = step;
      if (step != SQLITE_ROW) break;
      on_row(Row(handle_.get()));
      // A column that could not be read for want of memory looks empty; only the error code tells.
      const int read = sqlite3_extended_errcode(sqlite3_db_handle(handle_.get()));
      code = read == SQLITE_ROW ? SQLITE_OK : read;
    }
    sqlite3_reset(handle_.get());
    sqlite3_clear_bindings(handle_.get());
    return code;
  }

  template <class... Values>
  int run(const Values&... values) {
    return each([](const Row&) {}, values...);
  }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

template <class OnRow>
int query(sqlite3* db, const char* sql, OnRow on_row) {
  Statement statement;
  const int code = statement.prepare(db, sql);
  return code == SQLITE_OK ? statement.each(on_row) : code;
}

int execute(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
}

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// ---- Values ----

// Covers the key as well, so that a row never answers for another arena or frame.
int64_t checksum_of(const CheckpointRecord& checkpoint) {
  const std::array<uint64_t, 5> key = {checkpoint.arena.high, checkpoint.arena.low, checkpoint.epoch.value,
                                       checkpoint.frame.value, from_column(checkpoint.taken_unix_ms)};
  const XXH64_hash_t seed = XXH3_64bits(key.data(), sizeof key);
  return to_column(XXH3_64bits_withSeed(checkpoint.bytes.data(), checkpoint.bytes.size(), seed));
}

std::optional<ArenaDisposition> parse_disposition(std::string_view word) {
  using enum ArenaDisposition;
  for (const ArenaDisposition each : {running, saved, stopped, ended, failed, lost}) {
    if (word == to_string(each)) return each;
  }
  return std::nullopt;
}

Result<void> require(bool holds, const char* otherwise) {
  if (holds) return {};
  return make_error(ErrorCode::invalid, otherwise);
}

bool is_orderable(uint64_t number) {
  return number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

Result<void> check(const ArenaId& id) {
  return require(!id.is_null(), "an arena without an id is not forgotten");
}

Result<void> check(const ArenaRecord& arena) {
  return require(!arena.id.is_null() && is_orderable(arena.epoch) && is_orderable(arena.restarts),
                 "an arena without an id, or with an impossible epoch, is not stored");
}

Result<void> check(const CheckpointRecord& checkpoint) {
  return require(!checkpoint.arena.is_null() && is_orderable(checkpoint.epoch.value) && is_orderable(checkpoint.frame.value) &&
                     checkpoint.bytes.size() <= kMaxCheckpointBytes,
                 "a checkpoint without an arena, with an impossible epoch or frame, or of more than "
                 "twice the largest state is not stored");
}

Result<void> check(const ResultRecord& result) {
  return require(!result.arena.is_null() && is_orderable(result.sequence) && result.bytes.size() <= limits::kMaxEventBytes,
                 "a result without an arena, with an impossible sequence number, or larger than an "
                 "event is not stored");
}

template <class Record>
Result<void> check_each(const std::vector<Record>& records) {
  for (const Record& record : records) {
    if (Result<void> checked = check(record); !checked) return checked;
  }
  return {};
}

// ---- Files ----

std::string absolute_path(const std::string& path) {
  // Symbolic links are followed now, as SQLite follows them, so that the file and its -wal are
  // moved aside together.
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? path : resolved.string();
}

uint64_t bytes_of_file(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

// For a file's name, so without colons: 20260131T235959.123Z.
std::string time_stamp() {
  const uint64_t now_ms = unix_ms();
  const auto now = static_cast<time_t>(now_ms / 1000);
  tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> seconds{};
  const size_t length = std::strftime(seconds.data(), seconds.size(), "%Y%m%dT%H%M%S", &utc);
  const std::string ms = std::to_string(1000 + now_ms % 1000).substr(1);
  return std::string(seconds.data(), length) + "." + ms + "Z";
}

std::string unused_name(const std::string& wanted) {
  std::error_code error;
  std::string name = wanted;
  for (int n = 2; fs::exists(name, error) || fs::exists(name + "-wal", error); ++n) {
    name = wanted + "." + std::to_string(n);
  }
  return name;
}

enum class Moved { database_and_side_files, side_files_only };

// Renames what there is of a database; -wal and -shm keep their endings, so that the old database
// can still be opened under its new name. Returns that name.
Result<std::string> move_aside(const std::string& path, Moved what) {
  const std::string aside = unused_name(path + ".damaged-" + time_stamp());
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
    if (what == Moved::side_files_only && *ending == '\0') continue;
    std::error_code error;
    fs::rename(path + ending, aside + ending, error);
    if (!error || error == std::errc::no_such_file_or_directory) continue;
    errno = error.value();
    return errno_error("cannot move the damaged " + path + ending + " aside; move it by hand");
  }
  return aside;
}

Result<void> require_regular_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status) || fs::is_regular_file(status)) return {};
  return make_error(ErrorCode::invalid, path + " is a folder or a device; configure another path for the database");
}

// As the URI that opens the file alone, without locks and without its -wal.
std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    switch (c) {
      case '%':
        uri += "%25";
        break;
      case '?':
        uri += "%3f";
        break;
      case '#':
        uri += "%23";
        break;
      default:
        uri += c;
    }
  }
  return uri + "?immutable=1";
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
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(immutable_uri(path).c_str(), &opened,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  const Database db(opened);
  std::string identity;
  if (code != SQLITE_OK || read_identity(db.get(), identity) != SQLITE_OK) return {};
  return identity;
}

}  // namespace

// ---- The connection ----

class StoreConnection {
 public:
  // ErrorCode::corrupt means that the file is damaged or no database of Arenad, and nothing else
  // does.
  static Result<std::unique_ptr<StoreConnection>> open(const std::string& path, const StoreOptions& options, Scrutiny scrutiny);
  StoreConnection(const StoreConnection&) = delete;
  StoreConnection& operator=(const StoreConnection&) = delete;
  ~StoreConnection();

  [[nodiscard]] bool is_suspect() const { return trust_ == Trust::suspect; }
  [[nodiscard]] bool file_has_moved() const;
  // Of the database, for as long as it exists.
  [[nodiscard]] const std::string& identity() const { return identity_; }

  Result<void> write(const StoreBatch& batch);

  // A row that is not to be believed goes to on_damage as the words for it.
  template <class OnDamage>
  Result<std::vector<ArenaRecord>> arenas(OnDamage on_damage);
  template <class OnDamage>
  Result<std::vector<CheckpointRecord>> checkpoints(ArenaId arena, OnDamage on_damage);
  Result<std::vector<ResultRecord>> results(ArenaId arena);
  Result<std::optional<uint64_t>> latest_results_sequence(ArenaId arena);

 private:
  enum class Trust {
    unproven,  // being opened: closing leaves the -wal, which may be evidence
    sound,     // closing moves the -wal into the file
    suspect,   // after an I/O error: closing leaves the -wal for the next connection to judge
  };

  StoreConnection(std::string path, Scrutiny scrutiny) : path_(std::move(path)), scrutiny_(scrutiny) {}

  // The steps of opening, in their order.
  Result<void> open_file(const StoreOptions& options);
  Result<void> harden(const StoreOptions& options);
  Result<void> recognise(const StoreOptions& options);
  Result<void> check_content(const StoreOptions& options);
  Result<void> check_wal(const StoreOptions& options);
  Result<void> use_wal(const StoreOptions& options);
  Result<void> migrate(const StoreOptions& options);
  Result<void> prepare_statements(const StoreOptions& options);
  Result<void> learn_identity(const StoreOptions& options);
  Result<void> sweep_orphans(const StoreOptions& options);

  int apply(const Migration& migration);
  int write_rows(const StoreBatch& batch);
  int forget(ArenaId arena);
  int write_arena(const ArenaRecord& arena);
  int write_checkpoint(const CheckpointRecord& checkpoint);
  int write_result(const ResultRecord& result);

  Error error(int code, const char* doing);
  // While the content is judged: what SQLite does not understand is damage, too.
  Error judgement(int code, const char* doing);

  std::string path_;
  Scrutiny scrutiny_;
  Database db_;
  Trust trust_ = Trust::unproven;
  int64_t version_ = 0;
  std::string identity_;
  Statement count_commit_;
  Statement forget_checkpoints_;
  Statement forget_arena_;
  Statement write_arena_;
  Statement forget_params_;
  Statement write_param_;
  Statement write_checkpoint_;
  Statement prune_checkpoints_;
  Statement write_result_;
  Statement read_arenas_;
  Statement read_params_;
  Statement read_checkpoints_;
  Statement read_results_;
  Statement read_latest_sequence_;
};

Result<std::unique_ptr<StoreConnection>> StoreConnection::open(const std::string& path, const StoreOptions& options,
                                                               Scrutiny scrutiny) {
  std::unique_ptr<StoreConnection> opening(new StoreConnection(path, scrutiny));
  for (const auto step :
       {&StoreConnection::open_file, &StoreConnection::harden, &StoreConnection::recognise, &StoreConnection::check_content,
        &StoreConnection::check_wal, &StoreConnection::use_wal, &StoreConnection::migrate, &StoreConnection::prepare_statements,
        &StoreConnection::learn_identity, &StoreConnection::sweep_orphans}) {
    if (Result<void> done = (*opening.*step)(options); !done) return done.error();
  }
  opening->trust_ = Trust::sound;
  return opening;
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
  const int system_errno = errno_behind(code, db_.get());
  const ErrorCode meaning = meaning_of(code, system_errno);
  if (trust_ == Trust::sound && makes_suspect(code, meaning)) trust_ = Trust::suspect;
  const std::string text = std::string("cannot ") + doing + " " + path_ + " (" + sqlite3_errmsg(db_.get()) +
                           ", SQLite's code " + std::to_string(code) + "); " + advice_for(code, meaning);
  return {meaning, system_errno, text};
}

Error StoreConnection::judgement(int code, const char* doing) {
  Error found = error(code, doing);
  if (primary(code) == SQLITE_ERROR) found.code = ErrorCode::corrupt;
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

// Nothing that stands in the file, its schema included, may make SQLite do more than keep rows
// (sqlite.org/security.html).
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
  // open_file() has seen that the file may be written, so it is the file's own header that forbids
  // it.
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

// SQLite takes any whole -wal of the right name for the database's own. Every transaction writes
// the page with the identity, so if the -wal is another database's, the identity read through it is
// another one than that of the file.
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
  struct Text {
    Statement* statement;
    const char* sql;
  };
  const Text texts[] = {
      {&count_commit_, "UPDATE store SET commits = commits + 1"},
      {&forget_checkpoints_, "DELETE FROM checkpoints WHERE arena = ?1"},
      {&forget_arena_, "DELETE FROM arenas WHERE id = ?1"},
      {&write_arena_,
       "INSERT INTO arenas (id, name, game, module_path, disposition, epoch, created_unix_ms,"
       " changed_unix_ms, reason, restarts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"
       " ON CONFLICT (id) DO UPDATE SET name = ?2, game = ?3, module_path = ?4, disposition = ?5,"
       " epoch = ?6, created_unix_ms = ?7, changed_unix_ms = ?8, reason = ?9, restarts = ?10"},
      {&forget_params_, "DELETE FROM arena_params WHERE arena = ?1"},
      {&write_param_, "INSERT INTO arena_params (arena, position, name, value) VALUES (?1, ?2, ?3, ?4)"},
      // A row that is already there was written by an earlier try, or is damaged and is healed by
      // this.
      {&write_checkpoint_,
       "INSERT OR REPLACE INTO checkpoints (arena, epoch, frame, taken_unix_ms, checksum, bytes)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
      // With fewer than two rows the inner select is NULL, and nothing is older than NULL.
      {&prune_checkpoints_,
       "DELETE FROM checkpoints WHERE arena = ?1 AND (epoch, frame) <"
       " (SELECT epoch, frame FROM checkpoints WHERE arena = ?1"
       "  ORDER BY epoch DESC, frame DESC LIMIT 1 OFFSET 1)"},
      {&write_result_,
       "INSERT OR IGNORE INTO results (arena, sequence, seat, type, bytes, recorded_unix_ms)"
       " VALUES (?1, ?2, ?3, ?4, ?5, ?6)"},
      {&read_arenas_,
       "SELECT id, name, game, module_path, disposition, epoch, created_unix_ms, changed_unix_ms,"
       " reason, restarts FROM arenas ORDER BY id"},
      {&read_params_, "SELECT name, value FROM arena_params WHERE arena = ?1 ORDER BY position"},
      {&read_checkpoints_,
       "SELECT epoch, frame, taken_unix_ms, checksum, bytes FROM checkpoints WHERE arena = ?1"
       " ORDER BY epoch DESC, frame DESC"},
      {&read_results_,
       "SELECT sequence, seat, type, bytes, recorded_unix_ms FROM results WHERE arena = ?1"
       " ORDER BY sequence"},
      {&read_latest_sequence_, "SELECT max(sequence) FROM results WHERE arena = ?1"},
  };
  for (const Text& text : texts) {
    const int code = text.statement->prepare(db_.get(), text.sql);
    if (code != SQLITE_OK) return judgement(code, "use the tables of");
  }
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

bool StoreConnection::file_has_moved() const {
  int moved = 0;
  sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return moved != 0;
}

// ---- Writing ----

Result<void> StoreConnection::write(const StoreBatch& batch) {
  int code = execute(db_.get(), "BEGIN IMMEDIATE");
  if (code == SQLITE_OK) code = write_rows(batch);
  if (code == SQLITE_OK) code = execute(db_.get(), "COMMIT");
  if (code == SQLITE_OK) return {};
  Error failure = error(code, "write");
  // Fails if there is no transaction any more, which is as well.
  execute(db_.get(), "ROLLBACK");
  return failure;
}

int StoreConnection::write_rows(const StoreBatch& batch) {
  int code = count_commit_.run();
  const auto each = [&code](const auto& records, auto write_record) {
    for (const auto& record : records) {
      if (code != SQLITE_OK) return;
      code = write_record(record);
    }
  };
  each(batch.forgotten, [this](ArenaId id) { return forget(id); });
  each(batch.arenas, [this](const ArenaRecord& arena) { return write_arena(arena); });
  each(batch.checkpoints, [this](const CheckpointRecord& taken) { return write_checkpoint(taken); });
  each(batch.results, [this](const ResultRecord& result) { return write_result(result); });
  return code;
}

int StoreConnection::forget(ArenaId arena) {
  const int code = forget_checkpoints_.run(arena);
  return code == SQLITE_OK ? forget_arena_.run(arena) : code;
}

int StoreConnection::write_arena(const ArenaRecord& arena) {
  int code = write_arena_.run(arena.id, arena.name, arena.game, arena.module_path, std::string(to_string(arena.disposition)),
                              to_column(arena.epoch), arena.created_unix_ms, arena.changed_unix_ms, arena.reason,
                              to_column(arena.restarts));
  if (code == SQLITE_OK) code = forget_params_.run(arena.id);
  int64_t position = 0;
  for (const auto& [name, value] : arena.params) {
    if (code != SQLITE_OK) break;
    code = write_param_.run(arena.id, position++, name, value);
  }
  return code;
}

int StoreConnection::write_checkpoint(const CheckpointRecord& checkpoint) {
  const int code = write_checkpoint_.run(checkpoint.arena, to_column(checkpoint.epoch.value), to_column(checkpoint.frame.value),
                                         checkpoint.taken_unix_ms, checksum_of(checkpoint), Blob{checkpoint.bytes});
  return code == SQLITE_OK ? prune_checkpoints_.run(checkpoint.arena) : code;
}

int StoreConnection::write_result(const ResultRecord& result) {
  return write_result_.run(result.arena, to_column(result.sequence), int64_t{result.seat}, to_column(result.type),
                           Blob{result.bytes}, result.recorded_unix_ms);
}

// ---- Reading ----

template <class OnDamage>
Result<std::vector<ArenaRecord>> StoreConnection::arenas(OnDamage on_damage) {
  std::vector<ArenaRecord> arenas;
  int code = read_arenas_.each([&](const Row& row) {
    ArenaRecord arena{.id = row.arena(0),
                      .name = row.bytes(1),
                      .game = row.bytes(2),
                      .module_path = row.bytes(3),
                      .params = {},
                      .disposition = ArenaDisposition::running,
                      .epoch = row.word(5),
                      .created_unix_ms = row.number(6),
                      .changed_unix_ms = row.number(7),
                      .reason = row.bytes(8),
                      .restarts = row.word(9)};
    const std::string word = row.bytes(4);
    const std::optional<ArenaDisposition> disposition = parse_disposition(word);
    if (!disposition) return on_damage("arena " + arena.id.text() + ": disposition \"" + word + '"');
    arena.disposition = *disposition;
    arenas.push_back(std::move(arena));
  });
  for (ArenaRecord& arena : arenas) {
    if (code != SQLITE_OK) break;
    code = read_params_.each([&](const Row& row) { arena.params.emplace_back(row.bytes(0), row.bytes(1)); }, arena.id);
  }
  if (code != SQLITE_OK) return error(code, "read");
  return arenas;
}

template <class OnDamage>
Result<std::vector<CheckpointRecord>> StoreConnection::checkpoints(ArenaId arena, OnDamage on_damage) {
  std::vector<CheckpointRecord> checkpoints;
  const int code = read_checkpoints_.each(
      [&](const Row& row) {
        CheckpointRecord checkpoint{.arena = arena,
                                    .epoch = {row.word(0)},
                                    .frame = {row.word(1)},
                                    .taken_unix_ms = row.number(2),
                                    .bytes = row.bytes(4)};
        if (checksum_of(checkpoint) != row.number(3)) {
          return on_damage("checkpoint of arena " + arena.text() + ", epoch " + std::to_string(checkpoint.epoch.value) +
                           ", frame " + std::to_string(checkpoint.frame.value) + ": checksum");
        }
        checkpoints.push_back(std::move(checkpoint));
      },
      arena);
  if (code != SQLITE_OK) return error(code, "read");
  return checkpoints;
}

Result<std::vector<ResultRecord>> StoreConnection::results(ArenaId arena) {
  std::vector<ResultRecord> results;
  const int code = read_results_.each(
      [&](const Row& row) {
        results.push_back({.arena = arena,
                           .sequence = row.word(0),
                           .seat = static_cast<uint32_t>(row.number(1)),
                           .type = row.word(2),
                           .bytes = row.bytes(3),
                           .recorded_unix_ms = row.number(4)});
      },
      arena);
  if (code != SQLITE_OK) return error(code, "read");
  return results;
}

Result<std::optional<uint64_t>> StoreConnection::latest_results_sequence(ArenaId arena) {
  std::optional<uint64_t> latest;
  const int code = read_latest_sequence_.each(
      [&](const Row& row) {
        if (!row.is_null(0)) latest = row.word(0);
      },
      arena);
  if (code != SQLITE_OK) return error(code, "read");
  return latest;
}

// ---- The store ----

std::span<const Migration> known_migrations() {
  return kMigrations;
}

Result<void> check_batch(const StoreBatch& batch) {
  if (Result<void> checked = check_each(batch.forgotten); !checked) return checked;
  if (Result<void> checked = check_each(batch.arenas); !checked) return checked;
  if (Result<void> checked = check_each(batch.checkpoints); !checked) return checked;
  return check_each(batch.results);
}

Store::Store(std::string path, const StoreOptions& options) : path_(std::move(path)), options_(options) {}
Store::Store(Store&& other) noexcept = default;
Store& Store::operator=(Store&& other) noexcept = default;
Store::~Store() = default;

Result<Store::Opened> Store::open(const std::string& path, const StoreOptions& options) {
  ARENAD_ASSERT(!options.migrations.empty());
  Store store(absolute_path(path), options);
  if (Result<void> connected = store.connect(); !connected) return connected.error();
  std::optional<std::string> notice;
  for (const std::string& text : store.take_notices()) {
    notice = notice ? *notice + "; " + text : text;
  }
  return Opened{std::move(store), std::move(notice)};
}

Result<void> Store::connect() {
  if (Result<void> usable = require_regular_file(path_); !usable) return usable;
  if (Result<void> judged = judge_short_file(); !judged) return judged;
  auto opened = StoreConnection::open(path_, options_, next_scrutiny_);
  if (!opened && opened.error().code == ErrorCode::corrupt) {
    if (Result<void> moved = move_damage_aside(opened.error().text()); !moved) return moved;
    opened = StoreConnection::open(path_, options_, next_scrutiny_);
  }
  if (!opened) return opened.error();
  connection_ = std::move(*opened);
  next_scrutiny_ = Scrutiny::quick;
  if (!identity_.empty() && identity_ != connection_->identity()) ++replacements_;
  identity_ = connection_->identity();
  return {};
}

// SQLite takes a file of one byte for an empty one, and begins a new database in an empty file
// without a word.
Result<void> Store::judge_short_file() {
  const uint64_t bytes = bytes_of_file(path_);
  if (bytes >= kHeaderBytes) return {};
  if (bytes > 0) return move_damage_aside(path_ + " is shorter than a database's header");
  // SQLite would delete this -wal unread, as left from a database that is gone.
  if (bytes_of_file(path_ + "-wal") > 0) {
    return move_damage_aside(path_ + " is empty or gone, but its -wal is not");
  }
  std::error_code error;
  if (fs::exists(path_, error)) {
    notice(path_ +
           " was empty: what it held before, if anything, is lost; a new database was "
           "begun in it");
  }
  return {};
}

Result<void> Store::move_damage_aside(const std::string& damage) {
  Result<std::string> aside = move_aside(path_, Moved::database_and_side_files);
  if (!aside) return aside.error();
  notice(damage + ". It was moved to " + *aside +
         " and a new, empty database was begun: running arenas write themselves into it, "
         "everything else is only in the old file");
  return {};
}

Result<void> Store::ensure_connected() {
  if (connection_ != nullptr && connection_->file_has_moved()) {
    if (Result<void> left = leave_moved_file(); !left) return left;
  }
  if (connection_ != nullptr) return {};
  return connect();
}

// Someone renamed, replaced or deleted the file in use. SQLite would write on into a file that
// nobody finds again. The -wal that stays behind belongs to the old file and would spoil whatever
// stands there now.
Result<void> Store::leave_moved_file() {
  Result<std::string> aside = move_aside(path_, Moved::side_files_only);
  if (!aside) return aside.error();
  connection_.reset();
  notice(path_ + " was moved, replaced or deleted while in use. The -wal that it left, if any, is now " + *aside +
         "-wal; the store goes on with what is at its path");
  // Counted here, because what is there now may be an old copy with the same identity.
  identity_.clear();
  ++replacements_;
  return {};
}

Error Store::drop_if_suspect(Error error) {
  if (error.code == ErrorCode::corrupt) next_scrutiny_ = Scrutiny::full;
  if (connection_->is_suspect()) connection_.reset();
  return error;
}

Result<void> Store::commit(const StoreBatch& batch) {
  if (Result<void> checked = check_batch(batch); !checked) return checked;
  if (batch.empty()) return {};
  if (Result<void> ready = ensure_connected(); !ready) return ready;
  Result<void> written = connection_->write(batch);
  if (!written) return drop_if_suspect(written.error());
  return {};
}

Result<std::vector<ArenaRecord>> Store::arenas() {
  if (Result<void> ready = ensure_connected(); !ready) return ready.error();
  auto read = connection_->arenas([this](const std::string& what) { skip_row(what); });
  if (!read) return drop_if_suspect(read.error());
  return read;
}

Result<std::vector<CheckpointRecord>> Store::checkpoints(ArenaId arena) {
  if (Result<void> ready = ensure_connected(); !ready) return ready.error();
  auto read = connection_->checkpoints(arena, [this](const std::string& what) { skip_row(what); });
  if (!read) return drop_if_suspect(read.error());
  return read;
}

Result<std::vector<ResultRecord>> Store::results(ArenaId arena) {
  if (Result<void> ready = ensure_connected(); !ready) return ready.error();
  auto read = connection_->results(arena);
  if (!read) return drop_if_suspect(read.error());
  return read;
}

Result<std::optional<uint64_t>> Store::latest_results_sequence(ArenaId arena) {
  if (Result<void> ready = ensure_connected(); !ready) return ready.error();
  auto read = connection_->latest_results_sequence(arena);
  if (!read) return drop_if_suspect(read.error());
  return read;
}

void Store::skip_row(const std::string& what) {
  ++skipped_rows_;
  notice(path_ + ": skipped a damaged row, " + what + "; check the machine's disk and memory");
}

void Store::notice(std::string text) {
  if (notices_.size() < kMaxNotices) notices_.push_back(std::move(text));
}

std::vector<std::string> Store::take_notices() {
  return std::exchange(notices_, {});
}

}  // namespace arenad
