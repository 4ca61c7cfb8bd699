#include "state/records_check.h"

#include <algorithm>
#include <array>
#include <limits>

#include <xxhash.h>

#include "ipc/limits.h"

namespace arenad {
namespace {

// A snapshot is a state, its header and its cursors.
constexpr uint64_t kMaxCheckpointBytes = 2 * limits::kMaxStateBytes;

// More than a template can send.
constexpr size_t kMaxTypesBytes = 1024 * 1024;

Result<void> require(bool holds, const char* otherwise) {
  if (holds) return {};
  return make_error(ErrorCode::invalid, otherwise);
}

// The database's integers have a sign: a larger number would sort before all others.
bool is_orderable(uint64_t number) {
  return number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
}

// 0 is the answer for "none".
bool is_given_id(uint64_t id) {
  return id != 0 && is_orderable(id);
}

uint64_t fold(uint64_t seed, std::string_view bytes) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
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
  return require(
      !result.arena.is_null() && is_orderable(result.sequence) && result.bytes.size() <= limits::kMaxEventBytes &&
          result.player.size() <= limits::kMaxPlayerNameBytes,
      "a result without an arena, with an impossible sequence number, with too long a player's name, or larger than an "
      "event is not stored");
}

Result<void> check(const ResultArenaRecord& arena) {
  return require(!arena.arena.is_null(), "the name of an arena without an id is not stored");
}

Result<void> check(const ResultVersionRecord& version) {
  return require(!version.game.empty() && version.types.size() <= kMaxTypesBytes,
                 "a version without a game, or with more types than a module can tell of, is not stored");
}

Result<void> check(const IncidentRecord& incident) {
  return require(is_given_id(incident.id) && !incident.arena.is_null() && is_orderable(incident.epoch.value) &&
                     is_orderable(incident.frame.value) && incident.report.size() <= limits::kMaxIncidentReportBytes,
                 "an incident without an id or an arena, with an impossible epoch or frame, or with too large a report is not "
                 "stored");
}

Result<void> check(const QuarantineRecord& entry) {
  return require(is_given_id(entry.id) && !entry.arena.is_null() && is_orderable(entry.channel.value) &&
                     is_orderable(entry.sequence) && is_orderable(entry.frame.value) && is_orderable(entry.incident) &&
                     entry.player.size() <= limits::kMaxPlayerNameBytes && entry.bytes.size() <= limits::kMaxEventBytes,
                 "an event without an id or an arena, with an impossible channel, sequence number, frame or incident, with too "
                 "long a player's name, or that is too large does not go into quarantine");
}

Result<void> check(const RolloutRecord& rollout) {
  const bool has_line_ends =
      std::ranges::any_of(rollout.selection, [](const std::string& glob) { return glob.find('\n') != std::string::npos; });
  return require(is_given_id(rollout.id) && !rollout.game.empty() && !has_line_ends,
                 "a rollout without an id or a game, or with a line end in its selection, is not stored");
}

Result<void> check(const RolloutArenaRecord& arena) {
  return require(is_given_id(arena.rollout) && !arena.arena.is_null() && is_orderable(arena.position),
                 "an arena of a rollout without an id, or with an impossible position, is not stored");
}

Result<void> check(const CommandRecord& command) {
  constexpr size_t kMaxTextBytes = 4096;
  const auto fits = [](const std::string& text) { return text.size() <= kMaxTextBytes; };
  return require(is_given_id(command.id) && !command.verb.empty() && fits(command.verb) && fits(command.subject) &&
                     fits(command.outcome) && fits(command.detail),
                 "a command without an id or a verb, or with too much text, is not stored");
}

Result<void> check(const LifecycleRecord& event) {
  constexpr size_t kMaxTextBytes = 4096;
  const auto fits = [](const std::string& text) { return text.size() <= kMaxTextBytes; };
  const auto is_kept_whole = [&](const auto& detail) {
    return fits(detail.first) && fits(detail.second) && detail.first.find_first_of("=\n") == std::string::npos &&
           detail.second.find('\n') == std::string::npos;
  };
  return require(is_given_id(event.number) && !event.type.empty() && fits(event.type) && fits(event.name) && fits(event.game) &&
                     std::ranges::all_of(event.details, is_kept_whole),
                 "an event without a number or a type, or with too much text, is not stored");
}

Result<void> check(uint64_t unquarantined) {
  return require(is_given_id(unquarantined), "what has no possible id cannot leave quarantine");
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
  if (Result<void> checked = check_each(batch.results); !checked) return checked;
  if (Result<void> checked = check_each(batch.result_arenas); !checked) return checked;
  if (Result<void> checked = check_each(batch.result_versions); !checked) return checked;
  if (Result<void> checked = check_each(batch.incidents); !checked) return checked;
  if (Result<void> checked = check_each(batch.recovered); !checked) return checked;
  if (Result<void> checked = check_each(batch.quarantined); !checked) return checked;
  if (Result<void> checked = check_each(batch.rollouts); !checked) return checked;
  if (Result<void> checked = check_each(batch.rollout_arenas); !checked) return checked;
  if (Result<void> checked = check_each(batch.commands); !checked) return checked;
  if (Result<void> checked = check_each(batch.lifecycle); !checked) return checked;
  return check_each(batch.unquarantined);
}

uint64_t checksum_of(const CheckpointRecord& checkpoint) {
  const std::array<uint64_t, 5> key = {checkpoint.arena.high, checkpoint.arena.low, checkpoint.epoch.value,
                                       checkpoint.frame.value, static_cast<uint64_t>(checkpoint.taken_unix_ms)};
  const XXH64_hash_t seed = XXH3_64bits(key.data(), sizeof key);
  return XXH3_64bits_withSeed(checkpoint.bytes.data(), checkpoint.bytes.size(), seed);
}

uint64_t checksum_of(const IncidentRecord& incident) {
  const std::array<uint64_t, 6> key = {incident.id,          incident.arena.high,  incident.arena.low,
                                       incident.epoch.value, incident.frame.value, static_cast<uint64_t>(incident.at_unix_ms)};
  // The word and not the number, which a later version may change.
  const uint64_t seed = fold(XXH3_64bits(key.data(), sizeof key), to_string(incident.kind));
  return fold(seed, incident.report);
}

uint64_t checksum_of(const QuarantineRecord& entry) {
  const std::array<uint64_t, 10> key = {entry.id,
                                        entry.arena.high,
                                        entry.arena.low,
                                        entry.channel.value,
                                        entry.sequence,
                                        entry.seat,
                                        entry.type,
                                        entry.frame.value,
                                        static_cast<uint64_t>(entry.at_unix_ms),
                                        entry.incident};
  const uint64_t seed = fold(XXH3_64bits(key.data(), sizeof key), entry.player);
  return fold(seed, entry.bytes);
}

std::optional<ArenaDisposition> parse_disposition(std::string_view word) {
  using enum ArenaDisposition;
  for (const ArenaDisposition each : {running, saved, stopped, ended, failed, lost}) {
    if (word == to_string(each)) return each;
  }
  return std::nullopt;
}

std::optional<IncidentKind> parse_incident_kind(std::string_view word) {
  using enum IncidentKind;
  for (const IncidentKind each : {crash, exit, killed, out_of_memory, hang, slow}) {
    if (word == to_string(each)) return each;
  }
  return std::nullopt;
}

}  // namespace arenad
