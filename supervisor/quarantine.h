// The events that one arena does not get. Pure bookkeeping; the entries themselves, with their bytes, are in the database.
//
//   entry     | retry    | applied | not applied | killed the arena again
//   ----------+----------+---------+-------------+-----------------------
//   held      | retrying | -       | -           | (its first death is its second in a row)
//   retrying  | -        | gone    | held        | held
//
// While it is held, a frame that is run again leaves the event out. While it is tried again it is not: the frame that tries it has to
// do the same when it is repeated.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "ipc/event_ref.h"

namespace arenad {

class Quarantine {
 public:
  enum class Standing { held, retrying };
  struct Entry {
    uint64_t id = 0;
    EventRef event;
    Standing standing = Standing::held;
  };

  void hold(uint64_t id, const EventRef& event) {
    if (Entry* known = find(event)) {
      known->standing = Standing::held;
    } else {
      entries_.push_back({id, event, Standing::held});
    }
  }
  void set(uint64_t id, Standing standing) {
    if (Entry* entry = find(id)) entry->standing = standing;
  }
  void remove(uint64_t id) {
    std::erase_if(entries_, [&](const Entry& entry) { return entry.id == id; });
  }

  [[nodiscard]] Entry* find(uint64_t id) {
    const auto found = std::ranges::find(entries_, id, &Entry::id);
    return found == entries_.end() ? nullptr : &*found;
  }
  [[nodiscard]] Entry* find(const EventRef& event) {
    const auto found = std::ranges::find(entries_, event, &Entry::event);
    return found == entries_.end() ? nullptr : &*found;
  }
  [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
  [[nodiscard]] std::vector<LeftOutEvent> left_out() const {
    std::vector<LeftOutEvent> events;
    for (const Entry& entry : entries_) {
      if (entry.standing == Standing::held) events.push_back({entry.event, entry.id});
    }
    return events;
  }

 private:
  std::vector<Entry> entries_;
};

}  // namespace arenad
