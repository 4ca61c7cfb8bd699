// What to do with a transaction that the database refuses for its content (ErrorCode::invalid): one record is to blame, or a few, and everybody
// else's shall be stored. The batch is taken apart into what belongs together, and halved until what is refused is one record.
//
//   a part        a version that has recorded results; the records of one arena; a game with its rollout; an entry of the history; an event
//   a single one  of a part that is refused as a whole: each record of it, in the order of a transaction
//
// Pure: what writes is given. With n records of which r are to blame it is called some 2 r log2(n) times.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "state/records.h"

namespace arenad {

// Which row a record is for: a later one for the same row overtakes it.
struct RowKey {
  enum class Table : uint8_t {
    forgotten,
    arena,
    checkpoint,
    result,
    incident,
    recovered,
    quarantined,
    unquarantined,
    game,
    rollout,
    rollout_arena,
    command,
    lifecycle,
    result_arena,
    result_version
  };
  Table table = Table::arena;
  ArenaId arena;
  uint64_t number = 0;
  auto operator<=>(const RowKey&) const = default;
};

std::vector<RowKey> rows_of(const StoreBatch& batch);

struct RefusedRecord {
  RowKey row;
  std::string what;  // for people: "the checkpoint of frame 40 of arena 01JD..."
  Error error;
};

struct Salvaged {
  std::vector<RefusedRecord> refused;
  // Another error came in between: what was not written then, in the order in which it was tried.
  StoreBatch left;
  std::optional<Error> failure;
};

using CommitBatch = std::function<Result<void>(const StoreBatch&)>;
Salvaged salvage(StoreBatch batch, const CommitBatch& commit);

}  // namespace arenad
