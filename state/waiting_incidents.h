// What StoreThread has yet to write of incidents and of quarantine: later batches laid over earlier ones, with the effect that
// one transaction for each would have had. Plain values, belong to WaitingWrites (store_thread.h) and share its lock.
//
// Invariants: as many incidents wait as the database would keep, the newest. An id that was quarantined here is used up in the
// database as well, even if its entry is gone before it was ever written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "state/records.h"

namespace arenad {

class WaitingIncidents {
 public:
  void merge(std::vector<IncidentRecord> later, std::vector<IncidentRecord> recovered = {});
  // By id; none waits afterwards.
  [[nodiscard]] std::vector<IncidentRecord> take();
  // The same, of those whose incident does not wait here: the database has it.
  [[nodiscard]] std::vector<IncidentRecord> take_recovered();

 private:
  // What the database allows one row of; and of what it keeps so many.
  using Key = std::tuple<ArenaId, Epoch, IncidentKind, FrameNumber>;
  enum class Bounded { deaths, slow_frames };
  using Group = std::pair<ArenaId, Bounded>;

  static Key key_of(const IncidentRecord& incident);
  static Group group_of(const IncidentRecord& incident);
  static size_t most_of(Bounded bounded);
  void add(IncidentRecord incident);
  void complete(IncidentRecord incident);
  void drop(uint64_t id);

  std::map<uint64_t, IncidentRecord> incidents_;
  std::map<uint64_t, IncidentRecord> recovered_;  // of those that do not wait here
  std::set<Key> keys_;
  std::map<Group, std::set<uint64_t>> groups_;  // their ids
};

class WaitingQuarantine {
 public:
  void merge(const std::vector<ArenaId>& forgotten, const std::vector<uint64_t>& unquarantined,
             std::vector<QuarantineRecord> quarantined);
  // Into the batch's quarantined and unquarantined; nothing waits afterwards.
  void take(StoreBatch& batch);

 private:
  using Key = std::tuple<ArenaId, ChannelId, uint64_t>;

  void add(QuarantineRecord entry);
  void use_up(QuarantineRecord entry);
  template <class Predicate>
  void drop_if(Predicate predicate);

  std::map<Key, QuarantineRecord> entries_;
  std::set<uint64_t> unquarantined_;
  // The highest id of those whose entry does not wait any more; written and taken back in the same transaction.
  std::optional<QuarantineRecord> used_up_;
};

}  // namespace arenad
