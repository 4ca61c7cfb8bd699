// What each request on the control socket does. One function for each verb; a request that takes time is answered when the arenas
// that it concerns have settled. commands_incidents.cc has those about crashes and quarantine, commands_reload.cc those about versions of
// games, commands_config.cc the one about the configuration, commands_upgrade.cc the one about arenad itself, commands_operating.cc those with
// which an operator handles single arenas, the one that ends arenad, and the one that tells what was asked; commands_logs.cc those about what
// was logged and what has happened.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "supervisor/access.h"
#include "supervisor/audit_trail.h"
#include "supervisor/checkpointer.h"
#include "supervisor/config_reload.h"
#include "supervisor/control_server.h"
#include "supervisor/log_book.h"
#include "supervisor/rollouts.h"
#include "supervisor/roster.h"
#include "supervisor/upgrade.h"

namespace arenad {

// What the commands work on. supervisor.cc owns it all.
struct CommandScope {
  ArenaServices services;
  Roster& roster;
  ControlServer& server;
  Checkpointer& checkpointer;
  std::map<std::string, std::unique_ptr<GameVersions>>& games;
  Rollouts& rollouts;
  ConfigReload& config_reload;
  Upgrade& upgrade;
  const LogBook& log;
  std::string configuration_path;
  std::vector<std::string>& notices;
  uint64_t started_ns;
  std::function<void()> shut_down;  // arenad as a whole, as SIGTERM does
};

class Commands {
 public:
  explicit Commands(CommandScope scope) : scope_(std::move(scope)), trail_(scope_.services.store, scope_.services.numbers) {}

  void request(RequestId from, wire::Request::Reader request, std::vector<Fd> fds);
  // Who may ask for what, from the next request on.
  void set_access(Access access) { access_ = std::move(access); }
  void connection_closed(uint64_t connection);
  // Of each request, once.
  void answered(RequestId to, wire::Reply::Reader reply) { trail_.answered(to, reply); }
  // arenad is about to end: no new arenas, for good.
  void refuse_new_arenas() { draining_ = shutting_down_ = true; }
  // Now and then: whether snapshots that were asked for are in the database.
  void watch_snapshots();

  // commands_upgrade.cc. Requests that wait, and cannot go over an upgrade.
  [[nodiscard]] size_t must_be_answered() const;
  void hand_on(wire::ControlState::Builder to) const;
  // When all arenas are taken up.
  void take_on(wire::UpgradeState::Reader from);

 private:
  struct Outcome {
    ArenaId id;
    std::string name;  // of the arena
    Result<std::string> result;
  };
  // Collects what became of each of several arenas; answers when the last one has settled.
  struct Collected {
    RequestId from;
    std::vector<Outcome> outcomes;
    size_t missing = 0;
    // Of stop, drain and restart: who is awaited. Such a request goes over an upgrade of arenad.
    std::optional<wire::WaitingRequest::Kind> kind;
    std::map<ArenaId, uint64_t> awaited;  // with the epoch that it had
  };

