#include "cli/result_table.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fmt/format.h>
#include <limits>

#include "cli/hex_dump.h"
#include "cli/json_object.h"
#include "cli/quantity.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr size_t kShownHexBytes = 32;
constexpr size_t kShownCompositeBytes = 64;
// The columns in front of the fields.
enum class Known : size_t { when, arena, sequence, seat, player, version, type, bytes, message, count };

const std::vector<Column>& known_columns() {
  static const std::vector<Column> columns{{"WHEN"},
                                           {"ARENA"},
                                           {"SEQUENCE", Align::right},
                                           {"SEAT", Align::right},
                                           {"PLAYER"},
                                           {"VERSION"},
                                           {"TYPE"},
                                           {"BYTES", Align::right},
                                           {"MESSAGE"}};
  return columns;
}

// damageDealt is DAMAGE-DEALT.
std::string heading_of_field(const std::string& name) {
  std::string heading;
  for (const char c : printable(name)) {
    const auto letter = static_cast<unsigned char>(c);
    if (std::isupper(letter) != 0 && !heading.empty() && heading.back() != '-' && heading.back() != '.') heading += '-';
    heading += c == '_' ? '-' : static_cast<char>(std::toupper(letter));
  }
  return heading;
}

std::span<const unsigned char> span_of(const std::string& bytes) {
  return {reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()};
}

std::string shortened_message(const std::string& message) {
  if (message.size() <= kShownHexBytes) return hex_text(span_of(message));
  return hex_text(span_of(message).first(kShownHexBytes)) + "...";
}

std::string type_name_of(const ResultRow& row) {
  return row.fields_type != nullptr ? printable(row.fields_type->name) : fmt::format("{:#018x}", row.type);
}

std::string value_cell(const ResultValue& value) {
  const std::string text = printable(value_text(value));
  if (!std::holds_alternative<CompositeValue>(value) || text.size() <= kShownCompositeBytes) return text;
  return text.substr(0, kShownCompositeBytes) + "...";
}

Align alignment_of(const ResultField& field) {
  return field.is_number ? Align::right : Align::left;
}

// How often a Bool was true is a number.
Align alignment_of_total(const ResultField& field) {
  if (field.aggregate == Aggregate::any) return Align::left;
  return field.is_number || field.aggregate == Aggregate::sum ? Align::right : Align::left;
}

Json json_of_value(const ResultValue& value) {
  if (is_none(value)) return nullptr;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* composite = std::get_if<CompositeValue>(&value)) return Json::parse(composite->json, nullptr, false);
  const auto* whole = std::get_if<Integer>(&value);
  if (whole == nullptr) return value_text(value);
  if (*whole < 0)
    return *whole < std::numeric_limits<int64_t>::min() ? Json(static_cast<double>(*whole))
                                                        : Json(static_cast<int64_t>(*whole));
  return *whole > std::numeric_limits<uint64_t>::max() ? Json(static_cast<double>(*whole))
                                                       : Json(static_cast<uint64_t>(*whole));
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

Json json_of_row(const ResultRow& row) {
  Json json{{"sequence", row.sequence},
            {"seat", row.seat},
            // Beyond 2^53, where many readers of JSON lose digits.
            {"type", fmt::format("{:#018x}", row.type)},
            {"message_hex", hex_text(span_of(row.message))},
            {"type_name", row.fields_type != nullptr ? Json(row.fields_type->name) : Json(nullptr)},
            {"fields", nullptr},
            {"fields_error", text_or_null(row.why_unread)},
            {"player", text_or_null(row.player)},
            {"arena", row.arena},
            {"name", text_or_null(row.arena_name)},
            {"game", text_or_null(row.game)},
            {"version", text_or_null(row.version)},
            {"recorded_unix_ms", row.recorded_unix_ms}};
  if (row.fields_type == nullptr) return json;
  json["fields"] = Json::object();
  for (size_t i = 0; i < row.values.size(); ++i) json["fields"][row.fields_type->fields[i].name] = json_of_value(row.values[i]);
  return json;
}

Json answer_to(const ResultQuestion& question) {
  Json json = object_with_schema();
  json[question.arena.empty() ? "game" : "arena"] = question.arena.empty() ? question.game : question.arena;
  return json;
}

void add_bounds(Json& json, const ResultAnswer& answer) {
  json["looked_at"] = answer.looked_at;
  json["cut_off"] = answer.cut_off;
}

// The fields that add up to something, by their places.
std::vector<size_t> adding_up(const ResultColumns& columns) {
  std::vector<size_t> fields;
  for (size_t i = 0; i < columns.fields().size(); ++i) {
    if (columns.fields()[i].aggregate != Aggregate::skip) fields.push_back(i);
  }
  return fields;
}

