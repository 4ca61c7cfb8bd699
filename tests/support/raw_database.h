// A database as another program sees it.
#pragma once

#include <string>

#include <doctest/doctest.h>
#include <sqlite3.h>

namespace arenad::test {

class Raw {
 public:
  explicit Raw(const std::string& path) { REQUIRE(sqlite3_open(path.c_str(), &db_) == SQLITE_OK); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  ~Raw() { sqlite3_close(db_); }
  void run(const std::string& sql) {
    const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    REQUIRE_MESSAGE(code == SQLITE_OK, sqlite3_errmsg(db_));
  }
  // The first value of each row, one after the other.
  std::string ask(const std::string& sql) {
    std::string answer;
    const auto keep = [](void* into, int, char** values, char**) {
      *static_cast<std::string*>(into) += values[0] == nullptr ? "NULL" : values[0];
      return 0;
    };
    REQUIRE(sqlite3_exec(db_, sql.c_str(), keep, &answer, nullptr) == SQLITE_OK);
    return answer;
  }

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace arenad::test
