// What was asked of the results of arenas: all of one arena's, or a page of many's with what reads them. The store thread reads; what is in
// the messages nobody here looks at.
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "ipc/text.h"
#include "state/store.h"
#include "supervisor/commands.h"

namespace arenad {
namespace {

capnp::Data::Reader data_of(const std::string& bytes) {
  return {reinterpret_cast<const capnp::byte*>(bytes.data()), bytes.size()};
}

void write(const ResultRecord& record, wire::MatchResult::Builder to) {
  to.setSequence(record.sequence);
  to.setSeat(record.seat);
  to.setType(record.type);
  to.setMessage(data_of(record.bytes));
}

void write(const FoundResult& found, wire::StoredResult::Builder to) {
  write(found.record, to.initResult());
  to.setArena(found.record.arena.text());
  to.setName(found.arena_name);
  to.setPlayer(found.record.player);
  to.setRecordedUnixMs(found.record.recorded_unix_ms);
  to.setGame(found.record.game);
  to.setVersion(found.version);
  to.setCode(found.record.code);
  to.setTypes(found.types);
}

void write(const ResultPosition& position, wire::ResultPosition::Builder to) {
  to.setRecordedUnixMs(position.recorded_unix_ms);
  to.setRow(position.row);
}

}  // namespace

// Results outlive their arena: an id that the roster has forgotten may still have some.
std::optional<ArenaId> Commands::arena_with_results(const std::string& name) const {
  const Arena* arena = scope_.roster.find(name);
  return arena != nullptr ? std::optional(arena->record().id) : ArenaId::parse(name);
}

void Commands::results(RequestId from, const std::string& name) {
  const auto id = arena_with_results(name);
  if (!id) return scope_.server.fail(from, make_error(ErrorCode::unknown_arena, "no arena " + name));
  auto found = std::make_shared<Result<std::vector<ResultRecord>>>(std::vector<ResultRecord>{});
  scope_.services.store.submit_query([found, id = *id](Store& store) { *found = store.results(id); },
                                     [this, found, from](const Result<void>& ran) {
                                       if (!ran) return scope_.server.fail(from, ran.error());
                                       if (!*found) return scope_.server.fail(from, found->error());
                                       scope_.server.reply(from, [&](wire::Reply::Builder reply) {
                                         const auto& records = found->value();
                                         auto to = reply.initResults(static_cast<uint>(records.size()));
                                         for (uint i = 0; i < to.size(); ++i) write(records[i], to[i]);
                                       });
                                     });
}

void Commands::result_page(RequestId from, wire::ResultQuery::Reader asked) {
  ResultQuery query{.game = text_of(asked.getGame()), .since_unix_ms = asked.getSinceUnixMs()};
  if (const std::string name = text_of(asked.getArena()); !name.empty()) {
    query.arena = arena_with_results(name);
    if (!query.arena) return scope_.server.fail(from, make_error(ErrorCode::unknown_arena, "no arena " + name));
  }
  if (asked.getHasBefore()) query.before = {asked.getBefore().getRecordedUnixMs(), asked.getBefore().getRow()};
  auto found = std::make_shared<Result<ResultPage>>(ResultPage{});
  scope_.services.store.submit_query([found, query = std::move(query)](Store& store) { *found = store.result_page(query); },
                                     [this, found, from](const Result<void>& ran) {
                                       if (!ran) return scope_.server.fail(from, ran.error());
                                       if (!*found) return scope_.server.fail(from, found->error());
                                       scope_.server.reply(from, [&](wire::Reply::Builder reply) {
                                         const ResultPage& page = found->value();
                                         auto to = reply.initResultPage();
                                         to.setMore(page.more);
                                         write(page.next, to.initNext());
                                         auto results = to.initResults(static_cast<uint>(page.results.size()));
                                         for (uint i = 0; i < results.size(); ++i) write(page.results[i], results[i]);
                                       });
                                     });
}

void Commands::result_types(RequestId from, uint64_t id) {
  auto found = std::make_shared<Result<std::optional<std::string>>>(std::optional<std::string>());
  scope_.services.store.submit_query([found, id](Store& store) { *found = store.result_types(id); },
                                     [this, found, from](const Result<void>& ran) {
                                       if (!ran) return scope_.server.fail(from, ran.error());
                                       if (!*found) return scope_.server.fail(from, found->error());
                                       scope_.server.reply(from, [&](wire::Reply::Builder reply) {
                                         reply.setResultTypes(data_of(found->value().value_or("")));
                                       });
                                     });
}

}  // namespace arenad
