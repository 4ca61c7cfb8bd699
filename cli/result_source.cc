#include "cli/result_source.h"

#include <utility>

#include "ipc/text.h"

namespace arenad::cli {
namespace {

ResultRow row_of(wire::StoredResult::Reader from) {
  const auto message = from.getResult().getMessage();
  return {.sequence = from.getResult().getSequence(),
          .seat = from.getResult().getSeat(),
          .type = from.getResult().getType(),
          .message = std::string(message.asChars().begin(), message.size()),
          .arena = text_of(from.getArena()),
          .arena_name = text_of(from.getName()),
          .player = text_of(from.getPlayer()),
          .game = text_of(from.getGame()),
          .version = text_of(from.getVersion()),
          .recorded_unix_ms = from.getRecordedUnixMs()};
}

std::span<const unsigned char> bytes_of(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

}  // namespace

Result<ReadResults> ResultSource::read(const WantedResults& wanted, const std::function<Result<Reading>(ResultRow)>& take) {
  ReadResults read;
  std::optional<Page> page;
  for (uint64_t pages = 0;; ++pages) {
    if (pages == kMostPages || read.count >= kMostResults) {
      read.cut_off = true;
      return read;
    }
    auto next = ask_page(wanted, page);
    if (!next) return next.error();
    page = std::move(*next);
    for (PendingRow& pending : page->rows) {
      if (auto told = tell_fields(pending); !told) return told.error();
      ++read.count;
      const auto taken = take(std::move(pending.row));
      if (!taken) return taken.error();
      if (taken.value() == Reading::is_enough) return read;
    }
    if (!page->more) return read;
  }
}

Result<ResultSource::Page> ResultSource::ask_page(const WantedResults& wanted, const std::optional<Page>& before) const {
  Page page;
  const auto fill = [&](wire::Request::Builder request) {
    auto query = request.initResultPage();
    query.setArena(wanted.arena);
    query.setGame(wanted.game);
    query.setSinceUnixMs(wanted.since_unix_ms);
    if (!before) return;
    query.setHasBefore(true);
    query.initBefore().setRecordedUnixMs(before->next_unix_ms);
    query.getBefore().setRow(before->next_row);
  };
  const auto read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
    const auto from = reply.getResultPage();
    for (const auto result : from.getResults()) page.rows.push_back({row_of(result), result.getTypes()});
    page.more = from.getMore();
    page.next_unix_ms = from.getNext().getRecordedUnixMs();
    page.next_row = from.getNext().getRow();
    return ExitCode::ok;
  };
  const auto asked = try_ask(session_, {.fill = fill, .expected = wire::Reply::RESULT_PAGE, .read = read});
  if (!asked) return asked.error();
  return page;
}

Result<std::string> ResultSource::ask_types(uint64_t id) const {
  std::string types;
  const auto asked = try_ask(session_, {.fill = [&](wire::Request::Builder request) { request.setResultTypes(id); },
                                        .expected = wire::Reply::RESULT_TYPES,
                                        .read = [&](wire::Reply::Reader reply, std::span<Fd>) -> Result<ExitCode> {
                                          const auto from = reply.getResultTypes();
                                          types.assign(from.asChars().begin(), from.size());
                                          return ExitCode::ok;
                                        }});
  if (!asked) return asked.error();
  return types;
}

Result<ResultSource::Types*> ResultSource::types_of(uint64_t id) {
  if (const auto known = types_.find(id); known != types_.end()) return &known->second;
  Types types;
  if (id == 0) {
    types.problem = "arenad does not know the types of the version that recorded it";
  } else {
    auto asked = ask_types(id);
    if (!asked) return asked.error();
    auto loaded = ResultReader::load(bytes_of(*asked));
    if (loaded) {
      types.reader = std::move(*loaded);
    } else {
      types.problem = loaded.error().text();
    }
  }
  return &types_.emplace(id, std::move(types)).first->second;
}

Result<void> ResultSource::tell_fields(PendingRow& pending) {
  auto types = types_of(pending.types);
  if (!types) return types.error();
  ResultRow& row = pending.row;
  if (!(*types)->reader) {
    row.why_unread = (*types)->problem;
    return {};
  }
  auto read = (*types)->reader->read(row.type, bytes_of(row.message));
  if (!read) {
    row.why_unread = read.error().text();
    return {};
  }
  row.fields_type = read->type;
  row.values = std::move(read->values);
  return {};
}

}  // namespace arenad::cli
