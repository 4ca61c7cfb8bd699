// The simulated machine: virtual time, processes and their deaths, messages, signals, and whoever starts arenad again. One seed, one world.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tests/sim/arenad.h"
#include "tests/sim/checker.h"
#include "tests/sim/client.h"
#include "tests/sim/event_queue.h"
#include "tests/sim/faults.h"
#include "tests/sim/keeper.h"
#include "tests/sim/mutant.h"
#include "tests/sim/settings.h"
#include "tests/sim/store.h"
#include "tests/sim/trace.h"
#include "tests/sim/worker.h"

namespace arenad::sim {

// Of a process's death.
enum class Cause { own, outside, arenad, in_order };
// Why arenad kills a process.
enum class Why { overdue, hung, not_come, offer_refused, not_needed };

class World {
 public:
  World(uint64_t seed, Mutant mutant, Trace::Print print);
  // Throws a Violation.
  void run();

  [[nodiscard]] uint64_t now() const { return queue_.now_ns(); }
  void after(uint64_t delay_ns, std::function<void()> happens) { queue_.after(delay_ns, std::move(happens)); }
  Draw& draw(Stream stream) { return streams_[static_cast<size_t>(stream)]; }
  void note(const char* what, uint64_t a = 0, uint64_t b = 0, uint64_t c = 0) { trace_.note(now(), what, a, b, c); }
  void met(Met what) { coverage_.met(what); }
  [[nodiscard]] bool is(Mutant mutant) const { return mutant_ == mutant; }
  [[noreturn]] void fail(const std::string& what) const { throw Violation{now(), 0, what}; }
  FaultPlan& plan() { return plan_; }
  Checker& checker() { return checker_; }
  [[nodiscard]] const Settings& settings() const { return settings_; }
  [[nodiscard]] const GameSettings& game_of(ArenaId arena) const {
    return settings_.games[(arena.low - 1) % settings_.games.size()];
  }
  Database& database() { return database_; }

  // Processes.
  Worker* worker(Pid pid);
  [[nodiscard]] const std::map<Pid, std::unique_ptr<Worker>>& workers() const { return workers_; }
  void worker_dies(Pid pid, Cause cause);
  void kill_one_of(ArenaId arena);
  void worker_hangs(Pid pid);
  void stop_worker(Pid pid);
  void worker_goes_on(Pid pid);
  // By a signal, and so for whoever looks; a pause of the whole machine nobody sees.
  [[nodiscard]] bool is_stopped(Pid pid);
  [[nodiscard]] bool was_stopped_lately(Pid pid);
  [[nodiscard]] bool was_stopped_since(Pid pid, uint64_t since_ns);
  void take_spare(std::function<void(Pid)> taken);  // 0: there is none
  [[nodiscard]] std::shared_ptr<Region> region_of_spare(Pid pid) { return spare_regions_.at(pid); }
  bool first_application(ArenaId arena, ChannelId channel, uint64_t sequence) {
    return applied_once_.emplace(arena.low, channel.value, sequence).second;
  }
  void keep_old_snapshot(const StoredSnapshot& snapshot);
  [[nodiscard]] const std::map<ArenaId, std::vector<StoredSnapshot>>& old_snapshots() const { return old_snapshots_; }

  // Messages and signals.
  void to_worker(Pid pid, uint64_t delay_ns, ToWorker message);
  void tell_arenad(uint64_t life, Pid from, FromWorker message);
  uint64_t offer(Offer offer);  // the life of the arenad that listens; 0: nobody does
  // Something that this life of arenad does later; never, if it has died by then; later still, if it is stopped.
  void to_arenad(uint64_t delay_ns, std::function<void()> happens) { to_arenad(delay_ns, Source::others, std::move(happens)); }
  void arenad_timer(uint64_t delay_ns, std::function<void()> happens) {
    to_arenad(delay_ns, Source::timer, std::move(happens));
  }
  void on_store_thread(uint64_t delay_ns, std::function<void()> happens) { to_arenad(delay_ns, std::move(happens)); }
  void arenad_kills(Pid pid, Why why);
  void notify_incarnation(uint64_t client, std::shared_ptr<Region> region);
  void notify_gone(uint64_t client, ChannelId attachment);
  void begins_from_database(ArenaId arena);

  // What arenad's parent keeps.
  void keep(const KeepKey& key, Kept kept);
  void forget(const KeepKey& key) { keeper_.forget(key); }
  [[nodiscard]] const std::map<KeepKey, Kept>& kept() const { return keeper_.all(); }

  // Faults.
  enum class Disaster { arenad, all, power_cut };
  void kill_arenad(Disaster disaster);
  void stop_arenad(uint64_t for_ns);
  void pause_all(uint64_t for_ns);
  [[nodiscard]] bool is_paused() const { return pause_ends_ns_ != 0; }
  [[nodiscard]] DiskMode disk_mode() const { return disk_mode_; }
  void set_disk_mode(DiskMode mode) { disk_mode_ = mode; }
  void spares_die() { spares_die_until_ns_ = now() + 200 * kMs; }
  Arenad* arenad() { return arenad_.get(); }
  [[nodiscard]] std::vector<Pid> living() const;  // workers of arenas
  [[nodiscard]] const std::vector<ArenaId>& ids() const { return ids_; }

  [[nodiscard]] const Coverage& coverage() const { return coverage_; }
  [[nodiscard]] uint64_t trace_hash() const { return trace_.hash(); }
  [[nodiscard]] uint64_t faults() const { return faults_; }
  void count_fault() { ++faults_; }

 private:
  enum class Source { timer, others };
  struct Deferred {
    Source source;
    std::function<void()> happens;
  };
  void to_arenad(uint64_t delay_ns, Source source, std::function<void()> happens);
  void start_arenad(uint64_t delay_ns);
  void in_arenad(const std::function<void()>& happens);
  void goes_on();
  void arenad_goes_on();
  void pause_ends();
  void start_missing_arenas();
  void replace(ArenaId& id);
  bool has_converged(std::string* why);
  void heal();

  Settings settings_;
  Mutant mutant_;
  Trace trace_;
  EventQueue queue_;
  std::vector<Draw> streams_;
  Coverage coverage_;
  Checker checker_;
  FaultPlan plan_;
  Database database_;
  Keeper keeper_;
  std::unique_ptr<Arenad> arenad_;
  uint64_t life_ = 0;
  bool arenad_stopped_ = false;
  uint64_t arenad_stops_ = 0;
  std::vector<Deferred> deferred_;  // while it is stopped
  bool inside_arenad_ = false;
  bool arenad_dies_ = false;  // while it is inside

  Pid next_pid_ = 1;
  std::map<Pid, std::unique_ptr<Worker>> workers_;
  std::vector<std::unique_ptr<Worker>> dead_;  // until nobody stands in them any more
  std::map<Pid, std::shared_ptr<Region>> spare_regions_;
  std::map<Pid, uint64_t> stopped_until_ns_;
  std::set<Pid> paused_;  // with the whole machine: that is no excuse for taking them to hang
  uint64_t pause_ends_ns_ = 0;
  std::set<std::tuple<uint64_t, uint64_t, uint64_t>> applied_once_;
  std::map<ArenaId, std::vector<StoredSnapshot>> old_snapshots_;
  std::map<uint64_t, std::unique_ptr<Client>> clients_;
  std::vector<ArenaId> ids_;
  std::set<ArenaId> started_;
  DiskMode disk_mode_ = DiskMode::well;
  uint64_t spares_die_until_ns_ = 0;
  uint64_t faults_ = 0;
};

}  // namespace arenad::sim
