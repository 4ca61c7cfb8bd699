// Aligned columns of text, with colour only where it is wanted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace arenad::cli {

enum class Align { left, right };
enum class Colour { none, ansi };
enum class Header { shown, hidden };
enum class Tone { plain, heading, good, changing, bad };

struct Cell {
  std::string text;  // printable (ipc/printable.h); empty is shown as "-"
  Tone tone = Tone::plain;
};

struct Column {
  std::string heading;
  Align align = Align::left;
};

std::string painted(std::string_view text, Tone tone, Colour colour);

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // As many cells as there are columns.
  void add_row(std::vector<Cell> cells);
  [[nodiscard]] std::vector<std::string> column_names() const;
  // The same rows with these columns, by index, in this order.
  [[nodiscard]] Table with_columns(const std::vector<size_t>& wanted) const;
  // One line for each row, columns two spaces apart, no spaces at the ends of lines.
  [[nodiscard]] std::string text(Colour colour, Header header) const;

 private:
  [[nodiscard]] std::vector<Cell> heading_row() const;
  [[nodiscard]] std::vector<size_t> widths(Header header) const;
  [[nodiscard]] std::string line(const std::vector<Cell>& cells, const std::vector<size_t>& widths, Colour colour) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// Columns that printable text takes, at one for each code point. Wide and combining characters are
// counted wrongly, which only spoils the alignment of their own row.
size_t display_width(std::string_view text);

}  // namespace arenad::cli
