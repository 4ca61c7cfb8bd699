#include "state/records_check.h"

#include <array>
#include <limits>

#include <xxhash.h>

#include "ipc/limits.h"

namespace arenad {
namespace {

// A snapshot is a state, its header and its cursors.
constexpr uint64_t kMaxCheckpointBytes = 2 * limits::kMaxStateBytes;

Result<void> require(bool holds, const char* otherwise) {
  if (holds) return {};
  return make_error(ErrorCode::invalid, otherwise);
}

// The database's integers have a sign: a larger number would sort before all others.
bool is_orderable(uint64_t number) {
  return number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

Result<void> check(const ArenaId& id) {
  return require(!id.is_null(), "an arena without an id is not forgotten");
}

Result<void> check(const ArenaRecord& arena) {
  return require(!arena.id.is_null() && is_orderable(arena.epoch) && is_orderable(arena.restarts),
                 "an arena without an id, or with an impossible epoch, is not stored");
}

Result<void> check(const CheckpointRecord& checkpoint) {
  return require(!checkpoint.arena.is_null() && is_orderable(checkpoint.epoch.value) && is_orderable(checkpoint.frame.value) &&
                     checkpoint.bytes.size() <= kMaxCheckpointBytes,
                 "a checkpoint without an arena, with an impossible epoch or frame, or of more than "
                 "twice the largest state is not stored");
}

Result<void> check(const ResultRecord& result) {
  return require(!result.arena.is_null() && is_orderable(result.sequence) && result.bytes.size() <= limits::kMaxEventBytes,
                 "a result without an arena, with an impossible sequence number, or larger than an "
                 "event is not stored");
}

template <class Record>
Result<void> check_each(const std::vector<Record>& records) {
  for (const Record& record : records) {
    if (Result<void> checked = check(record); !checked) return checked;
  }
  return {};
}

}  // namespace

Result<void> check_batch(const StoreBatch& batch) {
  if (Result<void> checked = check_each(batch.forgotten); !checked) return checked;
  if (Result<void> checked = check_each(batch.arenas); !checked) return checked;
  if (Result<void> checked = check_each(batch.checkpoints); !checked) return checked;
  return check_each(batch.results);
}

uint64_t checksum_of(const CheckpointRecord& checkpoint) {
  const std::array<uint64_t, 5> key = {checkpoint.arena.high, checkpoint.arena.low, checkpoint.epoch.value,
                                       checkpoint.frame.value, static_cast<uint64_t>(checkpoint.taken_unix_ms)};
  const XXH64_hash_t seed = XXH3_64bits(key.data(), sizeof key);
  return XXH3_64bits_withSeed(checkpoint.bytes.data(), checkpoint.bytes.size(), seed);
}

std::optional<ArenaDisposition> parse_disposition(std::string_view word) {
  using enum ArenaDisposition;
  for (const ArenaDisposition each : {running, saved, stopped, ended, failed, lost}) {
    if (word == to_string(each)) return each;
  }
  return std::nullopt;
}

}  // namespace arenad
