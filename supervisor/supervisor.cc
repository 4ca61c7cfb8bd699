#include "supervisor/supervisor.h"

#include <signal.h>
#include <sys/wait.h>

#include "ipc/clock.h"
#include "supervisor/log.h"

namespace arenad {

Result<std::unique_ptr<Supervisor>> Supervisor::open(Config config, std::string configuration_path,
                                                     std::string worker_program) {
  auto lock = DirectoryLock::take(config.daemon.directory);
  if (!lock) return lock.error();
  std::error_code error;
  std::filesystem::create_directories(config.daemon.runtime_directory, error);
  if (error) {
    errno = error.value();
    return errno_error("cannot make the directory " + config.daemon.runtime_directory.string());
  }
  auto opened = Store::open(config.daemon.database_path().string());
  if (!opened) return opened.error();
  auto records = opened->store.arenas();
  if (!records) return records.error();
  const std::string socket = config.daemon.socket_path().string();
  std::unique_ptr<Supervisor> self(
      new Supervisor(std::move(config), std::move(configuration_path), std::move(*lock), std::move(opened->store)));
  if (opened->notice) {
    log_error("msg=\"{}\"", *opened->notice);
    self->notices_.push_back(*opened->notice);
  }
  self->make_games(worker_program);
  self->resume_arenas(*records);
  Supervisor& s = *self;
  auto listening = s.server_.listen(socket, {[&s](RequestId from, wire::Request::Reader request, std::vector<Fd> fds) {
                                               s.commands_->request(from, request, std::move(fds));
                                             },
                                             [&s](uint64_t connection) { s.commands_->connection_closed(connection); }});
  if (!listening) return listening.error();
  log_info("msg=\"listening on {}\"", socket);
  return self;
}

Supervisor::Supervisor(Config config, std::string configuration_path, DirectoryLock lock, Store store)
    : config_((uv_loop_init(&loop_), std::move(config))),
      configuration_path_(std::move(configuration_path)),
      lock_(std::move(lock)),
      started_ns_(monotonic_ns()),
      server_(&loop_, facts_),
      store_wake_(&loop_, [this] { facts_.post([this] { store_wakes(); }); }),
      store_(std::move(store), [this] { store_wake_.send(); }),
      checkpointer_(&loop_, facts_, roster_, store_, config_.checkpoint.interval_ms),
      turn_(&loop_, [this] { facts_.take_all(); }),
      terminate_(&loop_, SIGTERM, [this] { facts_.post([this] { begin_shutdown(); }); }),
      interrupt_(&loop_, SIGINT, [this] { facts_.post([this] { begin_shutdown(); }); }),
      child_(&loop_, SIGCHLD, [this] { facts_.post([this] { reaper_.sweep(); }); }),
      shutdown_deadline_(&loop_, [this] { facts_.post([this] { shut_down_faster(); }); }) {}

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

ArenaServices Supervisor::services() {
  return {&loop_, facts_, config_, store_, server_};
}

void Supervisor::make_games(const std::string& worker_program) {
  for (const auto& [name, game] : config_.games) {
    games_[name] = std::make_unique<GameTemplate>(ChildScope{&loop_, facts_, reaper_}, name, game, worker_program,
                                                  config_.arenas.ready_timeout_ms);
  }
  commands_ = std::make_unique<Commands>(
      CommandScope{services(), roster_, server_, checkpointer_, games_, configuration_path_, notices_, started_ns_});
}

void Supervisor::resume_arenas(const std::vector<ArenaRecord>& records) {
  size_t resumed = 0;
  for (const ArenaRecord& record : records) {
    resume_arena(record);
    if (record.disposition == ArenaDisposition::running) ++resumed;
  }
  if (resumed == 0) return;
  notices_.push_back(std::to_string(resumed) +
                     " arenas were set back to their last checkpoints when arenad started: it and their workers "
                     "had been killed together");
  log_warning("msg=\"{}\"", notices_.back());
}

void Supervisor::resume_arena(const ArenaRecord& record) {
  const auto game = games_.find(record.game);
  auto arena = Arena::create(services(), record, game == games_.end() ? nullptr : game->second.get());
  if (!arena) {
    log_error("arena={} msg=\"{}\"", record.name, arena.error().text());
    return;
  }
  roster_.add(std::move(*arena));
  auto found = std::make_shared<std::optional<Snapshot>>();
  store_.submit_query(
      [found, id = record.id](Store& store) {
        auto checkpoints = store.checkpoints(id);
        if (!checkpoints) return;
        for (const CheckpointRecord& checkpoint : *checkpoints) {
          auto snapshot = Snapshot::parse(checkpoint.bytes);
          if (!snapshot || snapshot->facts().arena != id) continue;
          *found = std::move(*snapshot);
          return;
        }
      },
      [this, found, id = record.id](const Result<void>&) {
        Arena* added = roster_.find(id);
        if (added != nullptr) added->take_up(std::move(*found));
      });
}

void Supervisor::store_wakes() {
  store_.run_completions();
  for (std::string& notice : store_.take_notices()) {
    log_error("msg=\"{}\"", notice);
    notices_.push_back(std::move(notice));
  }
  for (const auto& [id, arena] : roster_.all()) arena->reconsider();
  finish_shutdown_if_done();
}

void Supervisor::begin_shutdown() {
  if (shutting_down_) return shut_down_faster();
  shutting_down_ = true;
  log_info("msg=\"stopping: {} arenas are saved\"", roster_.all().size());
  commands_->refuse_new_arenas();
  shutdown_deadline_.start(config_.arenas.stop_timeout_ms);
  for (const auto& [id, arena] : roster_.all()) {
    arena->shut_down();
    arena->when([](const Arena& a) { return !a.has_worker() && a.is_saved(); }, [this] { finish_shutdown_if_done(); });
  }
  finish_shutdown_if_done();
}

// A worker that does not finish in time: its last snapshot is what is kept.
void Supervisor::shut_down_faster() {
  log_warning("msg=\"not all arenas have finished in time: their last snapshots are kept\"");
  for (const auto& [id, arena] : roster_.all()) arena->kill_worker();
}

void Supervisor::finish_shutdown_if_done() {
  if (!shutting_down_ || closed_) return;
  const bool failing = store_.health().failing_since_ns.has_value();
  for (const auto& [id, arena] : roster_.all()) {
    if (arena->has_worker() || (!arena->is_saved() && !failing)) return;
  }
  closed_ = true;
  checkpointer_.run();
  checkpointer_.close();
  store_.stop(Drain::commit_queued);
  store_.run_completions();
  if (store_.health().failing_since_ns)
    log_error("msg=\"the database did not take everything: {}\"", store_.health().last_error.text());
  server_.close();
  roster_.clear();
  for (auto& [name, game] : games_) game->close();
  shutdown_deadline_.close();
  store_wake_.close();
  terminate_.close();
  interrupt_.close();
  child_.close();
  facts_.take_all();
  turn_.close();
}

void Supervisor::run() {
  uv_run(&loop_, UV_RUN_DEFAULT);
  // Templates and spares were killed; their end is all that is left to wait for.
  games_.clear();
  facts_.take_all();
  uv_run(&loop_, UV_RUN_DEFAULT);
  while (::waitpid(-1, nullptr, 0) > 0) {
  }
}

}  // namespace arenad
