#include "cli/table_options.h"

#include <algorithm>
#include <cctype>
#include <fmt/format.h>
#include <sstream>

#include <CLI/App.hpp>

#include "cli/suggestion.h"

namespace arenad::cli {

std::string columns_help(std::span<const std::string> names) {
  constexpr size_t kNamesInLine = 9;
  std::string text = "Columns:";
  for (size_t i = 0; i < names.size(); ++i) text.append(i % kNamesInLine == 0 ? "\n  " : " ").append(names[i]);
  return text + "\n";
}

std::string column_name_of(std::string_view typed) {
  std::string name;
  for (const char c : typed) {
    const bool dash = c == '_' || c == ' ';
    name += dash ? '-' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return name;
}

void TableOptions::add_to(CLI::App& verb) {
  verb.add_option("-o,--columns", wanted_text_, "What the table shows, in this order")->option_text("NAME,NAME...");
  verb.add_flag("--no-header", no_header_, "The table without its first line");
}

Result<void> TableOptions::check() {
  std::istringstream list(wanted_text_);
  for (std::string typed; std::getline(list, typed, ',');) {
    const std::string name = column_name_of(typed);
    const auto found = std::ranges::find(names_, name);
    if (found == names_.end()) {
      return make_error(ErrorCode::invalid, fmt::format("no column is called '{}'{}; there are: {}", typed,
                                                        did_you_mean(name, names_), fmt::join(names_, " ")));
    }
    wanted_.push_back(static_cast<size_t>(found - names_.begin()));
  }
  return {};
}

Result<void> TableOptions::check(const Table& table) {
  names_ = table.column_names();
  wanted_.clear();
  return check();
}

std::string TableOptions::text(const Table& table, Colour colour) const {
  const Header header = no_header_ ? Header::hidden : Header::shown;
  return wanted_.empty() ? table.text(colour, header) : table.with_columns(wanted_).text(colour, header);
}

}  // namespace arenad::cli
