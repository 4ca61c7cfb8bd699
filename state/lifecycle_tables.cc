#include "state/lifecycle_tables.h"

#include <algorithm>
#include <string_view>

namespace arenad {

using sqlite::Row;
using sqlite::to_column;

namespace {

std::string text_of(const std::vector<std::pair<std::string, std::string>>& details) {
  std::string text;
  for (const auto& [key, value] : details) text.append(key).append("=").append(value).append("\n");
  return text;
}

std::vector<std::pair<std::string, std::string>> details_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> details;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t equals = line.find('=');
    if (equals != std::string_view::npos) details.emplace_back(line.substr(0, equals), line.substr(equals + 1));
  }
  return details;
}

}  // namespace

int LifecycleTables::prepare(sqlite3* db) {
  int code = write_.prepare(db,
                            "INSERT OR REPLACE INTO lifecycle_events"
                            " (number, at_unix_ms, type, arena, name, game, epoch, frame, details)"
                            " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  if (code != SQLITE_OK) return code;
  code =
      forget_old_.prepare(db, "DELETE FROM lifecycle_events WHERE number <= (SELECT max(number) FROM lifecycle_events) - ?1");
  if (code != SQLITE_OK) return code;
  return read_.prepare(db,
                       "SELECT number, at_unix_ms, type, arena, name, game, epoch, frame, details FROM lifecycle_events"
                       " ORDER BY number");
}

int LifecycleTables::write(const StoreBatch& batch) {
  for (const LifecycleRecord& event : batch.lifecycle) {
    const int code = write_.run(to_column(event.number), event.at_unix_ms, event.type, event.arena, event.name, event.game,
                                to_column(event.epoch), to_column(event.frame), text_of(event.details));
    if (code != SQLITE_OK) return code;
  }
  return batch.lifecycle.empty() ? SQLITE_OK : forget_old_.run(to_column(kLifecycleEventsKept));
}

int LifecycleTables::read(std::vector<LifecycleRecord>& events) {
  return read_.each([&](const Row& row) {
    events.push_back({.number = row.word(0),
                      .at_unix_ms = row.number(1),
                      .type = row.bytes(2),
                      .arena = row.bytes(3),
                      .name = row.bytes(4),
                      .game = row.bytes(5),
                      .epoch = row.word(6),
                      .frame = row.word(7),
                      .details = details_of(row.bytes(8))});
  });
}

}  // namespace arenad
