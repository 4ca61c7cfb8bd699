// SQLite in Arenad's terms: what its result codes mean and what an operator does about them, and statements that take and give
// the values of which records are made. For StoreConnection and StoreTables alone: nothing else of Arenad speaks to SQLite.
//
// A function that returns int returns SQLite's extended result code. Only StoreConnection makes an Error of one, because only
// it knows what was done to which file.
//
// Invariants: a statement that has run, well or not, is reset and its values are unbound. Statements end before their Database,
// which could not be closed otherwise.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <sqlite3.h>

#include "arenad/ids.h"
#include "arenad/result.h"

namespace arenad::sqlite {

// ---- Result codes ----

// The kind of failure, without what SQLite adds in the extended code.
constexpr int primary(int code) {
  return code & 0xff;
}

// What the system said when SQLite says that reading, writing or opening failed; else 0.
int errno_behind(int code, sqlite3* db);

ErrorCode meaning_of(int code, int system_errno);

// For the operator, to stand behind what happened.
const char* advice_for(int code, ErrorCode meaning);

// After these the connection's view of the file is not believed any more. A full disk is no reason: reading goes on.
bool makes_suspect(int code, ErrorCode meaning);

// ---- Values ----

struct Blob {
  std::string_view bytes;
};

constexpr int64_t to_column(uint64_t number) {
  return static_cast<int64_t>(number);
}
constexpr uint64_t from_column(int64_t number) {
  return static_cast<uint64_t>(number);
}

// Text and blobs are not copied: they outlive the statement's run.
int bind_value(sqlite3_stmt* statement, int index, int64_t value);
int bind_value(sqlite3_stmt* statement, int index, const std::string& text);
int bind_value(sqlite3_stmt* statement, int index, Blob blob);
int bind_value(sqlite3_stmt* statement, int index, ArenaId id);

// The row at which a statement stands.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}

  [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(statement_, column) == SQLITE_NULL; }
  [[nodiscard]] int64_t number(int column) const { return sqlite3_column_int64(statement_, column); }
  [[nodiscard]] uint64_t word(int column) const { return from_column(number(column)); }
  // Of text and blobs alike.
  [[nodiscard]] std::string bytes(int column) const;
  [[nodiscard]] ArenaId arena(int column) const;

 private:
  sqlite3_stmt* statement_;
};

// ---- Statements ----

class Statement {
 public:
  int prepare(sqlite3* db, const char* sql);

  // Binds the values, calls on_row for each row, and is ready for the next run. Runs no other statement within on_row.
  template <class OnRow, class... Values>
  int each(OnRow on_row, const Values&... values) {
    int index = 0;
    int code = SQLITE_OK;
    ((code = code == SQLITE_OK ? bind_value(handle_.get(), ++index, values) : code), ...);
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

// For SQL that runs once: with rows, and without.
template <class OnRow>
int query(sqlite3* db, const char* sql, OnRow on_row) {
  Statement statement;
  const int code = statement.prepare(db, sql);
  return code == SQLITE_OK ? statement.each(on_row) : code;
}
int execute(sqlite3* db, const std::string& sql);

// ---- Databases ----

struct CloseDatabase {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// Reads every byte of the database and of its -wal, past SQLite's cache: SQLITE_OK if all of them can be read.
int read_every_byte(sqlite3* db);

// Writes the bytes of the -wal to where they are, and syncs them. Within a transaction that has the write lock.
int write_wal_anew(sqlite3* db);

// For reading the file alone, without locks and without its -wal. Nothing if it cannot be opened.
Database open_without_wal(const std::string& path);

}  // namespace arenad::sqlite
