// What must hold, whatever happens. It shares no code with the cores: its model is a fold of its own over the frames as they were first
// recorded, and over the events as their senders sent them; everything that workers publish and clients read is compared with that.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "supervisor/arena_lifecycle.h"
#include "tests/sim/store.h"
#include "tests/sim/worker.h"

namespace arenad::sim {

struct Violation {
  uint64_t at_ns;
  uint64_t arena;
  std::string what;
};

// What this seed does from here on proves nothing: a known limit was met.
struct Inconclusive {};

class Checker {
 public:
  explicit Checker(World& world) : world_(world) {}

  // Clients.
  void channel_created(ArenaId arena, ChannelId channel, uint64_t client);
  void sent(ArenaId arena, ChannelId channel, const Event& event);
  void read(ArenaId arena, uint64_t client, uint64_t position, const Output& output);
  void lagged(ArenaId arena, uint64_t position, const OutputRing& ring);
  [[nodiscard]] uint64_t taken(ArenaId arena, ChannelId channel) const;

  // Workers.
  enum class Take { first, again };
  void assigned(ArenaId arena, Epoch epoch, Pid pid);
  // Whether this process is the arena's newest. Without a keeper an older one may have been taken for dead: it counts for nothing.
  [[nodiscard]] bool counts(ArenaId arena, Pid pid);
  void live(ArenaId arena, Pid pid, const Region* predecessor);
  void recorded(ArenaId arena, Epoch epoch, const LogRecord& record, Take take);
  void published(ArenaId arena, Epoch epoch, uint64_t frame, const Region& region);
  void done(ArenaId arena, uint64_t frame, uint64_t state, const Region& region);
  void released(ArenaId arena, uint64_t frame, uint64_t older_slot, bool early);
  void refused(ArenaId arena, WorkerEnd end);
  void restored(ArenaId arena, const Region& before, const std::optional<StoredSnapshot>& checkpoint, uint64_t frame);
  void set_back(ArenaId arena, uint64_t frame);
  void begun_anew(ArenaId arena);
  void region_dropped(ArenaId arena, const Region& region);
  // arenad forgets all that is kept of an arena that came to rest.
  void memory_given_up(ArenaId arena, const Region* lived);
  // hung_or_killed: somebody else killed it while it hung; either may be taken for the reason.
  enum class Doing { its_own, hung_or_killed, from_outside };
  void died(ArenaId arena, const Region& region, Doing doing);

  // arenad.
  void arenad_began();
  void adopted(ArenaId arena, Pid pid);
  void quarantined(ArenaId arena, const EventRef& event);
  void charged(ArenaId arena);
  void restarted(ArenaId arena, BeginWith source);
  void power_cut();
  void reported_set_back(ArenaId arena) { of(arena).set_back_reported = true; }
  void state(ArenaId arena, ArenaState state, const Region* lived, const RestartBudget& budget);
  void durable_told(ArenaId arena, uint64_t frame);
  void results_acknowledged(ArenaId arena, uint64_t count);
  void ended_as_hung(ArenaId arena, Pid pid);
  void ended_as_late(ArenaId arena, Pid pid, uint64_t expected_since_ns);

  // At the end.
  void finish();
  [[nodiscard]] uint64_t frames() const { return frames_; }
  [[nodiscard]] uint64_t results(ArenaId arena) { return of(arena).history.back().results; }
  [[nodiscard]] bool has_ended(ArenaId arena) { return of(arena).history.back().ended; }

 private:
  // As of the end of a frame.
  struct Moment {
    uint64_t state = 0;
    uint64_t outputs = 0;
    uint64_t results = 0;
    bool ended = false;
    std::map<uint64_t, uint64_t> taken;  // by channel
    std::map<Seat, uint64_t> seats;      // which channel is there
  };
  struct Model {
    std::vector<Moment> history;     // by frame; [0] is the beginning
    std::vector<LogRecord> records;  // by frame - 1, as first recorded
    std::vector<uint64_t> outputs;
    std::vector<std::set<uint64_t>> results;      // what was ever produced as this one
    std::map<uint64_t, std::vector<Event>> sent;  // by channel
    std::set<uint64_t> channels;                  // every one that there ever was
    std::map<uint64_t, uint64_t> joined;          // by channel: in which frame
    std::map<uint64_t, uint64_t> taken_last;
    std::set<std::pair<uint64_t, uint64_t>> quarantined;
    std::set<uint64_t> lived_epochs;
    std::vector<uint64_t> charged_ns;
    std::optional<EventRef> suspect;  // of the last death, if it may have been its own doing
    int may_blame = 0;                // deaths in a row for which it may be blamed
    int must_blame = 0;               // and must
    ArenaState state = ArenaState::starting;
    Pid owner = 0;
    bool owner_is_given = false;  // by this life of arenad
    bool lived = false;
    bool budget_used_up = false;     // that is why it has failed
    bool rests_from_before = false;  // nothing was seen of it yet by this life of arenad
    uint64_t seen_through = 0;       // the last frame whose outputs a client may have seen
    bool set_back_reported = false;
    std::optional<WorkerEnd> refused;
    std::map<uint64_t, uint64_t> positions;  // of readers
  };
  Model& of(ArenaId arena);
  void evaluate(ArenaId arena, Model& model, const LogRecord& record);
  void truncate(Model& model, uint64_t frame);
  [[nodiscard]] bool is_busy(const Worker& worker) const;
  void require_no_other(ArenaId arena, Pid pid, Pid newest, const char* is_what) const;
  void check_log_reaches_back(ArenaId arena, const Region& region, const Region& predecessor);
  void check_failed(ArenaId arena, Model& model, ArenaState before);
  void check_lost(ArenaId arena, Model& model, const Region* lived);
  [[nodiscard]] uint64_t in_window(const Model& model) const;
  void require(bool holds, ArenaId arena, const std::string& what) const {
    if (!holds) throw Violation{now(), arena.low, what};
  }
  [[nodiscard]] uint64_t now() const;

  World& world_;
  std::map<ArenaId, Model> models_;
  uint64_t frames_ = 0;
};

}  // namespace arenad::sim
