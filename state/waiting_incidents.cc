#include "state/waiting_incidents.h"

#include <utility>

#include "ipc/limits.h"

namespace arenad {

namespace {

std::vector<IncidentRecord> taken_from(std::map<uint64_t, IncidentRecord>& by_id) {
  std::vector<IncidentRecord> taken;
  taken.reserve(by_id.size());
  for (auto& [id, incident] : by_id) taken.push_back(std::move(incident));
  by_id.clear();
  return taken;
}

}  // namespace

// ---- Incidents ----

void WaitingIncidents::merge(std::vector<IncidentRecord> later, std::vector<IncidentRecord> recovered) {
  for (IncidentRecord& incident : later) add(std::move(incident));
  for (IncidentRecord& incident : recovered) complete(std::move(incident));
}

std::vector<IncidentRecord> WaitingIncidents::take() {
  keys_.clear();
  groups_.clear();
  return taken_from(incidents_);
}

std::vector<IncidentRecord> WaitingIncidents::take_recovered() {
  return taken_from(recovered_);
}

void WaitingIncidents::complete(IncidentRecord incident) {
  const uint64_t id = incident.id;
  const auto waiting = incidents_.find(id);
  if (waiting == incidents_.end()) {
    recovered_.insert_or_assign(id, std::move(incident));
    if (recovered_.size() > limits::kMaxIncidents) recovered_.erase(recovered_.begin());
  } else if (key_of(waiting->second) == key_of(incident) && waiting->second.at_unix_ms == incident.at_unix_ms) {
    waiting->second.report = std::move(incident.report);
  }
}

void WaitingIncidents::add(IncidentRecord incident) {
  const uint64_t id = incident.id;
  const Key key = key_of(incident);
  const Group group = group_of(incident);
  if (keys_.contains(key) || !incidents_.try_emplace(id, std::move(incident)).second) return;
  keys_.insert(key);
  std::set<uint64_t>& ids = groups_[group];
  ids.insert(id);
  if (ids.size() > most_of(group.second)) drop(*ids.begin());
  if (incidents_.size() > limits::kMaxIncidents) drop(incidents_.begin()->first);
}

void WaitingIncidents::drop(uint64_t id) {
  const auto dropped = incidents_.find(id);
  const auto group = groups_.find(group_of(dropped->second));
  group->second.erase(id);
  if (group->second.empty()) groups_.erase(group);
  keys_.erase(key_of(dropped->second));
  incidents_.erase(dropped);
}

WaitingIncidents::Key WaitingIncidents::key_of(const IncidentRecord& incident) {
  return {incident.arena, incident.epoch, incident.kind, incident.frame};
}

WaitingIncidents::Group WaitingIncidents::group_of(const IncidentRecord& incident) {
  return {incident.arena, incident.kind == IncidentKind::slow ? Bounded::slow_frames : Bounded::deaths};
}

size_t WaitingIncidents::most_of(Bounded bounded) {
  switch (bounded) {
    case Bounded::deaths:
      return limits::kMaxDeathsOfArena;
    case Bounded::slow_frames:
      return limits::kMaxSlowOfArena;
  }
  return 0;
}

// ---- Quarantine ----

// In the order in which a transaction does it (records.h).
void WaitingQuarantine::merge(const std::vector<ArenaId>& forgotten, const std::vector<uint64_t>& unquarantined,
                              std::vector<QuarantineRecord> quarantined) {
  const std::set<ArenaId> arenas(forgotten.begin(), forgotten.end());
  const std::set<uint64_t> gone(unquarantined.begin(), unquarantined.end());
  if (!arenas.empty() || !gone.empty()) {
    drop_if([&](const QuarantineRecord& entry) { return arenas.contains(entry.arena) || gone.contains(entry.id); });
  }
  unquarantined_.insert(gone.begin(), gone.end());
  for (QuarantineRecord& entry : quarantined) {
    if (gone.contains(entry.id)) {
      use_up(std::move(entry));
    } else {
      add(std::move(entry));
    }
  }
}

void WaitingQuarantine::take(StoreBatch& batch) {
  for (auto& [key, entry] : entries_) batch.quarantined.push_back(std::move(entry));
  if (used_up_) {
    unquarantined_.insert(used_up_->id);
    batch.quarantined.push_back(std::move(*used_up_));
  }
  batch.unquarantined.assign(unquarantined_.begin(), unquarantined_.end());
  *this = WaitingQuarantine();
}

void WaitingQuarantine::add(QuarantineRecord entry) {
  // One that comes again after it went is there again.
  unquarantined_.erase(entry.id);
  if (used_up_ && used_up_->id == entry.id) used_up_.reset();
  const Key key{entry.arena, entry.channel, entry.sequence};
  const auto [waiting, is_first] = entries_.try_emplace(key, std::move(entry));
  // The first stays. try_emplace() leaves what it does not take.
  if (!is_first && waiting->second.id != entry.id) use_up(std::move(entry));
}

void WaitingQuarantine::use_up(QuarantineRecord entry) {
  if (used_up_ && used_up_->id >= entry.id) return;
  entry.bytes = {};
  used_up_ = std::move(entry);
}

template <class Predicate>
void WaitingQuarantine::drop_if(Predicate predicate) {
  for (auto each = entries_.begin(); each != entries_.end();) {
    if (!predicate(each->second)) {
      ++each;
      continue;
    }
    use_up(std::move(each->second));
    each = entries_.erase(each);
  }
}

}  // namespace arenad
