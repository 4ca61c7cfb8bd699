// The simulated database: what is durable, and the store thread of one arenad in front of it, which commits everything that waits in one
// transaction, keeps what failed, and tries again. It behaves as state/store_thread.h says, in virtual time.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "state/records.h"
#include "tests/sim/region.h"

namespace arenad::sim {

class World;

struct ArenaRow {
  ArenaDisposition disposition = ArenaDisposition::running;
  uint64_t epoch = 0;
};

struct Batch {
  std::map<ArenaId, ArenaRow> arenas;
  std::vector<StoredSnapshot> checkpoints;
  std::vector<std::pair<ArenaId, Output>> results;
  std::vector<std::pair<ArenaId, EventRef>> quarantined;
};

// Outlives everybody.
struct Database {
  struct Arena {
    ArenaRow row;
    std::vector<StoredSnapshot> checkpoints;  // newest first, two at most
    std::vector<Output> results;              // without a gap, from the first on
    std::set<std::pair<uint64_t, uint64_t>> quarantined;
    [[nodiscard]] const StoredSnapshot* newest_whole() const {
      for (const StoredSnapshot& each : checkpoints) {
        if (each.checksum == checksum_of(each.snapshot)) return &each;
      }
      return nullptr;
    }
  };
  std::map<ArenaId, Arena> arenas;
  void write(const Batch& batch);
  [[nodiscard]] const Arena& row_of(ArenaId id) const {
    static const Arena nothing;
    const auto found = arenas.find(id);
    return found == arenas.end() ? nothing : found->second;
  }
};

enum class DiskMode { well, slow, failing, of_unknown_outcome };

// Of one life of arenad: goes with it. One thing at a time, as the real thread: it takes what waits, commits it in one transaction, then
// answers the queries that had waited as well.
class StoreThread {
 public:
  explicit StoreThread(World& world) : world_(world) {}
  // Completes once, when the batch is durable.
  void submit(Batch batch, std::function<void()> completed);
  // Sees everything that was submitted before it and could be committed.
  void query(std::function<void(const Database&)> answered);
  // arenad dies now: what is being committed is there or is not.
  void cut();

 private:
  using Query = std::function<void(const Database&)>;
  enum class Doing { nothing, waking, committing, answering };
  void wake();
  void look();
  void commit();
  void committed();
  void answer();
  World& world_;
  std::vector<std::pair<Batch, std::function<void()>>> waiting_;
  std::vector<std::pair<Batch, std::function<void()>>> committing_;
  std::deque<Query> queries_;
  std::deque<Query> answering_;
  Doing doing_ = Doing::nothing;
  bool backs_off_ = false;
  uint64_t retry_delay_ns_ = 0;
};

}  // namespace arenad::sim
