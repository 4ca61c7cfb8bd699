#include "state/sqlite.h"

#include <algorithm>
#include <array>
#include <cerrno>

namespace arenad::sqlite {
namespace {

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

// nullptr if it is not open.
sqlite3_file* file_of(sqlite3* db, int which) {
  sqlite3_file* file = nullptr;
  sqlite3_file_control(db, "main", which, &file);
  return file == nullptr || file->pMethods == nullptr ? nullptr : file;
}

// Reads a file from its beginning to its end. on_piece(bytes, count, offset) gives SQLITE_OK, or the code to stop with.
template <class OnPiece>
int each_piece(sqlite3_file* file, OnPiece on_piece) {
  if (file == nullptr) return SQLITE_OK;
  std::array<char, 64 * 1024> bytes;
  sqlite3_int64 size = 0;
  int code = file->pMethods->xFileSize(file, &size);
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += bytes.size()) {
    const int count = static_cast<int>(std::min<sqlite3_int64>(bytes.size(), size - at));
    code = file->pMethods->xRead(file, bytes.data(), count, at);
    if (code == SQLITE_OK) code = on_piece(bytes.data(), count, at);
  }
  return code;
}

}  // namespace

// ---- Result codes ----

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

// ---- Values ----

int bind_value(sqlite3_stmt* statement, int index, int64_t value) {
  return sqlite3_bind_int64(statement, index, value);
}

int bind_value(sqlite3_stmt* statement, int index, const std::string& text) {
  return sqlite3_bind_text64(statement, index, text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

int bind_value(sqlite3_stmt* statement, int index, Blob blob) {
  return sqlite3_bind_blob64(statement, index, blob.bytes.data(), blob.bytes.size(), SQLITE_STATIC);
}

int bind_value(sqlite3_stmt* statement, int index, ArenaId id) {
  std::array<unsigned char, 16> bytes;
  for (size_t i = 0; i < 8; ++i) {
    bytes[i] = static_cast<unsigned char>(id.high >> (56 - 8 * i));
    bytes[8 + i] = static_cast<unsigned char>(id.low >> (56 - 8 * i));
  }
  return sqlite3_bind_blob(statement, index, bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}

std::string Row::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return data == nullptr ? std::string() : std::string(data, static_cast<size_t>(size));
}

ArenaId Row::arena(int column) const {
  const std::string stored = bytes(column);
  ArenaId id;
  for (size_t i = 0; i < stored.size() && i < 16; ++i) {
    uint64_t& half = i < 8 ? id.high : id.low;
    half = half << 8 | static_cast<unsigned char>(stored[i]);
  }
  return id;
}

// ---- Statements ----

int Statement::prepare(sqlite3* db, const char* sql) {
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, nullptr);
  handle_.reset(prepared);
  return code;
}

int execute(sqlite3* db, const std::string& sql) {
  return sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr);
}

// ---- Databases ----

int read_every_byte(sqlite3* db) {
  for (const int which : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
    const int code = each_piece(file_of(db, which), [](const char*, int, sqlite3_int64) { return SQLITE_OK; });
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

int write_wal_anew(sqlite3* db) {
  sqlite3_file* wal = file_of(db, SQLITE_FCNTL_JOURNAL_POINTER);
  bool has_written = false;
  int code = each_piece(wal, [&](const char* bytes, int count, sqlite3_int64 at) {
    has_written = true;
    return wal->pMethods->xWrite(wal, bytes, count, at);
  });
  if (code == SQLITE_OK && has_written) code = wal->pMethods->xSync(wal, SQLITE_SYNC_NORMAL);
  return code;
}

Database open_without_wal(const std::string& path) {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(immutable_uri(path).c_str(), &opened,
                                   SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, nullptr);
  Database db(opened);
  if (code != SQLITE_OK) return nullptr;
  return db;
}

}  // namespace arenad::sqlite
