#include "state/salvage.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <span>
#include <utility>

namespace arenad {
namespace {

using Table = RowKey::Table;

// A record alone, as a batch.
using Single = StoreBatch;
using Part = std::vector<Single>;

std::string of_arena(ArenaId arena) {
  return " of arena " + arena.text();
}

RowKey key_of_arena(const ArenaRecord& arena) {
  return {Table::arena, arena.id, 0};
}
RowKey key_of_game(const GameRecord& game) {
  return {Table::game, {}, std::hash<std::string>()(game.name)};
}
RowKey key_of_version(const ResultVersionRecord& version) {
  return {Table::result_version, {}, std::hash<std::string>()(version.game + '\n' + version.code)};
}

// Calls use(row, what) for each record.
template <class Use>
void each_record(const StoreBatch& batch, Use&& use) {
  for (const ArenaId id : batch.forgotten) use(RowKey{Table::forgotten, id, 0}, "that arena " + id.text() + " is forgotten");
  for (const ArenaRecord& one : batch.arenas)
    use(key_of_arena(one), "the record of arena " + one.name + " (" + one.id.text() + ")");
  for (const CheckpointRecord& one : batch.checkpoints) {
    use(RowKey{Table::checkpoint, one.arena, 0},
        "the checkpoint of frame " + std::to_string(one.frame.value) + of_arena(one.arena));
  }
  for (const ResultRecord& one : batch.results) {
    use(RowKey{Table::result, one.arena, one.sequence}, "result " + std::to_string(one.sequence) + of_arena(one.arena));
  }
  for (const ResultArenaRecord& one : batch.result_arenas) {
    use(RowKey{Table::result_arena, one.arena, 0}, "the name of arena " + one.arena.text() + " beside its results");
  }
  for (const ResultVersionRecord& one : batch.result_versions) {
    use(key_of_version(one), "the types of results of game " + one.game + ", version " + one.version);
  }
  for (const IncidentRecord& one : batch.incidents) {
    use(RowKey{Table::incident, one.arena, one.id}, "crash " + std::to_string(one.id) + of_arena(one.arena));
  }
  for (const IncidentRecord& one : batch.recovered) {
    use(RowKey{Table::recovered, one.arena, one.id},
        "the recovery after crash " + std::to_string(one.id) + of_arena(one.arena));
  }
  for (const QuarantineRecord& one : batch.quarantined) {
    use(RowKey{Table::quarantined, one.arena, one.id},
        "event " + std::to_string(one.id) + " in quarantine," + of_arena(one.arena));
  }
  for (const uint64_t id : batch.unquarantined) {
    use(RowKey{Table::unquarantined, {}, id}, "that event " + std::to_string(id) + " has left quarantine");
  }
  for (const GameRecord& one : batch.games) use(key_of_game(one), "the versions of game " + one.name);
  for (const RolloutRecord& one : batch.rollouts) {
    use(RowKey{Table::rollout, {}, one.id}, "rollout " + std::to_string(one.id) + " of game " + one.game);
  }
  for (const RolloutArenaRecord& one : batch.rollout_arenas) {
    use(RowKey{Table::rollout_arena, one.arena, one.rollout},
        "what rollout " + std::to_string(one.rollout) + " has done" + of_arena(one.arena));
  }
  for (const CommandRecord& one : batch.commands) {
    use(RowKey{Table::command, {}, one.id}, "command " + std::to_string(one.id) + " of the history");
  }
  for (const LifecycleRecord& one : batch.lifecycle)
    use(RowKey{Table::lifecycle, {}, one.number}, "event " + std::to_string(one.number));
}

template <class T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

void add(StoreBatch& to, const StoreBatch& from) {
  append(to.forgotten, from.forgotten);
  append(to.arenas, from.arenas);
  append(to.checkpoints, from.checkpoints);
  append(to.results, from.results);
  append(to.result_arenas, from.result_arenas);
  append(to.result_versions, from.result_versions);
  append(to.incidents, from.incidents);
  append(to.recovered, from.recovered);
  append(to.quarantined, from.quarantined);
  append(to.unquarantined, from.unquarantined);
  append(to.games, from.games);
  append(to.rollouts, from.rollouts);
  append(to.rollout_arenas, from.rollout_arenas);
  append(to.commands, from.commands);
  append(to.lifecycle, from.lifecycle);
}

StoreBatch together(std::span<const Single> singles) {
  StoreBatch batch;
  for (const Single& single : singles) add(batch, single);
  return batch;
}

template <class Record>
void take_singles(std::vector<Record>& records, std::vector<Record> StoreBatch::*member, Part& part) {
  for (Record& record : records) {
    Single single;
    (single.*member).push_back(std::move(record));
    part.push_back(std::move(single));
  }
  records.clear();
}

// By whose records they are, each in the order of a transaction.
std::vector<Part> parts_of(StoreBatch batch) {
  std::map<ArenaId, Part> arenas;
  const auto single = [&arenas](ArenaId arena) -> Single& { return arenas[arena].emplace_back(); };
  for (const ArenaId id : batch.forgotten) single(id).forgotten.push_back(id);
  for (ArenaRecord& one : batch.arenas) single(one.id).arenas.push_back(std::move(one));
  for (CheckpointRecord& one : batch.checkpoints) single(one.arena).checkpoints.push_back(std::move(one));
  for (ResultArenaRecord& one : batch.result_arenas) single(one.arena).result_arenas.push_back(std::move(one));
  for (ResultRecord& one : batch.results) single(one.arena).results.push_back(std::move(one));
  for (IncidentRecord& one : batch.incidents) single(one.arena).incidents.push_back(std::move(one));
  for (IncidentRecord& one : batch.recovered) single(one.arena).recovered.push_back(std::move(one));
  std::vector<Part> parts;
  // Before the results that refer to them.
  for (ResultVersionRecord& one : batch.result_versions) {
    Single version;
    version.result_versions.push_back(std::move(one));
    parts.push_back({std::move(version)});
  }
  // What has left quarantine makes room for what comes; an entry whose id is in both stays with it (records.h).
  std::set<uint64_t> gone(batch.unquarantined.begin(), batch.unquarantined.end());
  for (QuarantineRecord& one : batch.quarantined) {
    Single& entry = single(one.arena);
    if (gone.erase(one.id) != 0) entry.unquarantined.push_back(one.id);
    entry.quarantined.push_back(std::move(one));
  }
  for (const uint64_t id : gone) {
    Single left;
    left.unquarantined.push_back(id);
    parts.push_back({std::move(left)});
  }
  for (auto& [id, part] : arenas) parts.push_back(std::move(part));
  Part games;
  take_singles(batch.games, &StoreBatch::games, games);
  take_singles(batch.rollouts, &StoreBatch::rollouts, games);
  take_singles(batch.rollout_arenas, &StoreBatch::rollout_arenas, games);
  if (!games.empty()) parts.push_back(std::move(games));
  Part others;
  take_singles(batch.commands, &StoreBatch::commands, others);
  take_singles(batch.lifecycle, &StoreBatch::lifecycle, others);
  for (Single& one : others) parts.push_back({std::move(one)});
  return parts;
}

class Salvage {
 public:
  explicit Salvage(const CommitBatch& commit) : commit_(commit) {}

