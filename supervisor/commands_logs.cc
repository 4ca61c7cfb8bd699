// Requests about what was logged and what has happened. They are answered from memory, at once: who follows asks again after what he has
// seen, and so nothing is kept for anybody who is slow.
#include <algorithm>
#include <fnmatch.h>
#include <set>

#include "supervisor/commands.h"
#include "supervisor/log_book.h"

namespace arenad {
namespace {

constexpr uint32_t kDefaultLimit = 1000;
constexpr uint32_t kMostLines = 10'000;
constexpr uint32_t kMostEvents = 1000;
constexpr size_t kMostTextBytes = size_t{512} * 1024;  // of a reply

bool is_event_type(const std::string& word) {
  constexpr int kLast = static_cast<int>(LifecycleEvent::config_reloaded);
  for (int event = 0; event <= kLast; ++event) {
    if (word == to_string(static_cast<LifecycleEvent>(event))) return true;
  }
  return false;
}

bool selects_nothing(wire::Selection::Reader selection) {
  return selection.getAll() || selection.getArenas().size() == 0;
}

size_t bytes_of(const LogBook::Numbered& line) {
  constexpr size_t kOverhead = 128;
  return kOverhead + line.line.text.size();
}

// What does not fit in a message waits to be asked for again, or, of the newest, is left out.
void cut_newest(LogBook::Page& page) {
  size_t bytes = 0;
  auto first = page.lines.end();
  while (first != page.lines.begin() && (bytes += bytes_of(*std::prev(first))) <= kMostTextBytes) --first;
  page.lines.erase(page.lines.begin(), first);
}

void cut_oldest(LogBook::Page& page) {
  size_t bytes = 0;
  auto end = page.lines.begin();
  while (end != page.lines.end() && (bytes += bytes_of(*end)) <= kMostTextBytes) ++end;
  if (end == page.lines.end()) return;
  page.lines.erase(end, page.lines.end());
  page.next = page.lines.back().number;
}

void write(const LogBook::Numbered& from, wire::LogLine::Builder to) {
  to.setNumber(from.number);
  to.setAtUnixNs(from.line.unix_ns);
  to.setSeverity(to_string(from.line.severity));
  to.setArena(from.line.arena);
  to.setGame(from.line.game);
  to.setEpoch(from.line.epoch);
  to.setFrame(from.line.frame);
  to.setPid(from.line.pid);
  to.setSource(from.line.source);
  to.setSignature(from.line.signature);
  to.setText(from.line.text);
}

void write(const LifecycleRecord& from, wire::LifecycleEvent::Builder to) {
  to.setNumber(from.number);
  to.setAtUnixMs(from.at_unix_ms);
  to.setType(from.type);
  to.setArena(from.arena);
  to.setName(from.name);
  to.setGame(from.game);
  to.setEpoch(from.epoch);
  to.setFrame(from.frame);
  auto details = to.initDetails(static_cast<uint>(from.details.size()));
  for (uint i = 0; i < details.size(); ++i) {
    details[i].setKey(from.details[i].first);
    details[i].setValue(from.details[i].second);
  }
}

}  // namespace

void Commands::logs(RequestId from, wire::LogQuery::Reader query) {
  const LogBook& book = scope_.log;
  LogBook::Selected selected{selects_nothing(query.getSelection()), {}};
  std::vector<std::string> unknown;
  std::set<std::string> names;
  for (const auto text : query.getSelection().getArenas()) {
    const std::string pattern(text.begin(), text.size());
    std::vector<std::string> found = book.names(pattern);
    for (const Arena* arena : scope_.roster.select(pattern)) found.push_back(arena->record().name);
    if (found.empty()) unknown.push_back(pattern);
    names.insert(found.begin(), found.end());
  }
  selected.arenas.assign(names.begin(), names.end());
  const size_t limit = std::min(query.getLimit() == 0 ? kDefaultLimit : query.getLimit(), kMostLines);
  const bool goes_on = query.getBook() == book.number();
  LogBook::Page page = goes_on ? book.after(selected, query.getAfter(), limit) : book.newest(selected, limit);
  goes_on ? cut_oldest(page) : cut_newest(page);
  scope_.server.reply(from, [&](wire::Reply::Builder reply) {
    auto logs = reply.initLogs();
    logs.setBook(book.number());
    logs.setNext(page.next);
    logs.setMissed(page.missed);
    auto lines = logs.initLines(static_cast<uint>(page.lines.size()));
    for (uint i = 0; i < lines.size(); ++i) write(page.lines[i], lines[i]);
    auto missing = logs.initUnknown(static_cast<uint>(unknown.size()));
    for (uint i = 0; i < missing.size(); ++i) missing.set(i, unknown[i]);
  });
}

void Commands::events(RequestId from, wire::EventQuery::Reader query) {
  const LifecycleLog& log = scope_.services.events;
  std::set<std::string> types;
  for (const auto type : query.getTypes()) {
    const std::string word(type.begin(), type.size());
    if (!is_event_type(word)) {
      return scope_.server.fail(from, make_error(ErrorCode::invalid, "no event is of type '" + word + "'"));
    }
    types.insert(word);
  }
  std::vector<std::string> patterns;
  for (const auto text : query.getSelection().getArenas()) patterns.emplace_back(text.begin(), text.size());
  const bool of_all = selects_nothing(query.getSelection());
  const auto wanted = [&](const LifecycleRecord& event) {
    if (!types.empty() && !types.contains(event.type)) return false;
    const auto fits = [&](const std::string& pattern) {
      return pattern == event.arena || ::fnmatch(pattern.c_str(), event.name.c_str(), 0) == 0;
    };
    return of_all || (!event.arena.empty() && std::ranges::any_of(patterns, fits));
  };
  const size_t limit = std::min<size_t>(query.getLimit() == 0 ? kDefaultLimit : query.getLimit(), kMostEvents);
  const LifecycleLog::Page page = query.getHasAfter() ? log.after(query.getAfter(), wanted, limit) : log.newest(wanted, limit);
  scope_.server.reply(from, [&](wire::Reply::Builder reply) {
    auto to = reply.initEvents();
    to.setNext(page.next);
    to.setOldest(log.oldest());
    to.setNewest(log.last());
    auto events = to.initEvents(static_cast<uint>(page.events.size()));
    for (uint i = 0; i < events.size(); ++i) write(*page.events[i], events[i]);
  });
}

}  // namespace arenad
