// Which columns of a table are shown, and whether with its header: the same options for every verb that prints one. Columns are called
// as their headings, in small letters; names are promises to scripts.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "cli/table.h"

namespace CLI {
class App;
}

namespace arenad::cli {

// "Columns:" and their names in lines that fit a terminal, for the end of help. Completion reads it too.
std::string columns_help(std::span<const std::string> names);

// Names as people type them: in whatever case, with '_' for '-'.
std::string column_name_of(std::string_view typed);

class TableOptions {
 public:
  // empty: the table without rows.
  explicit TableOptions(const Table& empty) : names_(empty.column_names()) {}

  void add_to(CLI::App& verb);
  // ErrorCode::invalid names the first column that does not exist.
  Result<void> check();
  // The same, of a table whose columns are known only now.
  Result<void> check(const Table& table);
  // After check(). The table has the columns of the one that was given first.
  [[nodiscard]] std::string text(const Table& table, Colour colour) const;
  // Whether any of these options was given: for who shows something else without them.
  [[nodiscard]] bool is_wanted() const { return !wanted_.empty() || no_header_; }
  // After check().
  [[nodiscard]] bool chooses_columns() const { return !wanted_.empty(); }
  [[nodiscard]] std::string help() const { return columns_help(names_); }

 private:
  std::vector<std::string> names_;
  std::string wanted_text_;
  std::vector<size_t> wanted_;
  bool no_header_ = false;
};

}  // namespace arenad::cli
