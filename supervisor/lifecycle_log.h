// What happens to arenas, games and arenad itself, as a numbered stream for scripts (arenactl events).
//
// Numbers count from 1 without a gap, also over the death of arenad, and each stands for one event for ever. So an event is told to nobody
// before it is in the database: an arenad that dies before that has told nobody of it, and its successor gives the number to another event.
// Who follows asks for what comes after the number that he has; the newest kLifecycleEventsKept are kept, here and in the database.
//
//   add() -> pending -- the database has it --> kept, told from now on
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "state/store_thread.h"

namespace arenad {

// Also the words in the database and of arenactl, so they never change.
enum class LifecycleEvent {
  started,       // a new arena
  ready,         // it runs frames: for the first time, or again after it was at rest
  died,          // its worker: cause, signature, crash
  recovered,     // it runs frames after a death: ms, rung, frames and events that were run again
  adopted,       // its worker lives on under another arenad
  resumed,       // from the database, as nothing else was left of it
  handing_over,  // its code is being changed: from, to
  handed_over,   // the new code runs, on probation
  passed,        // its probation
  taken_back,    // the new code has failed: why
  draining,
  undrained,
  quarantined,  // an event that has killed it twice
  stopped,
  ended,
  failed,  // its restart budget is used up, or it cannot run
  lost,
  rollout_begun,
  rollout_step,  // its numbers of arenas have changed
  rollout_over,
  arenad_started,
  arenad_upgraded,
  arenad_stopping,
  config_reloaded,
};
const char* to_string(LifecycleEvent event);

class LifecycleLog {
 public:
  using Details = std::vector<std::pair<std::string, std::string>>;

  // kept: what the database has, by number.
  LifecycleLog(StoreThread& store, std::vector<LifecycleRecord> kept);

  // Gives it its number and time. What is too long in the details is cut.
  void add(LifecycleEvent event, LifecycleRecord about);
  // Another database has taken the place of the one in use: gives it all that is known.
  void save_anew();

  using Wanted = std::function<bool(const LifecycleRecord&)>;
  struct Page {
    std::vector<const LifecycleRecord*> events;  // by number; until the next add()
    uint64_t next = 0;                           // everything up to this number has been looked at
  };
  [[nodiscard]] Page newest(const Wanted& wanted, size_t limit) const;
  // Those after this number, oldest first.
  [[nodiscard]] Page after(uint64_t number, const Wanted& wanted, size_t limit) const;
  // The first and last that are kept; 0: none is.
  [[nodiscard]] uint64_t oldest() const { return kept_.empty() ? 0 : kept_.front().number; }
  [[nodiscard]] uint64_t last() const { return kept_.empty() ? 0 : kept_.back().number; }

 private:
  void committed(uint64_t number);

  StoreThread& store_;
  uint64_t last_given_ = 0;
  std::deque<LifecycleRecord> kept_;     // durable
  std::deque<LifecycleRecord> pending_;  // by number: those that the database has not told of yet
};

}  // namespace arenad