  void carry_out(RequestId from, wire::Request::Reader request, std::vector<Fd> fds);
  void version(RequestId from);
  void start(RequestId from, wire::Start::Reader start);
  void answer_start(RequestId from, ArenaId id);
  void status(RequestId from, wire::Selection::Reader selection);
  void restart(RequestId from, wire::Selection::Reader selection);
  void stop(RequestId from, wire::Selection::Reader selection);
  void drain(RequestId from, wire::Drain::Reader drain);
  void export_recording(RequestId from, const std::string& arena);
  void attach(RequestId from, wire::Attach::Reader attach, std::vector<Fd> fds);
  void detach(RequestId from, uint32_t attachment);
  // commands_results.cc
  void results(RequestId from, const std::string& arena);
  void result_page(RequestId from, wire::ResultQuery::Reader query);
  void result_types(RequestId from, uint64_t id);
  [[nodiscard]] std::optional<ArenaId> arena_with_results(const std::string& name) const;
  // commands_incidents.cc
  void crashes(RequestId from, wire::CrashQuery::Reader query);
  void crash(RequestId from, uint64_t id);
  void slow(RequestId from, wire::SlowQuery::Reader query);
  void quarantine(RequestId from, wire::Selection::Reader selection);
  void quarantined(RequestId from, uint64_t id);
  void quarantine_retry(RequestId from, capnp::List<uint64_t>::Reader ids);
  void quarantine_drop(RequestId from, capnp::List<uint64_t>::Reader ids);
  // commands_reload.cc
  void reload(RequestId from, wire::Reload::Reader reload, std::vector<Fd> fds);
  void rollback(RequestId from, wire::Reload::Reader reload);
  void roll_out(RequestId from, GameVersions& game, GameTemplate& before, GameTemplate& to, wire::Reload::Reader reload);
  void answer_rollout(RequestId from, Result<const Rollouts::Running*> running);
  void rollouts(RequestId from, const std::string& game);
  void rollout_order(RequestId from, wire::RolloutOrder::Reader order);
  void pin(RequestId from, wire::Pin::Reader pin);
  void versions(RequestId from, const std::string& game);
  void answer_versions(RequestId from, const std::string& game);
  [[nodiscard]] Error no_game(const std::string& name) const;
  // commands_config.cc
  void reload_config(RequestId from, wire::ReloadConfig::Reader reload);
  [[nodiscard]] Result<GameVersions*> find_game(const std::string& name) const;
  static Result<GameTemplate*> find_version(GameVersions& game, const std::string& text);
  // commands_operating.cc
  void undrain(RequestId from, wire::Selection::Reader selection);
  void reset_failed(RequestId from, wire::Selection::Reader selection);
  void signal(RequestId from, wire::Signal::Reader signal);
  void snapshot(RequestId from, wire::Selection::Reader selection);
  void tell(RequestId from, wire::Tell::Reader tell);
  void game_state(RequestId from, const std::string& name);
  void shutdown(RequestId from);
  void history(RequestId from, wire::HistoryQuery::Reader query);
  // commands_logs.cc
  void logs(RequestId from, wire::LogQuery::Reader query);
  void events(RequestId from, wire::EventQuery::Reader query);
  [[nodiscard]] std::vector<std::string> unknown_to_events(wire::Selection::Reader selection) const;
  // Of a snapshot that was asked for.
  struct WantedSnapshot {
    std::shared_ptr<Collected> collected;
    ArenaId arena;
    std::string name;
    FrameNumber frame;         // it, or a later one
    uint64_t epoch = 0;        // of the worker that was asked
    uint64_t failed_then = 0;  // snapshots that this one could not take
  };
  void want_snapshot(const std::shared_ptr<Collected>& collected, Arena& arena);
  // Nothing while it is on its way.
  [[nodiscard]] std::optional<Result<std::string>> outcome_of(const WantedSnapshot& wanted, const Arena* arena) const;
  // commands_upgrade.cc
  void upgrade(RequestId from, wire::Upgrade::Reader upgrade);
  void take_on_waiting(wire::WaitingRequest::Reader request);
  void await_put_down(const std::shared_ptr<Collected>& collected, Arena& arena);
  void await_restart(const std::shared_ptr<Collected>& collected, Arena& arena, uint64_t epoch);
  using EntryAction = std::function<void(Arena&, const QuarantineRecord&, std::function<void(Result<std::string>)>)>;
  void for_each_entry(RequestId from, capnp::List<uint64_t>::Reader ids, EntryAction action);
  void describe(const QuarantineRecord& record, wire::QuarantinedEvent::Builder to) const;

  [[nodiscard]] Result<Arena*> find(const std::string& text) const;
  struct Selected {
    std::vector<Arena*> arenas;
    std::vector<std::string> missing;  // names that nothing answers to
  };
  [[nodiscard]] Selected select(wire::Selection::Reader selection) const;
  // One outcome is to come for each arena; those for what is missing are there already.
  std::shared_ptr<Collected> collect(RequestId from, const Selected& selected,
                                     std::optional<wire::WaitingRequest::Kind> kind = std::nullopt);
  [[nodiscard]] Result<ArenaRecord> new_record(wire::Start::Reader start);
  [[nodiscard]] Result<void> room_for_another(const GameTemplate& game) const;
  [[nodiscard]] uint64_t shared_memory_bytes() const;
  void report_daemon(wire::DaemonStatus::Builder to) const;
  void when_settled(const std::shared_ptr<Collected>& collected, Arena& arena, std::function<bool(const Arena&)> settled,
                    std::function<Result<std::string>(const Arena&)> outcome);
  void add_outcome(const std::shared_ptr<Collected>& collected, Outcome outcome);
  static void write_outcomes(const Collected& collected, capnp::List<wire::Item>::Builder to);
  void answer(const Collected& collected);
  void forget_oldest_finished();

  CommandScope scope_;
  AuditTrail trail_;
  Access access_ = Access::of({});
  std::vector<std::weak_ptr<Collected>> waiting_;  // those with a kind
  std::optional<RequestId> upgrading_;
  std::vector<WantedSnapshot> wanted_snapshots_;
  bool draining_ = false;
  bool shutting_down_ = false;
  uint32_t next_attachment_ = 1;
  struct Attachment {
    uint64_t connection;
    ArenaId arena;
  };
  std::map<uint32_t, Attachment> attachments_;
};

}  // namespace arenad