  void write_parts(std::span<const Part> parts) {
    if (parts.empty()) return;
    StoreBatch batch;
    for (const Part& part : parts) add(batch, together(part));
    if (is_settled(batch)) return;
    if (parts.size() == 1) return write_singles(parts.front(), Known::refused);
    write_parts(parts.first(parts.size() / 2));
    write_parts(parts.subspan(parts.size() / 2));
  }

  [[nodiscard]] Salvaged result() && { return std::move(salvaged_); }

 private:
  enum class Known { nothing, refused };

  void write_singles(std::span<const Single> singles, Known known) {
    if (singles.empty()) return;
    if (known == Known::nothing && is_settled(together(singles))) return;
    if (singles.size() == 1) return refuse(singles.front());
    write_singles(singles.first(singles.size() / 2), Known::nothing);
    write_singles(singles.subspan(singles.size() / 2), Known::nothing);
  }

  // It was written, or is left for later. False: it is refused.
  bool is_settled(const StoreBatch& batch) {
    if (!salvaged_.failure) {
      const Result<void> committed = commit_(batch);
      if (committed) return true;
      last_refusal_ = committed.error();
      if (committed.error().code == ErrorCode::invalid) return false;
      salvaged_.failure = committed.error();
    }
    add(salvaged_.left, batch);
    return true;
  }

  void refuse(const Single& single) {
    each_record(single, [this](const RowKey& row, const std::string& what) {
      salvaged_.refused.push_back({row, what, last_refusal_.value_or(Error{})});
    });
  }

  const CommitBatch& commit_;
  Salvaged salvaged_;
  std::optional<Error> last_refusal_;
};

}  // namespace

std::vector<RowKey> rows_of(const StoreBatch& batch) {
  std::vector<RowKey> rows;
  each_record(batch, [&rows](const RowKey& row, const std::string&) { rows.push_back(row); });
  return rows;
}

Salvaged salvage(StoreBatch batch, const CommitBatch& commit) {
  const std::vector<Part> parts = parts_of(std::move(batch));
  Salvage salvage(commit);
  salvage.write_parts(parts);
  return std::move(salvage).result();
}

}  // namespace arenad
