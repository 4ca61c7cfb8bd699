// What happens to arenas, games and arenad itself, as a numbered stream for scripts (arenactl events).
//
// Numbers count from 1 without a gap, also over the death of arenad, and each stands for one event for ever. So an event is told to nobody
// before it is in the database: an arenad that dies before that has told nobody of it, and its successor gives the number to another event.
// Who follows asks for what comes after the number that he has; the newest kLifecycleEventsKept are kept in the
// database, and here as many of them as are in kBytesKept: 200 bytes for each.
//
//   add() -> pending -- the database has it, and all before it --> kept, told from now on
//
// The database may refuse a transaction for the sake of another record in it, so events that were refused are given to it again, one after the
// other; and one that is refused again with its number, time and type alone, so that no number is left without its event. While the database takes nothing there are no more
// than kLifecycleEventsKept pending either: of more, the oldest would not be kept once it does.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "state/store_thread.h"
#include "supervisor/packed.h"
#include "supervisor/packed_ring.h"

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
  quarantined,  // an event that has killed it twice, or that its game blames
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
  // Of events here; in the database there may be older ones.
  static constexpr size_t kBytesKept = size_t{2} * 1024 * 1024;

  using Details = std::vector<std::pair<std::string, std::string>>;

  // kept: what the database has, by number.
  LifecycleLog(StoreThread& store, std::vector<LifecycleRecord> kept);

  // Gives it its number and time. What the database would refuse is made to fit: too long a text is cut.
  void add(LifecycleEvent event, LifecycleRecord about);
  // Another database has taken the place of the one in use: gives it all that is known.
  void save_anew();

  // What is asked for is chosen by; the texts are there during the call only.
  struct Facts {
    uint64_t number = 0;
    std::string_view type;
    std::string_view arena;  // its id
    std::string_view name;
    std::string_view game;
  };
  using Wanted = std::function<bool(const Facts&)>;
  struct Page {
    std::vector<LifecycleRecord> events;  // by number
    uint64_t next = 0;                    // everything up to this number has been looked at
  };
  [[nodiscard]] Page newest(const Wanted& wanted, size_t limit) const;
  // Those after this number, oldest first.
  [[nodiscard]] Page after(uint64_t number, const Wanted& wanted, size_t limit) const;
  // The first and last that are kept; 0: none is.
  [[nodiscard]] uint64_t oldest() const;
  [[nodiscard]] uint64_t last() const;
  [[nodiscard]] size_t pending() const { return pending_.size(); }

 private:
  struct Pending {
    Packed event;
    bool is_durable = false;
    unsigned refusals = 0;
  };
  void submit(const Packed& event);
  void answered(uint64_t number, const Result<void>& result);
  void refused(Pending& pending);
  void keep_durable();
  void retry_first_refused(unsigned most_refusals);
  [[nodiscard]] Pending* find_pending(uint64_t number);

  StoreThread& store_;
  uint64_t last_given_ = 0;
  uint64_t retried_ = 0;                               // the number of the refused one that the database has again; 0: none
  bool has_refused_ = false;                           // some are pending that were refused
  PackedRing kept_{kBytesKept, kLifecycleEventsKept};  // durable, by number without a gap
  std::deque<Pending> pending_;  // by number without a gap, up to the last one given: all that the database has not told of yet
};

}  // namespace arenad
