// One arena as the simulated arenad holds it: the shell around the real ArenaLifecycle, PoisonWatch, HangDetector and ChannelRoster. It does
// in virtual time what supervisor/arena.cc, arena_saving.cc, arena_inheritance.cc and arena_clients.cc do, and asks at each step whether
// arenad dies there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "supervisor/adoption_plan.h"
#include "supervisor/arena_lifecycle.h"
#include "supervisor/channel_roster.h"
#include "supervisor/hang_detector.h"
#include "supervisor/poison_watch.h"
#include "tests/sim/deadline.h"
#include "tests/sim/store.h"
#include "tests/sim/worker.h"

namespace arenad::sim {

class Arenad;

struct Durable {
  std::optional<Snapshot> checkpoint;
  uint64_t damaged = 0;
  uint64_t results = 0;
  std::set<std::pair<uint64_t, uint64_t>> quarantined;
};

struct Inheritance {
  std::shared_ptr<Region> region;
  std::vector<AssignedChannel> channels;
};

// How a process ended, as far as whoever watches it is told.
enum class ExitHow { signalled, exited, unknown };

class ArenaShell {
 public:
  ArenaShell(Arenad& arenad, ArenaId id, ArenaRow row);

  void begin_new();
  void take_up(const Durable& durable);
  void recover_from(Inheritance inheritance, const Durable& durable);
  void keep(Inheritance inheritance, const Durable& durable);
  void adopt(const Offer& offer, std::vector<AssignedChannel> channels, const Durable& durable);
  void was_started_again() { row_.disposition = ArenaDisposition::running; }
  void is_kept(const KeepKey& key);
  void expect_clients_back();

  void take_message(const FromWorker& message);
  void worker_ended(ExitHow how);
  void observe();
  Verdict stop();
  Verdict restart();

  struct Attached {
    ChannelId id;
    uint64_t outputs_from = 0;
    std::shared_ptr<Region> live;
  };
  std::optional<Attached> attach(uint64_t client, ChannelRoster::Kind kind, const std::shared_ptr<Channel>& memory);
  std::optional<Attached> reattach(uint64_t client, ChannelId id, const std::shared_ptr<Channel>& memory);
  void detach(uint64_t client);

  std::optional<StoredSnapshot> next_checkpoint();
  void checkpoint_committed(FrameNumber frame);

  [[nodiscard]] ArenaId id() const { return id_; }
  [[nodiscard]] const ArenaRow& row() const { return row_; }
  [[nodiscard]] ArenaState state() const { return lifecycle_.state(); }
  [[nodiscard]] const ArenaLifecycle& lifecycle() const { return lifecycle_; }
  [[nodiscard]] Pid pid() const { return pid_; }

 private:
  void inherit(Inheritance inheritance, const Durable& durable);
  void skip_channel_ids();
  void take_over_checkpoint(const Snapshot& checkpoint);
  void drop_those_who_did_not_return();
  void carry_out(const ArenaActions& actions);
  void begin_incarnation(BeginWith with);
  void take_worker(BeginWith with, std::optional<StoredSnapshot> checkpoint);
  void assign(Pid pid, BeginWith with, std::optional<StoredSnapshot> checkpoint);
  void worker_live();
  void no_worker();
  void tell(ToWorker message);
  void announce_gone();
  void persist();
  void save_results();
  void save_last();
  void forget_all();
  void keep_channel(const AssignedChannel& channel);
  void forget(const KeepKey& key);
  std::optional<EventRef> blame(const Region* region, bool was_stopped);

  Arenad& arenad_;
  World& world_;
  ArenaId id_;
  ArenaRow row_;
  ArenaLifecycle lifecycle_;
  PoisonWatch poison_;
  HangDetector hang_;
  std::shared_ptr<Board> board_ = std::make_shared<Board>();
  ChannelRoster roster_;
  std::map<uint64_t, AssignedChannel> channels_;
  std::map<uint64_t, ChannelId> attachments_;  // by client
  std::set<std::pair<uint64_t, uint64_t>> quarantined_;
  std::set<KeepKey> kept_;

  Pid pid_ = 0;
  std::shared_ptr<Region> starting_;
  std::shared_ptr<Region> lived_;
  std::optional<WorkerEnd> announced_end_;
  uint64_t serial_ = 0;
  uint64_t delay_ = 0;  // serial: a timer that was set again does nothing
  Deadline deadline_;
  Deadline reclaim_deadline_;
  bool killed_for_hang_ = false;
  bool was_stopped_ = false;

  std::optional<FrameNumber> submitted_;
  FrameNumber durable_;
  bool checkpoints_damaged_ = false;
  uint64_t outputs_resumed_from_ = 0;
  uint64_t results_read_ = 0;
};

}  // namespace arenad::sim
