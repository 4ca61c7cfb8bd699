// Wiring: builds the parts of arenad and connects them; decides nothing.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "supervisor/adoption.h"
#include "supervisor/checkpointer.h"
#include "supervisor/commands.h"
#include "supervisor/config.h"
#include "supervisor/control_server.h"
#include "supervisor/directory_lock.h"
#include "supervisor/handed_on.h"
#include "supervisor/metrics.h"
#include "supervisor/rollouts.h"
#include "supervisor/roster.h"
#include "supervisor/service_report.h"
#include "supervisor/upgrade.h"

namespace arenad {

class Supervisor {
 public:
  // Errors: another arenad has the directory, no right to it, a database of a newer Arenad, the socket.
  // handed: by the program whose place this one has taken.
  struct Program {
    std::string configuration_path;
    FileStamp configuration_stamp;  // before it was read
    std::string worker;
    Upgrade::Arguments arguments;  // how this process was called
    std::optional<HandedOn> handed;
    LogBook* log = nullptr;  // the log's last lines
  };
  static Result<std::unique_ptr<Supervisor>> open(Config config, Program program);
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;
  ~Supervisor();

  // Returns when arenad has been told to end, and every arena is in the database. False if it could not begin, or not
  // everything is there.
  bool run();

 private:
  Supervisor(Config config, Program program, DirectoryLock lock, Store store, RecordNumbers numbers,
             std::vector<LifecycleRecord> events);
  void tell(LifecycleEvent event, LifecycleLog::Details details);

  void make_games(const std::vector<GameRecord>& before);
  void complete_old_versions(const std::vector<ArenaRecord>& records, const std::vector<GameRecord>& games);
  void forget_unneeded_code(const std::vector<ArenaRecord>& records, const std::vector<GameRecord>& games);
  // Takes up what an earlier arenad has left.
  Result<void> take_up_arenas(const std::vector<ArenaRecord>& records);
  void take_up_arena(const ArenaRecord& record);
  void open_for_clients();
  void have_spares_ready();
  Result<void> listen_for_clients();
  void apply_access();
  [[nodiscard]] gid_t socket_group() const;
  // supervisor_upgrade.cc
  void take_on_templates();
  [[nodiscard]] Upgrade::Host upgrade_host();
  void hand_on(wire::UpgradeState::Builder to, FdsToKeep& fds) const;
  [[nodiscard]] std::vector<std::string> in_the_way_of_upgrade() const;
  void save_records();
  void store_wakes();
  void watch_workers();
  void log_output(uint64_t now_ns);
  void tell_manager();
  [[nodiscard]] ServiceFacts service_facts() const;
  void note_store_health();
  void begin_shutdown();
  void shut_down_faster();
  void finish_shutdown_if_done();
  void upgrade_on_signal();
  void log_status() const;
  [[nodiscard]] ArenaServices services();

  // First: it may move arenad, which then looks at where it is. Last to end: it removes what others let go.
  ArenaGroups groups_;
  uv_loop_t loop_{};
  FactQueue facts_;
  ChildReaper reaper_;
  Config config_;
  Program program_;
  DirectoryLock lock_;
  std::optional<DirectoryLock> runtime_lock_;  // if it is another directory
  uint64_t started_ns_;
  ServiceManager manager_;
  ServiceReport report_;
  RecordNumbers numbers_;
  OomWitness oom_ = OomWitness::of_self();
  MetricsLedger ledger_;
  std::vector<std::string> notices_;
  ControlServer server_;
  UvAsync store_wake_;
  StoreThread store_;
  LifecycleLog events_;
  VersionStore versions_;
  std::map<std::string, std::unique_ptr<GameVersions>> games_;
  Roster roster_;
  Checkpointer checkpointer_;
  Rollouts rollouts_;
  std::vector<RememberedRollout> remembered_rollouts_;  // until they are taken up
  Upgrade upgrade_;
  std::unique_ptr<ConfigReload> config_reload_;
  std::unique_ptr<Commands> commands_;
  Adoption adoption_;
  Metrics metrics_;
  UvTurn turn_;
  UvSignal terminate_;
  UvSignal interrupt_;
  UvSignal hangup_;
  UvSignal reopen_;
  UvSignal reexec_;
  UvSignal dump_;
  UvSignal child_;
  UvDeadline shutdown_deadline_;
  UvTimer watch_;
  bool is_settled_ = false;          // every arena is taken up
  bool stops_when_settled_ = false;  // somebody has asked before that
  bool shutting_down_ = false;
  bool shuts_down_faster_ = false;
  bool closed_ = false;
  bool could_not_begin_ = false;
  bool has_lost_ = false;  // at the end the database did not take everything
  bool store_was_failing_ = false;
  uint64_t store_replacements_ = 0;  // those that have been answered
  ArenaId next_output_;              // whose output is looked at next
};

}  // namespace arenad
