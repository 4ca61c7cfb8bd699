// Requests about what was logged and what has happened. They are answered from memory, at once: who follows asks again after what he has
// seen, and so nothing is kept for anybody who is slow.
#include <algorithm>
#include <fnmatch.h>
#include <map>
#include <set>

#include "ipc/request_limits.h"
#include "supervisor/commands.h"
#include "supervisor/log_book.h"

namespace arenad {
namespace {

constexpr uint32_t kDefaultLimit = 1000;
constexpr uint32_t kMostLines = 10'000;
constexpr uint32_t kMostEvents = 1000;
constexpr size_t kMostBytes = size_t{512} * 1024;  // of lines in a reply; what does not fit waits to be asked for again

constexpr std::string_view kOfGame = "game:";

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

// Which events are asked for: by arenas, named by id, name, glob or game, and by types.
class EventChoice {
 public:
  explicit EventChoice(wire::EventQuery::Reader query) : of_all_(selects_nothing(query.getSelection())) {
    for (const auto type : query.getTypes()) types_.emplace(type.begin(), type.size());
    for (const auto text : query.getSelection().getArenas()) {
      const std::string selector(text.begin(), text.size());
      if (selector.starts_with(kOfGame)) {
        games_.push_back(selector.substr(kOfGame.size()));
      } else {
        const auto id = ArenaId::parse(selector);
        (is_pattern(selector) ? globs_ : names_).insert(id ? id->text() : selector);
      }
    }
  }

  bool wants(const LifecycleLog::Facts& event) {
    if (!types_.empty() && !types_.contains(event.type)) return false;
    if (of_all_) return true;
    if (event.arena.empty()) return false;
    return names_.contains(event.arena) || names_.contains(event.name) || fits(event);
  }

 private:
  // Of an arena there are many.
  bool fits(const LifecycleLog::Facts& event) {
    if (globs_.empty() && games_.empty()) return false;
    const auto known = fits_.find(event.arena);
    if (known != fits_.end()) return known->second;
    const auto matches = [](const std::string& pattern, const std::string& text) {
      return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
    };
    const std::string name(event.name);
    const std::string game(event.game);
    const bool fits = std::ranges::any_of(globs_, [&](const std::string& glob) { return matches(glob, name); }) ||
                      std::ranges::any_of(games_, [&](const std::string& glob) { return matches(glob, game); });
    return fits_.emplace(event.arena, fits).first->second;
  }

  using Texts = std::set<std::string, std::less<>>;
  const bool of_all_;
  Texts types_;
  Texts names_;
  Texts globs_;
  std::vector<std::string> games_;
  std::map<std::string, bool, std::less<>> fits_;  // by the arena's id
};

// Which of several selectors no event answers to. The events are looked at one by one, and of an arena there are many.
class Unanswered {
 public:
  explicit Unanswered(const std::vector<std::string>& selectors) {
    for (const std::string& selector : selectors) {
      const auto id = ArenaId::parse(selector);
      const bool is_exact = !selector.starts_with(kOfGame) && !is_pattern(selector);
      (is_exact ? names_ : patterns_).emplace(id ? id->text() : selector, selector);
    }
  }

  void hear(const LifecycleLog::Facts& event) {
    if (event.arena.empty() || (names_.empty() && patterns_.empty())) return;
    if (!heard_.emplace(event.arena).second) return;
    for (const std::string_view text : {event.arena, event.name}) {
      if (const auto named = names_.find(text); named != names_.end()) names_.erase(named);
    }
    std::erase_if(patterns_, [&](const auto& pattern) { return fits(pattern.first, event); });
  }

  // As they were asked for.
  [[nodiscard]] std::vector<std::string> rest() const {
    std::vector<std::string> rest;
    for (const Selectors* all : {&names_, &patterns_}) {
      for (const auto& [wanted, selector] : *all) rest.push_back(selector);
    }
    return rest;
  }

 private:
  using Selectors = std::map<std::string, std::string, std::less<>>;

  static bool fits(const std::string& pattern, const LifecycleLog::Facts& event) {
    const bool by_game = pattern.starts_with(kOfGame);
    const std::string text(by_game ? event.game : event.name);
    return ::fnmatch(pattern.c_str() + (by_game ? kOfGame.size() : 0), text.c_str(), 0) == 0;
  }

  Selectors names_;
  Selectors patterns_;
  std::set<std::string, std::less<>> heard_;
};

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
  const LogBook::Most most{limit, kMostBytes};
  const bool goes_back = goes_on && query.getBefore() != 0;
  const LogBook::Page page = goes_on && !goes_back ? book.after(selected, query.getAfter(), most)
                                                   : book.newest(selected, most, goes_back ? query.getBefore() : 0);
  scope_.server.reply(from, [&](wire::Reply::Builder reply) {
    auto logs = reply.initLogs();
    logs.setBook(book.number());
    logs.setNext(page.next);
    logs.setMissed(page.missed);
    logs.setOlderLeft(page.older_left);
    auto lines = logs.initLines(static_cast<uint>(page.lines.size()));
    for (uint i = 0; i < lines.size(); ++i) write(page.lines[i], lines[i]);
    auto missing = logs.initUnknown(static_cast<uint>(unknown.size()));
    for (uint i = 0; i < missing.size(); ++i) missing.set(i, unknown[i]);
  });
}

std::vector<std::string> Commands::unknown_to_events(wire::Selection::Reader selection) const {
  std::vector<std::string> unknown;
  for (const auto text : selection.getArenas()) {
    const std::string selector(text.begin(), text.size());
    const bool is_game = selector.starts_with(kOfGame) && scope_.games.contains(selector.substr(kOfGame.size()));
    if (!is_game && scope_.roster.select(selector).empty()) unknown.push_back(selector);
  }
  if (unknown.empty()) return unknown;
  Unanswered unanswered(unknown);
  (void)scope_.services.events.newest(
      [&unanswered](const LifecycleLog::Facts& event) {
        unanswered.hear(event);
        return false;
      },
      1);
  return unanswered.rest();
}

void Commands::events(RequestId from, wire::EventQuery::Reader query) {
  const LifecycleLog& log = scope_.services.events;
  for (const auto type : query.getTypes()) {
    const std::string word(type.begin(), type.size());
    if (!is_event_type(word)) {
      return scope_.server.fail(from, make_error(ErrorCode::invalid, "no event is of type '" + word + "'"));
    }
  }
  EventChoice choice(query);
  const auto wanted = [&choice](const LifecycleLog::Facts& event) { return choice.wants(event); };
  const size_t limit = std::min<size_t>(query.getLimit() == 0 ? kDefaultLimit : query.getLimit(), kMostEvents);
  const LifecycleLog::Page page = query.getHasAfter() ? log.after(query.getAfter(), wanted, limit) : log.newest(wanted, limit);
  const auto unknown = query.getWantsUnknown() ? unknown_to_events(query.getSelection()) : std::vector<std::string>();
  scope_.server.reply(from, [&](wire::Reply::Builder reply) {
    auto to = reply.initEvents();
    to.setNext(page.next);
    to.setOldest(log.oldest());
    to.setNewest(log.last());
    auto events = to.initEvents(static_cast<uint>(page.events.size()));
    for (uint i = 0; i < events.size(); ++i) write(page.events[i], events[i]);
    auto missing = to.initUnknown(static_cast<uint>(unknown.size()));
    for (uint i = 0; i < missing.size(); ++i) missing.set(i, unknown[i]);
  });
}

}  // namespace arenad