ResultValue total_or_none(const ResultGroup& group, size_t field) {
  return field < group.totals.size() ? group.totals[field].value() : ResultValue();
}

}  // namespace

Table result_table(const std::vector<ResultRow>& rows, const ResultColumns& columns) {
  std::vector<Column> headings = known_columns();
  for (const ResultField& field : columns.fields()) {
    headings.push_back({heading_of_field(field.name), alignment_of(field)});
  }
  Table table(std::move(headings));
  for (const ResultRow& row : rows) {
    std::vector<Cell> cells{{utc_ms_text(row.recorded_unix_ms)},
                            {printable(row.arena_name.empty() ? row.arena : row.arena_name)},
                            {std::to_string(row.sequence)},
                            {std::to_string(row.seat)},
                            {printable(row.player)},
                            {printable(row.version)},
                            {type_name_of(row)},
                            {std::to_string(row.message.size())},
                            {shortened_message(row.message)}};
    for (const ResultValue& value : columns.values(row)) cells.push_back({value_cell(value)});
    table.add_row(std::move(cells));
  }
  return table;
}

std::vector<size_t> usual_result_columns(const std::vector<ResultRow>& rows, const ResultColumns& columns,
                                         const ResultQuestion& question) {
  const auto any = [&](auto holds) { return std::ranges::any_of(rows, holds); };
  const bool unread = rows.empty() || any([](const ResultRow& row) { return row.fields_type == nullptr; });
  std::vector<size_t> shown;
  const auto show = [&](Known column) { shown.push_back(static_cast<size_t>(column)); };
  if (question.arena.empty()) {
    show(Known::when);
    show(Known::arena);
  } else {
    show(Known::sequence);
  }
  show(Known::seat);
  if (any([](const ResultRow& row) { return !row.player.empty(); })) show(Known::player);
  if (unread || columns.is_mixed()) show(Known::type);
  if (unread) {
    show(Known::bytes);
    show(Known::message);
  }
  for (size_t i = 0; i < columns.fields().size(); ++i) shown.push_back(static_cast<size_t>(Known::count) + i);
  return shown;
}

std::string results_json(const std::vector<ResultRow>& rows, const ResultQuestion& question, const ResultAnswer& answer) {
  Json json = answer_to(question);
  json["results"] = Json::array();
  for (const ResultRow& row : rows) json["results"].push_back(json_of_row(row));
  add_bounds(json, answer);
  return line(json);
}

Table result_group_table(const std::vector<ResultGroup>& groups, const ResultColumns& columns, const ResultQuestion& question) {
  const std::vector<size_t> fields = adding_up(columns);
  const bool by_number = std::ranges::all_of(groups, [](const ResultGroup& group) { return is_number(group.key); });
  std::vector<Column> headings;
  if (!question.by.empty()) headings.push_back({heading_of_field(question.by), by_number ? Align::right : Align::left});
  headings.push_back({"COUNT", Align::right});
  for (const size_t field : fields) {
    headings.push_back({heading_of_field(columns.fields()[field].name), alignment_of_total(columns.fields()[field])});
  }
  Table table(std::move(headings));
  for (const ResultGroup& group : groups) {
    std::vector<Cell> cells;
    if (!question.by.empty()) cells.push_back({value_cell(group.key)});
    cells.push_back({std::to_string(group.count)});
    for (const size_t field : fields) cells.push_back({value_cell(total_or_none(group, field))});
    table.add_row(std::move(cells));
  }
  return table;
}

std::string result_groups_json(const std::vector<ResultGroup>& groups, const ResultColumns& columns,
                               const ResultQuestion& question, const ResultAnswer& answer) {
  const std::vector<size_t> fields = adding_up(columns);
  Json json = answer_to(question);
  json["by"] = text_or_null(question.by);
  json["aggregates"] = Json::object();
  for (const size_t field : fields)
    json["aggregates"][columns.fields()[field].name] = to_string(columns.fields()[field].aggregate);
  json["groups"] = Json::array();
  for (const ResultGroup& group : groups) {
    Json one{{"key", json_of_value(group.key)},
             {"arena", text_or_null(group.arena)},
             {"count", group.count},
             {"fields", Json::object()}};
    for (const size_t field : fields) one["fields"][columns.fields()[field].name] = json_of_value(total_or_none(group, field));
    json["groups"].push_back(std::move(one));
  }
  add_bounds(json, answer);
  return line(json);
}

}  // namespace arenad::cli
