#include "supervisor/supervisor.h"

#include <algorithm>
#include <set>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "supervisor/give_up.h"
#include "supervisor/held_signal.h"
#include "supervisor/log.h"
#include "supervisor/request_kind.h"
#include "supervisor/version.h"

namespace arenad {

namespace {

// Of two directories the second may be the same as the first.
struct Locks {
  DirectoryLock directory;
  std::optional<DirectoryLock> runtime;
};

Result<Locks> take_locks(const DaemonConfig& config) {
  auto lock = DirectoryLock::take(config.directory);
  if (!lock) return lock.error();
  std::error_code error;
  std::filesystem::create_directories(config.runtime_directory, error);
  if (error) {
    errno = error.value();
    return errno_error("cannot make the directory " + config.runtime_directory.string());
  }
  // The sockets lie there.
  if (std::filesystem::equivalent(config.runtime_directory, config.directory, error)) {
    return Locks{std::move(*lock), std::nullopt};
  }
  auto runtime = DirectoryLock::take(config.runtime_directory);
  if (!runtime) return runtime.error();
  return Locks{std::move(*lock), std::move(*runtime)};
}

Locks take_on_locks(HandedOn& handed) {
  Fd runtime = handed.take(handed.state().getRuntimeLock());
  return {DirectoryLock::take_on(handed.take(handed.state().getDirectoryLock())),
          runtime ? std::optional(DirectoryLock::take_on(std::move(runtime))) : std::nullopt};
}

}  // namespace

Result<std::unique_ptr<Supervisor>> Supervisor::open(Config config, Program program) {
  auto locks = program.handed ? Result<Locks>(take_on_locks(*program.handed)) : take_locks(config.daemon);
  if (!locks) return locks.error();
  auto opened = Store::open(config.daemon.database_path().string());
  if (!opened) return opened.error();
  auto records = opened->store.arenas();
  if (!records) return records.error();
  auto games = opened->store.games();
  if (!games) return games.error();
  auto rollouts = read_rollouts(opened->store);
  if (!rollouts) return rollouts.error();
  auto incident = opened->store.latest_incident();
  if (!incident) return incident.error();
  auto quarantined = opened->store.latest_quarantined();
  if (!quarantined) return quarantined.error();
  auto command = opened->store.latest_command();
  if (!command) return command.error();
  auto events = opened->store.lifecycle();
  if (!events) return events.error();
  std::unique_ptr<Supervisor> self(new Supervisor(std::move(config), std::move(program), std::move(locks->directory),
                                                  std::move(opened->store), RecordNumbers(*incident, *quarantined, *command),
                                                  std::move(*events)));
  self->runtime_lock_ = std::move(locks->runtime);
  if (opened->notice) {
    log_error("msg=\"{}\"", *opened->notice);
    self->notices_.push_back(one_line(*opened->notice));
  }
  self->tell(self->program_.handed ? LifecycleEvent::arenad_upgraded : LifecycleEvent::arenad_started,
             {{"version", kVersion}, {"pid", std::to_string(::getpid())}});
  self->remembered_rollouts_ = std::move(*rollouts);
  self->complete_old_versions(*records, *games);
  self->make_games(*games);
  self->forget_unneeded_code(*records, *games);
  if (self->program_.handed) {
    const auto state = self->program_.handed->state();
    for (const auto notice : state.getNotices()) self->notices_.emplace_back(notice.begin(), notice.size());
    ARENAD_CRASH_POINT("arenad.upgrade.begun");
    self->take_on_templates();
    self->server_.take_on(state.getControl(), *self->program_.handed);
    self->adoption_.take_on(*self->program_.handed);
  }
  if (auto taken = self->take_up_arenas(*records); !taken) return taken.error();
  return self;
}

Supervisor::Supervisor(Config config, Program program, DirectoryLock lock, Store store, RecordNumbers numbers,
                       std::vector<LifecycleRecord> events)
    : groups_(config.cage.groups),
      config_((uv_loop_init(&loop_), std::move(config))),
      program_(std::move(program)),
      lock_(std::move(lock)),
      started_ns_(program_.handed ? program_.handed->state().getStartedNs() : monotonic_ns()),
      manager_(&loop_),
      report_(manager_.watchdog_ns()),
      numbers_(numbers),
      server_(&loop_, facts_),
      store_wake_(&loop_, [this] { facts_.post([this] { store_wakes(); }); }),
      store_(std::move(store), [this] { store_wake_.send(); }),
      events_(store_, std::move(events)),
      versions_(config_.daemon.directory),
      checkpointer_(&loop_, facts_, roster_, store_, config_.checkpoint),
      rollouts_(&loop_, facts_, store_, roster_, events_, ledger_),
      upgrade_(ChildScope{&loop_, facts_, reaper_, groups_}, program_.arguments),
      adoption_({ChildScope{&loop_, facts_, reaper_, groups_}, services(), roster_, manager_}),
      metrics_({&loop_, facts_, config_, ledger_, roster_, games_, rollouts_, store_, adoption_, server_, started_ns_}),
      turn_(&loop_, [this] { facts_.take_all(); }),
      terminate_(&loop_, SIGTERM, [this] { facts_.post([this] { begin_shutdown(); }); }),
      interrupt_(&loop_, SIGINT, [this] { facts_.post([this] { begin_shutdown(); }); }),
      hangup_(&loop_, SIGHUP, [this] { facts_.post([this] { config_reload_->order(ConfigReload::Mode::apply, nullptr); }); }),
      // Lines go to a stream that is not ours to open.
      reopen_(&loop_, SIGUSR1, [] { log_info("msg=\"SIGUSR1: there is no log file to open again\""); }),
      reexec_(&loop_, SIGUSR2, [this] { facts_.post([this] { upgrade_on_signal(); }); }),
      dump_(&loop_, SIGQUIT, [this] { facts_.post([this] { log_status(); }); }),
      child_(&loop_, SIGCHLD, [this] { facts_.post([this] { reaper_.sweep(); }); }),
      shutdown_deadline_(&loop_, [this] { facts_.post([this] { shut_down_faster(); }); }),
      watch_(&loop_, [this] { facts_.post([this] { watch_workers(); }); }) {
  for (const std::string& gap : groups_.gaps()) log_warning("msg=\"the cage around game code has a gap: {}\"", gap);
  for (const int signal : kSignalsOfOperators) let_go_of_signal(signal);
  watch_.start(Arena::kWatchIntervalMs, Arena::kWatchIntervalMs);
  upgrade_.set_host(upgrade_host());
}

Supervisor::~Supervisor() {
  // Also after a failure in open(): the loop must end empty.
  if (!closed_) {
    shutting_down_ = true;
    roster_.clear();
    finish_shutdown_if_done();
    uv_run(&loop_, UV_RUN_DEFAULT);
  }
  ARENAD_ASSERT(uv_loop_close(&loop_) == 0);
}

void Supervisor::tell(LifecycleEvent event, LifecycleLog::Details details) {
  LifecycleRecord about;
  about.details = std::move(details);
  events_.add(event, std::move(about));
}

ArenaServices Supervisor::services() {
  return {&loop_, facts_, config_, store_, server_, manager_, numbers_, oom_, groups_, events_, ledger_};
}

void Supervisor::make_games(const std::vector<GameRecord>& before) {
  const auto make_game = [this](const std::string& name, const GameConfig& game, const std::optional<GameRecord>& record) {
    const auto is_known_elsewhere = [this](CodeHash hash, const GameVersions* but) {
      return std::ranges::any_of(games_, [&](const auto& known) {
        return known.second.get() != but && (known.second->all().contains(hash) || known.second->previous() == hash);
      });
    };
    const GameVersions::Scope scope{
        {&loop_, facts_, reaper_, groups_}, versions_, program_.worker, config_.arenas.ready_timeout_ms, is_known_elsewhere};
    return std::make_unique<GameVersions>(scope, name, game, record);
  };
  StoreBatch changed;
  for (const auto& [name, game] : config_.games) {
    const auto record = std::ranges::find(before, name, &GameRecord::name);
    const auto& made = games_[name] = make_game(name, game, record == before.end() ? std::nullopt : std::optional(*record));
    // Against this the next arenad sees what has changed. Of what is missing now it is not known whether it has.
    const bool is_known = record != before.end() && made->record() == *record;
    if (!made->configured().is_null() && !is_known) changed.games.push_back(made->record());
  }
  if (!changed.empty()) store_.submit(std::move(changed), [](const Result<void>&) {});
  config_reload_ = std::make_unique<ConfigReload>(ConfigReload::Scope{
      program_.configuration_path, program_.configuration_stamp, config_, games_, versions_, roster_, checkpointer_, rollouts_,
      store_, manager_, facts_, events_,
      [make_game](const std::string& name, const GameConfig& game) { return make_game(name, game, std::nullopt); },
      [this] {
        apply_access();
        metrics_.configure(socket_group());
      }});
  commands_ = std::make_unique<Commands>(
      CommandScope{services(), roster_, server_, checkpointer_, games_, rollouts_, *config_reload_, upgrade_, *program_.log,
                   program_.configuration_path, notices_, started_ns_, [this] { facts_.post([this] { begin_shutdown(); }); }});
}

// In a directory from before runtimes were kept: arenas that ran a module go on with it and the configured runtime.
void Supervisor::complete_old_versions(const std::vector<ArenaRecord>& records, const std::vector<GameRecord>& games) {
  const auto runtime = versions_.files().keep(program_.worker);
  if (!runtime) return log_error("msg=\"the runtime {} cannot be used: {}\"", program_.worker, runtime.error().text());
  const auto complete = [&](const std::string& code) {
    versions_.complete(CodeHash::parse(code).value_or(CodeHash{}), runtime.value());
  };
  for (const ArenaRecord& record : records) complete(record.code);
  for (const GameRecord& game : games) {
    for (const std::string& code : {game.configured, game.current, game.previous}) complete(code);
  }
}

void Supervisor::forget_unneeded_code(const std::vector<ArenaRecord>& records, const std::vector<GameRecord>& games) {
  std::set<CodeHash> needed;
  for (const ArenaRecord& record : records) needed.insert(CodeHash::parse(record.code).value_or(CodeHash{}));
  // What the next arenad compares with, if the database says nothing newer then.
  for (const GameRecord& game : games) {
    for (const std::string& code : {game.configured, game.current}) needed.insert(CodeHash::parse(code).value_or(CodeHash{}));
  }
  for (const auto& [name, game] : games_) {
    for (const auto& [hash, version] : game->all()) needed.insert(hash);
    needed.insert(game->previous());
  }
  for (const RememberedRollout& rollout : remembered_rollouts_) {
    if (rollout.record.ended_unix_ms != 0) continue;
    for (const std::string& code : {rollout.record.from, rollout.record.to, rollout.record.current, rollout.record.previous}) {
      needed.insert(CodeHash::parse(code).value_or(CodeHash{}));
    }
  }
  versions_.forget_all_but(needed);
}

Result<void> Supervisor::take_up_arenas(const std::vector<ArenaRecord>& records) {
  auto begun = adoption_.begin(config_.daemon.workers_socket_path().string(), manager_.take_kept(), records.size(),
                               [this] { open_for_clients(); });
  if (!begun) return begun;
  for (const ArenaRecord& record : records) take_up_arena(record);
  tell_manager();
  return {};
}

void Supervisor::take_up_arena(const ArenaRecord& record) {
  const auto game = games_.find(record.game);
  auto arena = Arena::create(services(), record, game == games_.end() ? nullptr : game->second.get());
  if (!arena) leave_it_to_the_next(arena.error());
  roster_.add(std::move(*arena));
  auto durable = std::make_shared<Durable>();
  store_.submit_reading(
      [durable, id = record.id](Store& store) -> Result<void> {
        *durable = Durable();
        auto latest = store.latest_results_sequence(id);
        if (!latest) return latest.error();
        durable->results = latest->value_or(0);
        auto quarantined = store.quarantined(id);
        if (!quarantined) return quarantined.error();
        durable->quarantined = std::move(*quarantined);
        const uint64_t skipped_before = store.skipped_rows();
        auto checkpoints = store.checkpoints(id);
        if (!checkpoints) return checkpoints.error();
        durable->damaged = store.skipped_rows() - skipped_before;
        for (const CheckpointRecord& checkpoint : *checkpoints) {
          auto snapshot = Snapshot::parse(checkpoint.bytes);
          if (snapshot && snapshot->facts().arena == id) {
            durable->checkpoint = std::move(*snapshot);
            return {};
          }
          ++durable->damaged;
        }
        return {};
      },
      [this, durable, id = record.id](const Result<void>& read) {
        if (!read) {
          *durable = Durable();
          durable->unread = read.error();
        }
        adoption_.take_up(id, std::move(*durable));
      });
}

// Every arena runs, or is on the way: from now on arenad answers.
void Supervisor::open_for_clients() {
  if (shutting_down_) return;
  is_settled_ = true;
  groups_.keep_only(reaper_.all_watched());
  if (adoption_.set_back() != 0) {
    notices_.push_back(std::to_string(adoption_.set_back()) +
                       " arenas were set back to their last checkpoints when arenad started: nothing newer was left of them");
    log_warning("msg=\"{}\"", notices_.back());
  }
  if (adoption_.adopted() + adoption_.recovered() != 0) {
    log_info("msg=\"{} arenas were adopted, {} recovered from what was kept\"", adoption_.adopted(), adoption_.recovered());
  }
  rollouts_.take_up(std::exchange(remembered_rollouts_, {}), games_);
  auto listening = listen_for_clients();
  if (!listening) {
    // Matches that go on, or could, are not ended for that.
    if (!roster_.all().empty()) leave_it_to_the_next(listening.error());
    log_error("msg=\"{}\"", listening.error().text());
    could_not_begin_ = true;
    return begin_shutdown();
  }
  apply_access();
  metrics_.configure(socket_group());
  ARENAD_CRASH_POINT("arenad.socket.opened");
  for (const auto& [id, arena] : roster_.all()) arena->expect_clients_back();
  log_info("msg=\"listening on {}\"", config_.daemon.socket_path().string());
  tell_manager();
  manager_.ready();
  ARENAD_CRASH_POINT("arenad.ready.told");
  have_spares_ready();
  config_reload_->begin();
  if (stops_when_settled_) begin_shutdown();
}

// For arenas that were adopted: a worker of theirs that dies is not to wait until its game is loaded.
void Supervisor::have_spares_ready() {
  if (stops_when_settled_) return;
  for (const auto& [name, game] : games_) {
    for (const auto& [code, version] : game->all()) {
      const bool runs =
          std::ranges::any_of(roster_.all(), [of = version.get()](const auto& entry) { return entry.second->game() == of; });
      if (runs) version->prepare([](const Result<void>&) {});  // it has logged why it cannot be
    }
  }
}

Result<void> Supervisor::listen_for_clients() {
  const std::string socket = config_.daemon.socket_path().string();
  const ControlServer::Handlers handlers{[this](RequestId from, wire::Request::Reader request, std::vector<Fd> fds) {
                                           metrics_.requests().asked(from, kind_of(request).verb);
                                           commands_->request(from, request, std::move(fds));
                                         },
                                         [this](uint64_t connection) { commands_->connection_closed(connection); },
                                         [this](RequestId to, wire::Reply::Reader reply) {
                                           metrics_.requests().answered(to, outcome_of_reply(reply));
                                           commands_->answered(to, reply);
                                         }};
  if (!program_.handed) return server_.listen(socket, handlers);
  HandedOn& handed = *program_.handed;
  server_.listen_on(handed.take(handed.state().getControl().getListener()), socket, handlers);
  commands_->take_on(handed.state());
  ARENAD_CRASH_POINT("arenad.upgrade.answered");
  handed.close_others();
  program_.handed.reset();
  // Of those whom the program before had told to end nobody else knows.
  reaper_.expect_strangers();
  return {};
}

// Whoever was let in before is asked again with each request.
void Supervisor::apply_access() {
  commands_->set_access(Access::of(config_.access));
  give_to_group(config_.daemon.socket_path().string(), socket_group());
}

gid_t Supervisor::socket_group() const {
  const std::string& name = config_.access.socket_group;
  return name.empty() ? ::getegid() : find_group(name).value_or(::getegid());
}

void Supervisor::watch_workers() {
  const uint64_t now = monotonic_ns();
  metrics_.loop_looked(now);
  for (const auto& [id, arena] : roster_.all()) arena->watch_worker(now);
  log_output(now);
  commands_->watch_snapshots();
  server_.watch_unfinished();
  tell_manager();
}

// Where the last turn has ended the next one begins: all come to be looked at.
void Supervisor::log_output(uint64_t now_ns) {
  OutputTurn turn;
  for (const auto& [name, game] : games_) {
    for (const auto& [hash, version] : game->all()) version->log_output(config_.logs.rate(), now_ns, turn);
  }
  const auto& arenas = roster_.all();
  auto next = arenas.lower_bound(next_output_);
  for (size_t looked = 0; looked < arenas.size() && turn.has_room(); ++looked) {
    if (next == arenas.end()) next = arenas.begin();
    next->second->log_output(now_ns, turn);
    ++next;
  }
  next_output_ = next == arenas.end() ? ArenaId{} : next->first;
}

// What it has not taken yet is told first; then again, as it is then.
void Supervisor::tell_manager() {
  if (!manager_.is_there() || manager_.waiting() != 0) return;
  if (std::string message = report_.next(service_facts(), monotonic_ns()); !message.empty()) manager_.tell(std::move(message));
}

ServiceFacts Supervisor::service_facts() const {
  ServiceFacts facts;
  facts.database_fails = store_was_failing_;
  if (!is_settled_) {
    facts.arenas = roster_.all().size();
    facts.left = std::min(adoption_.left(), facts.arenas);
    facts.is_within_limit = !adoption_.is_late();
    return facts;
  }
  facts.stage = shutting_down_ ? ServiceFacts::Stage::stopping : ServiceFacts::Stage::serving;
  facts.is_within_limit = !shuts_down_faster_;
  for (const auto& [id, arena] : roster_.all()) {
    const bool has_failed = arena->state() == ArenaState::failed;
    const bool runs = arena->state() == ArenaState::running;
    if (arena->is_active() || (has_failed && !shutting_down_)) ++facts.arenas;
    if (has_failed) ++facts.failed;
    if (runs) ++(arena->is_draining() ? facts.draining : facts.running);
    if (arena->is_active() && !runs) ++facts.recovering;
    if (shutting_down_ && (arena->runs_on() || !arena->is_saved())) ++facts.left;
  }
  if (shutting_down_) facts.arenas = std::max(facts.arenas, facts.left);
  return facts;
}

void Supervisor::store_wakes() {
  store_.run_completions();
  for (std::string& notice : store_.take_notices()) {
    log_error("msg=\"{}\"", notice);
    notices_.push_back(one_line(notice));
  }
  note_store_health();
  rollouts_.reconsider();
  for (const auto& [id, arena] : roster_.all()) arena->reconsider();
  finish_shutdown_if_done();
}

void Supervisor::note_store_health() {
  const StoreHealth health = store_.health();
  if (std::exchange(store_replacements_, health.replacements) != health.replacements) {
    rollouts_.save_anew(games_);
    events_.save_anew();
  }
  const bool is_failing = health.failing_since_ns.has_value();
  if (is_failing == store_was_failing_) return;
  store_was_failing_ = is_failing;
  if (is_failing) {
    log_error("msg=\"the database takes nothing: {}. Arenas go on, without checkpoints; it is tried again and again\"",
              health.last_error.text());
  } else {
    log_info("msg=\"the database takes checkpoints again\"");
  }
}

// As arenactl upgrade, but that what became of it is told by the log.
void Supervisor::upgrade_on_signal() {
  upgrade_.begin({}, [](const Result<Upgrade::Asked>& asked) {
    if (!asked) log_error("msg=\"SIGUSR2: the upgrade has failed, and this arenad goes on: {}\"", asked.error().text());
  });
}

void Supervisor::log_status() const {
  log_info("msg=\"{}\"", status_text(service_facts()));
  for (const auto& [id, arena] : roster_.all()) {
    const ArenaRecord& record = arena->record();
    const std::string why = record.reason.empty() ? "" : ": " + one_line(record.reason);
    log_info("arena={} game={} epoch={} pid={} msg=\"it is {}{}\"", record.name, record.game, record.epoch, arena->pid(),
             to_string(arena->state()), why);
  }
}

// Not before every arena has been taken up: one that is not yet could not be told to finish. Whoever asks twice does not wait for that.
void Supervisor::begin_shutdown() {
  if (!is_settled_ && !std::exchange(stops_when_settled_, true)) return;
  if (shutting_down_) return shut_down_faster();
  upgrade_.close();
  shutting_down_ = true;
  const auto active =
      std::count_if(roster_.all().begin(), roster_.all().end(), [](const auto& a) { return a.second->is_active(); });
  log_info("msg=\"stopping: {} arenas are saved\"", active);
  tell(LifecycleEvent::arenad_stopping, {{"arenas", std::to_string(active)}});
  manager_.stopping();
  commands_->refuse_new_arenas();
  config_reload_->close();
  shutdown_deadline_.start(config_.arenas.stop_timeout_ms);
  for (const auto& [id, arena] : roster_.all()) {
    arena->shut_down();
    arena->when([](const Arena& a) { return !a.runs_on() && a.is_saved(); }, [this] { finish_shutdown_if_done(); });
  }
  tell_manager();
  finish_shutdown_if_done();
}

// A worker that does not finish in time: its last snapshot is what is kept.
void Supervisor::shut_down_faster() {
  shuts_down_faster_ = true;
  log_warning("msg=\"not all arenas have finished in time: their last snapshots are kept\"");
  for (const auto& [id, arena] : roster_.all()) arena->shut_down_as_it_is();
}

void Supervisor::finish_shutdown_if_done() {
  if (!shutting_down_ || closed_) return;
  const bool failing = store_.health().failing_since_ns.has_value();
  for (const auto& [id, arena] : roster_.all()) {
    if (arena->runs_on() || (!arena->is_saved() && !failing)) return;
  }
  closed_ = true;
  // The last write is waited for, and nothing is told meanwhile.
  manager_.tell("EXTEND_TIMEOUT_USEC=" + std::to_string(ServiceReport::kLastWriteUs));
  checkpointer_.run();
  checkpointer_.close();
  store_.stop(Drain::commit_queued);
  store_.run_completions();
  has_lost_ = store_.health().failing_since_ns.has_value();
  if (has_lost_) log_error("msg=\"the database did not take everything: {}\"", store_.health().last_error.text());
  server_.close();
  metrics_.close();
  adoption_.close();
  rollouts_.close();
  upgrade_.close();
  roster_.clear();
  for (auto& [name, game] : games_) game->close();
  shutdown_deadline_.close();
  watch_.close();
  store_wake_.close();
  terminate_.close();
  interrupt_.close();
  for (const int signal : {SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT}) hold_signal(signal);
  for (UvSignal* signal : {&hangup_, &reopen_, &reexec_, &dump_}) signal->close();
  child_.close();
  manager_.close();
  facts_.take_all();
  turn_.close();
}

bool Supervisor::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  // Templates and spares were killed; their end is all that is left to wait for.
  games_.clear();
  facts_.take_all();
  uv_run(&loop_, UV_RUN_DEFAULT);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
  return !could_not_begin_ && !has_lost_;
}

}  // namespace arenad
