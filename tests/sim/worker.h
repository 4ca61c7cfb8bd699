// A simulated worker process: one incarnation of one arena, from its assignment to its death. Each step of a frame is an event of its own
// in virtual time, so that a death can fall between any two of them. The steps and their order are those of worker/arena_runtime.cc,
// worker/recovery.cc and worker/worker_role.cc; which rung, what may be released and when a tick is due the real functions say.
//
//   assigned -> restoring -> replaying* -> live: (decide, entries*, tick, publish, done, snapshot?, release)* -> exiting
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "supervisor/arena_lifecycle.h"
#include "tests/sim/keeper.h"
#include "tests/sim/region.h"
#include "tests/sim/settings.h"
#include "worker/retention.h"
#include "worker/tick_schedule.h"

namespace arenad::sim {

class World;

struct AssignedChannel {
  ChannelId id;
  Seat slot = 0;
  uint64_t player = 0;
  std::shared_ptr<Channel> memory;
  bool gone = false;
};

struct Assignment {
  ArenaId arena;
  Epoch epoch;
  BeginWith with = BeginWith::nothing;
  std::shared_ptr<Board> board;
  std::shared_ptr<Region> predecessor;
  std::optional<StoredSnapshot> checkpoint;
  std::vector<AssignedChannel> channels;
  std::set<std::pair<uint64_t, uint64_t>> quarantined;
};

struct ToWorker {
  enum class Kind { assign, join, leave, finish, adopt, bell, abort };
  Kind kind = Kind::bell;
  uint64_t from_life = 0;  // of arenad; 0: a signal, not a message
  std::shared_ptr<Assignment> assignment;
  AssignedChannel channel;  // join; leave: its id
  std::shared_ptr<Board> board;
};

struct FromWorker {
  enum class Kind { live, refused, finished, ended, released, results };
  Kind kind = Kind::live;
  WorkerEnd refused = WorkerEnd::crashed;
  ChannelId channel;
};

struct Offer {
  ArenaId arena;
  Epoch epoch;
  Pid pid = 0;
  std::shared_ptr<Region> region;
  std::vector<AssignedChannel> channels;
};

class Worker {
 public:
  Worker(World& world, Pid pid, uint64_t life) : world_(world), pid_(pid), link_(life) {}

  void receive(ToWorker message);
  void link_broke();
  void stop() { stopped_ = true; }
  void go_on();

  [[nodiscard]] Pid pid() const { return pid_; }
  [[nodiscard]] ArenaId arena() const { return arena_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] uint64_t link() const { return link_; }
  [[nodiscard]] bool is_spare() const { return epoch_.value == 0; }
  [[nodiscard]] bool is_stopped() const { return stopped_; }
  [[nodiscard]] bool hangs() const { return hangs_; }
  [[nodiscard]] const std::shared_ptr<Region>& region() const { return region_; }

 private:
  enum class At { waiting, begin, replay, entries, tick, publish, done, slot_begin, slot_end, live, exiting };
  struct Member {
    AssignedChannel channel;
    uint64_t cursor = 0;
    bool joined = false;
    bool broken = false;
    std::optional<uint64_t> left;
    uint64_t released = 0;
    uint64_t at_snapshot = 0;
    [[nodiscard]] bool in_arena() const { return joined && !left; }
  };
  struct Mark {
    uint64_t frame;
    std::vector<ChannelAt> channels;
  };

  void go(At at, uint64_t delay_ns);
  void step();
  void look_at_inbox();
  void turn();
  void begin();
  bool restore(const Snapshot& snapshot);
  void init();
  void next_replayed();
  void go_live();
  void decide();
  void record(LogRecord record);
  void entries();
  bool apply(Member& member);
  void tick();
  void publish();
  void publish_outputs();
  void mark_done();
  void done();
  void slot_begin();
  void slot_end();
  void after_snapshot();
  void release();
  void refuse(WorkerEnd end);
  void finish(Stage stage);
  void exit_later();
  void send(FromWorker message);
  void offer_if_alone();
  bool hit(int point);
  [[nodiscard]] bool counts() const;
  [[nodiscard]] Fullness fullness() const;
  [[nodiscard]] FrameNumber older_slot() const;
  [[nodiscard]] std::vector<ChannelAt> positions() const;
  [[nodiscard]] Member* at_slot(Seat slot);
  [[nodiscard]] uint64_t outputs_hash(uint64_t from, uint64_t end) const;

  World& world_;
  Pid pid_;
  uint64_t link_;  // the life of arenad that it is connected to; 0: none
  ArenaId arena_;
  Epoch epoch_;
  std::shared_ptr<Region> region_;
  std::shared_ptr<Board> board_;
  std::shared_ptr<Assignment> assignment_;
  GameSettings game_;
  std::deque<ToWorker> inbox_;
  bool stopped_ = false;
  bool deferred_ = false;  // a step came while it was stopped
  bool hangs_ = false;
  bool deaf_ = false;  // its hang ignores SIGABRT
  At at_ = At::waiting;
  uint64_t step_serial_ = 0;

  // The game.
  uint64_t state_ = 0;
  uint64_t frame_ = 0;
  bool ended_ = false;
  std::map<uint64_t, Member> members_;
  // The frame that is being run.
  LogRecord running_;
  size_t entry_ = 0;
  bool first_time_ = true;  // not a replay
  bool was_done_ = false;
  uint64_t outputs_before_ = 0;
  uint64_t previous_outputs_end_ = 0;
  uint64_t previous_outputs_hash_ = 0;

  std::deque<LogRecord> to_replay_;
  std::optional<TickSchedule> ticks_;
  std::optional<SnapshotSchedule> snapshots_;
  std::optional<uint64_t> slot_frames_[2];
  size_t slot_ = 0;
  uint64_t snapshot_frame_ = 0;
  bool has_snapshot_ = false;
  uint64_t log_since_snapshot_ = 0;
  std::deque<Mark> marks_;
  uint64_t alone_since_ns_ = 0;
  bool offered_ = false;
  bool finish_wanted_ = false;
};

}  // namespace arenad::sim
