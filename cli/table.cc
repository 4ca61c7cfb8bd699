#include "cli/table.h"

#include <algorithm>
#include <cctype>

#include "arenad/result.h"

namespace arenad::cli {
namespace {

// Select Graphic Rendition parameters of ECMA-48; the sixteen colours follow the terminal's theme.
std::string_view escape_sequence(Tone tone) {
  switch (tone) {
    case Tone::plain:
      return "";
    case Tone::heading:
      return "\x1b[1m";
    case Tone::good:
      return "\x1b[32m";
    case Tone::changing:
      return "\x1b[33m";
    case Tone::bad:
      return "\x1b[1;31m";
  }
  return "";
}

std::string_view shown(const Cell& cell) {
  return cell.text.empty() ? std::string_view("-") : std::string_view(cell.text);
}

}  // namespace

std::string painted(std::string_view text, Tone tone, Colour colour) {
  if (colour == Colour::none || tone == Tone::plain || text.empty()) return std::string(text);
  return std::string(escape_sequence(tone)).append(text).append("\x1b[0m");
}

void Table::add_row(std::vector<Cell> cells) {
  ARENAD_ASSERT(cells.size() == columns_.size());
  rows_.push_back(std::move(cells));
}

std::vector<Cell> Table::heading_row() const {
  std::vector<Cell> cells;
  for (const Column& column : columns_) cells.push_back({column.heading, Tone::heading});
  return cells;
}

std::vector<size_t> Table::widths(Header header) const {
  std::vector<size_t> widths(columns_.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (header == Header::shown) widths[i] = display_width(columns_[i].heading);
    for (const auto& row : rows_) widths[i] = std::max(widths[i], display_width(shown(row[i])));
  }
  return widths;
}

std::string Table::line(const std::vector<Cell>& cells, const std::vector<size_t>& widths, Colour colour) const {
  std::string out;
  std::string gap;  // kept back until something follows, so that no line ends in spaces
  for (size_t i = 0; i < cells.size(); ++i) {
    const std::string_view text = shown(cells[i]);
    const std::string padding(widths[i] - display_width(text), ' ');
    out += gap;
    if (columns_[i].align == Align::right) out += padding;
    out += painted(text, cells[i].tone, colour);
    gap = columns_[i].align == Align::left ? padding + "  " : "  ";
  }
  return out + "\n";
}

std::vector<std::string> Table::column_names() const {
  std::vector<std::string> names;
  for (const Column& column : columns_) {
    std::string name = column.heading;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    names.push_back(std::move(name));
  }
  return names;
}

Table Table::with_columns(const std::vector<size_t>& wanted) const {
  std::vector<Column> columns;
  for (const size_t index : wanted) columns.push_back(columns_[index]);
  Table table(std::move(columns));
  for (const auto& row : rows_) {
    std::vector<Cell> cells;
    for (const size_t index : wanted) cells.push_back(row[index]);
    table.add_row(std::move(cells));
  }
  return table;
}

std::string Table::text(Colour colour, Header header) const {
  const auto column_widths = widths(header);
  std::string out;
  if (header == Header::shown) out += line(heading_row(), column_widths, colour);
  for (const auto& row : rows_) out += line(row, column_widths, colour);
  return out;
}

size_t display_width(std::string_view text) {
  const auto is_continuation = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  return static_cast<size_t>(std::ranges::count_if(text, [&](char c) { return !is_continuation(c); }));
}

}  // namespace arenad::cli
