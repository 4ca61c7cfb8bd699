// The requests about crashes and quarantine: what is asked of them lies in the database, and names of arenas in the roster.
#include <algorithm>
#include <fnmatch.h>
#include <set>

#include "arenad/message.h"
#include "ipc/control_client.h"
#include "ipc/crash.capnp.h"
#include "ipc/limits.h"
#include "ipc/text.h"
#include "supervisor/commands.h"

namespace arenad {
namespace {

constexpr uint32_t kDefaultLimit = 100;
constexpr uint32_t kMostIncidents = 1000;
// At once, so that nobody waits for the store long, and a reply is none that arenactl would not read.
constexpr size_t kSlowFramesLookedAt = 200;
constexpr size_t kSlowReplyBytes = limits::kMaxControlMessageBytes / 2;

struct QuarantineOutcome {
  uint64_t id = 0;
  std::string arena;
  Result<std::string> outcome = std::string();
};

// A stored report, or nothing if it is none.
template <class Use>
bool read_report(const IncidentRecord& record, Use&& use) {
  try {
    const std::vector<uint64_t> words = [&] {
      std::vector<uint64_t> aligned(record.report.size() / 8);
      std::memcpy(aligned.data(), record.report.data(), aligned.size() * 8);
      return aligned;
    }();
    MessageView view(words.data(), words.size());
    use(view.root<wire::Crash>());
    return true;
  } catch (const kj::Exception&) {
    return false;
  }
}

struct SlowFilter {
  std::string game;
  std::string arena;
  int64_t since_unix_ms = 0;
};

bool is_wanted(const IncidentRecord& record, const SlowFilter& filter) {
  bool wanted = false;
  read_report(record, [&](wire::Crash::Reader report) {
    const auto incident = report.getIncident();
    wanted = filter.game.empty() || filter.game == text_of(incident.getGame());
    if (filter.arena.empty() || filter.arena == record.arena.text()) return;
    wanted = wanted && ::fnmatch(filter.arena.c_str(), text_of(incident.getName()).c_str(), 0) == 0;
  });
  return wanted;
}

// Of records that were read, newest first.
struct SlowPage {
  std::vector<size_t> chosen;
  uint64_t next = 0;
};

// As many as a reply should carry. Fewer records than were asked for are no end: some may be damaged.
SlowPage page_of(const std::vector<IncidentRecord>& records, const SlowFilter& filter) {
  SlowPage page;
  size_t bytes = 0;
  for (size_t i = 0; i < records.size(); ++i) {
    if (records[i].at_unix_ms < filter.since_unix_ms) return {std::move(page.chosen), 0};
    if (bytes >= kSlowReplyBytes) return page;
    page.next = records[i].id;
    if (!is_wanted(records[i], filter)) continue;
    page.chosen.push_back(i);
    bytes += records[i].report.size();
  }
  return page;
}

}  // namespace

void Commands::crashes(RequestId from, wire::CrashQuery::Reader query) {
  const auto selection = query.getSelection();
  // Of arenas that are there, however they stand, or by id of any that ever was.
  std::set<ArenaId> wanted;
  for (const auto text : selection.getArenas()) {
    const std::string name(text.begin(), text.size());
    const auto matches = scope_.roster.select(name);
    for (const Arena* arena : matches) wanted.insert(arena->record().id);
    const auto id = ArenaId::parse(name);
    if (matches.empty() && !id) return scope_.server.fail(from, make_error(ErrorCode::unknown_arena, "no arena " + name));
    if (matches.empty()) wanted.insert(*id);
  }
  const uint32_t limit = std::min(query.getLimit() == 0 ? kDefaultLimit : query.getLimit(), kMostIncidents);
  const IncidentScope scope = query.getSlow() ? IncidentScope::deaths_and_slow_frames : IncidentScope::deaths;
  auto found = std::make_shared<Result<std::vector<IncidentRecord>>>(std::vector<IncidentRecord>{});
  scope_.services.store.submit_query(
      [found, wanted, limit, scope, all = selection.getAll()](Store& store) {
        if (all) {
          *found = store.incidents(std::nullopt, scope, limit);
          return;
        }
        std::vector<IncidentRecord> together;
        for (const ArenaId id : wanted) {
          auto some = store.incidents(id, scope, limit);
          if (!some) {
            *found = some.error();
            return;
          }
          std::ranges::move(*some, std::back_inserter(together));
        }
        std::ranges::sort(together, std::greater<>(), &IncidentRecord::id);
        if (together.size() > limit) together.resize(limit);
        *found = std::move(together);
      },
      [this, found, from](const Result<void>& ran) {
        if (!ran) return scope_.server.fail(from, ran.error());
        if (!*found) return scope_.server.fail(from, found->error());
        scope_.server.reply(from, [&](wire::Reply::Builder reply) {
          auto list = reply.initCrashes(static_cast<uint>(found->value().size()));
          for (uint i = 0; i < list.size(); ++i) {
            const IncidentRecord& record = found->value()[i];
            read_report(record, [&](wire::Crash::Reader report) { list.setWithCaveats(i, report.getIncident()); });
            list[i].setId(record.id);
          }
        });
      });
}

void Commands::slow(RequestId from, wire::SlowQuery::Reader query) {
  SlowFilter filter{text_of(query.getGame()), text_of(query.getArena()), query.getSinceUnixMs()};
  const uint64_t before = query.getBefore() == 0 ? UINT64_MAX : query.getBefore();
  auto found = std::make_shared<Result<std::vector<IncidentRecord>>>(std::vector<IncidentRecord>{});
  scope_.services.store.submit_query([found, before](Store& store) { *found = store.slow_frames(before, kSlowFramesLookedAt); },
                                     [this, found, from, filter = std::move(filter)](const Result<void>& ran) {
                                       if (!ran) return scope_.server.fail(from, ran.error());
                                       if (!*found) return scope_.server.fail(from, found->error());
                                       const std::vector<IncidentRecord>& records = found->value();
                                       const SlowPage page = page_of(records, filter);
                                       scope_.server.reply(from, [&](wire::Reply::Builder reply) {
                                         auto to = reply.initSlow();
                                         to.setNext(page.next);
                                         auto reports = to.initReports(static_cast<uint>(page.chosen.size()));
                                         for (uint i = 0; i < reports.size(); ++i) {
                                           const IncidentRecord& record = records[page.chosen[i]];
                                           read_report(record,
                                                       [&](wire::Crash::Reader report) { reports.setWithCaveats(i, report); });
                                           if (!reports[i].hasIncident()) reports[i].initIncident();
                                           reports[i].getIncident().setId(record.id);
                                         }
                                       });
                                     });
}

void Commands::crash(RequestId from, uint64_t id) {
  auto found = std::make_shared<Result<std::optional<IncidentRecord>>>(std::optional<IncidentRecord>());
  scope_.services.store.submit_query(
      [found, id](Store& store) { *found = store.incident(id); },
      [this, found, from, id](const Result<void>& ran) {
        if (!ran) return scope_.server.fail(from, ran.error());
        if (!*found) return scope_.server.fail(from, found->error());
        const auto& record = found->value();
        if (!record) {
          return scope_.server.fail(
              from, make_error(ErrorCode::invalid,
                               "no crash " + std::to_string(id) + ": the oldest are not kept for ever; see arenactl crashes"));
        }
        bool readable = false;
        read_report(*record, [&](wire::Crash::Reader report) {
          readable = true;
          scope_.server.reply(from, [&](wire::Reply::Builder reply) { reply.setCrash(report); });
        });
        if (!readable) {
          scope_.server.fail(from,
                             make_error(ErrorCode::corrupt, "the report of crash " + std::to_string(id) + " cannot be read"));
        }
      });
}

void Commands::describe(const QuarantineRecord& record, wire::QuarantinedEvent::Builder to) const {
  to.setId(record.id);
  to.setArena(record.arena.text());
  if (const Arena* arena = scope_.roster.find(record.arena)) {
    to.setName(arena->record().name);
    to.setGame(arena->record().game);
  }
  to.setSeat(record.seat);
  to.setPlayer(record.player);
  to.setChannel(record.channel.value);
  to.setSequence(record.sequence);
  to.setType(record.type);
  to.setBytes(record.bytes.size());
  to.setFrame(record.frame.value);
  to.setAtUnixMs(record.at_unix_ms);
  to.setIncident(record.incident);
}

void Commands::quarantine(RequestId from, wire::Selection::Reader selection) {
  std::set<ArenaId> wanted;
  for (const auto text : selection.getArenas()) {
    const std::string name(text.begin(), text.size());
    const auto matches = scope_.roster.select(name);
    if (matches.empty()) return scope_.server.fail(from, make_error(ErrorCode::unknown_arena, "no arena " + name));
    for (const Arena* arena : matches) wanted.insert(arena->record().id);
  }
  auto found = std::make_shared<Result<std::vector<QuarantineRecord>>>(std::vector<QuarantineRecord>{});
  scope_.services.store.submit_query([found](Store& store) { *found = store.quarantined(std::nullopt); },
                                     [this, found, from, wanted, all = selection.getAll()](const Result<void>& ran) {
                                       if (!ran) return scope_.server.fail(from, ran.error());
                                       if (!*found) return scope_.server.fail(from, found->error());
                                       auto& records = found->value();
                                       if (!all) {
                                         std::erase_if(records,
                                                       [&](const QuarantineRecord& r) { return !wanted.contains(r.arena); });
                                       }
                                       scope_.server.reply(from, [&](wire::Reply::Builder reply) {
                                         auto list = reply.initQuarantine(static_cast<uint>(records.size()));
                                         for (uint i = 0; i < list.size(); ++i) describe(records[i], list[i]);
                                       });
                                     });
}

void Commands::quarantined(RequestId from, uint64_t id) {
  auto found = std::make_shared<Result<std::optional<QuarantineRecord>>>(std::optional<QuarantineRecord>());
  scope_.services.store.submit_query(
      [found, id](Store& store) { *found = store.quarantined_event(id); },
      [this, found, from, id](const Result<void>& ran) {
        if (!ran) return scope_.server.fail(from, ran.error());
        if (!*found) return scope_.server.fail(from, found->error());
        const auto& record = found->value();
        if (!record) {
          return scope_.server.fail(
              from, make_error(ErrorCode::invalid, "nothing in quarantine has the number " + std::to_string(id)));
        }
        scope_.server.reply(from, [&](wire::Reply::Builder reply) {
          auto to = reply.initQuarantined();
          describe(*record, to.initEvent());
          to.setMessage({reinterpret_cast<const capnp::byte*>(record->bytes.data()), record->bytes.size()});
          const Arena* arena = scope_.roster.find(record->arena);
          if (arena == nullptr || arena->game() == nullptr) return;
          const std::string& schema = arena->game()->facts().schema;
          to.setSchema({reinterpret_cast<const capnp::byte*>(schema.data()), schema.size()});
        });
      });
}

// Each entry is looked up, and the action gives its outcome, now or later.
void Commands::for_each_entry(RequestId from, capnp::List<uint64_t>::Reader ids, EntryAction action) {
  std::vector<uint64_t> wanted;
  for (const uint64_t id : ids) wanted.push_back(id);
  std::ranges::sort(wanted);
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  auto outcomes = std::make_shared<std::vector<QuarantineOutcome>>();
  const auto finish = [this, from, outcomes, count = wanted.size()](QuarantineOutcome outcome) {
    outcomes->push_back(std::move(outcome));
    if (outcomes->size() < count) return;
    scope_.server.reply(from, [&](wire::Reply::Builder reply) {
      auto items = reply.initItems(static_cast<uint>(outcomes->size()));
      for (uint i = 0; i < items.size(); ++i) {
        const QuarantineOutcome& one = (*outcomes)[i];
        items[i].setId(std::to_string(one.id));
        items[i].setName(one.arena);
        if (one.outcome) {
          items[i].setOk(one.outcome.value());
        } else {
          auto failure = items[i].initError();
          failure.setCode(failure_code_of(one.outcome.error().code));
          failure.setMessage(one.outcome.error().text());
        }
      }
    });
  };
  if (wanted.empty()) {
    return scope_.server.fail(from, make_error(ErrorCode::invalid, "no number of an entry was given"));
  }
  for (const uint64_t id : wanted) {
    auto found = std::make_shared<Result<std::optional<QuarantineRecord>>>(std::optional<QuarantineRecord>());
    scope_.services.store.submit_query(
        [found, id](Store& store) { *found = store.quarantined_event(id); },
        [this, found, id, action, finish](const Result<void>& ran) {
          if (!ran) return finish({id, {}, ran.error()});
          if (!*found) return finish({id, {}, found->error()});
          const auto& record = found->value();
          if (!record) return finish({id, {}, make_error(ErrorCode::invalid, "nothing in quarantine has this number")});
          Arena* arena = scope_.roster.find(record->arena);
          if (arena == nullptr) return finish({id, {}, make_error(ErrorCode::unknown_arena, "its arena is gone")});
          action(*arena, *record, [finish, id, name = arena->record().name](Result<std::string> outcome) {
            finish({id, name, std::move(outcome)});
          });
        });
  }
}

void Commands::quarantine_retry(RequestId from, capnp::List<uint64_t>::Reader ids) {
  for_each_entry(from, ids, [](Arena& arena, const QuarantineRecord& record, std::function<void(Result<std::string>)> answer) {
    arena.retry_quarantined(record, std::move(answer));
  });
}

void Commands::quarantine_drop(RequestId from, capnp::List<uint64_t>::Reader ids) {
  for_each_entry(from, ids, [](Arena& arena, const QuarantineRecord& record, std::function<void(Result<std::string>)> answer) {
    auto dropped = arena.drop_quarantined(record.id);
    if (dropped) return answer(std::string("dropped"));
    answer(dropped.error());
  });
}

}  // namespace arenad
