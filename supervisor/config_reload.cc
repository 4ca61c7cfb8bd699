#include "supervisor/config_reload.h"

#include <algorithm>
#include <filesystem>

#include "supervisor/config_files.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr size_t kMaxNames = 10;

std::string game_key(const std::string& game) {
  return std::string(kGamesSection) + "." + game;
}

std::string module_key(const std::string& game) {
  return game_key(game) + ".module";
}

const char* text_of(TakesEffect takes_effect) {
  switch (takes_effect) {
    case TakesEffect::at_once:
      return "at-once";
    case TakesEffect::when_begun:
      return "when-begun";
    case TakesEffect::after_restart:
      return "after-restart";
  }
  return "";
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMaxNames); ++i) text += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kMaxNames ? text + " and " + std::to_string(names.size() - kMaxNames) + " more" : text;
}

// A string of TOML is in quotes, and escaped, already.
std::string logged(const std::string& toml) {
  if (toml.empty()) return "none";
  size_t end = 1;
  while (end < toml.size() && toml[end] != '"') end += toml[end] == '\\' ? 2 : 1;
  const bool is_string = toml.front() == '"' && end + 1 == toml.size() && toml.find('\n') == std::string::npos;
  return is_string ? toml : log_value(toml);
}

void log_changes(const std::vector<ConfigChange>& changes) {
  log_info("msg=\"the configuration was read again: {} changes\"", changes.size());
  for (const ConfigChange& change : changes) {
    const std::string note = change.note.empty() ? "a value has changed" : change.note;
    log_written(LogSeverity::info, std::nullopt,
                fmt::format("key={} from={} to={} takes_effect={} msg=\"{}\"", log_value(change.key), logged(change.from),
                            logged(change.to), text_of(change.takes_effect), log_quoted(note)));
  }
}

void log_problems(const std::vector<ConfigProblem>& problems) {
  log_error("msg=\"the configuration was read again and is refused as a whole: {} problems; what was in force stays so\"",
            problems.size());
  for (const ConfigProblem& problem : problems) log_error("msg=\"{}\"", problem.text());
}

}  // namespace

void ConfigReload::begin() {
  state_ = State::open;
  start_next();
}

void ConfigReload::close() {
  state_ = State::closed;
  if (attempt_) {
    waiting_.push_front(std::move(attempt_->order));
    withdraw();
    attempt_.reset();
  }
  for (const Order& order : std::exchange(waiting_, {})) {
    if (order.answer) order.answer({{}, {{.file = scope_.file, .message = "arenad is shutting down"}}, ErrorCode::refused});
  }
}

void ConfigReload::order(Mode mode, Answer answer) {
  // Whoever waits for no answer is served by the next one of that kind.
  const bool is_ordered = std::ranges::any_of(waiting_, [](const Order& other) { return other.mode == Mode::apply; });
  if (!answer && mode == Mode::apply && is_ordered) return;
  waiting_.push_back({mode, std::move(answer)});
  if (state_ == State::closed) return close();
  start_next();
}

void ConfigReload::start_next() {
  if (state_ != State::open || attempt_ || waiting_.empty()) return;
  attempt_.emplace(Attempt{std::move(waiting_.front()), file_stamp(scope_.file), scope_.config, {}, {}, {}});
  waiting_.pop_front();
  if (attempt_->order.mode == Mode::apply) scope_.manager.reloading();
  read();
  look_for_obstacles();
  if (attempt_->outcome.problems.empty()) load_modules();
  if (attempt_->loading == 0) conclude();
}

void ConfigReload::read() {
  std::error_code error;
  const auto kind = std::filesystem::status(scope_.file, error).type();
  if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found) {
    // A pipe, for example, is empty by now, and waiting for it would hold up everything.
    return add_problem({}, "is no regular file, and cannot be read again", ErrorCode::invalid);
  }
  auto loaded = load_config(scope_.file);
  if (auto* problems = std::get_if<std::vector<ConfigProblem>>(&loaded)) {
    attempt_->outcome.problems = std::move(*problems);
    attempt_->outcome.refusal = ErrorCode::invalid;
    return;
  }
  auto& asked = std::get<Config>(loaded);
  for (ConfigProblem& missing : missing_files(asked, scope_.file, asked.daemon.worker.string())) {
    add_problem(missing.key, std::move(missing.message), ErrorCode::invalid);
  }
  attempt_->outcome.changes = config_changes(scope_.config, asked);
  attempt_->asked = in_force(scope_.config, std::move(asked));
}

void ConfigReload::load_modules() {
  for (const auto& [name, game] : attempt_->asked.games) {
    const auto known = scope_.games.find(name);
    if (known == scope_.games.end()) {
      auto& added = attempt_->added[name] = scope_.make_game(name, game);
      load(name, added->current());
      continue;
    }
    auto version = known->second->offer(game.module);
    if (!version) {
      add_problem(module_key(name), version.error().text(), ErrorCode::invalid);
      continue;
    }
    attempt_->code[name] = (*version)->hash();
    if (has_other_code(name)) load(name, **version);
  }
}

void ConfigReload::load(const std::string& game, GameTemplate& version) {
  ++attempt_->loading;
  // Not within a callback of the template: what follows may end it.
  version.prepare([this, game](const Result<void>& ready) {
    scope_.facts.post([this, game, ready] {
      if (!attempt_) return;
      if (!ready) add_problem(module_key(game), ready.error().text(), ErrorCode::invalid);
      if (--attempt_->loading == 0) conclude();
    });
  });
}

void ConfigReload::conclude() {
  // While modules were loaded arenas may have begun, and rollouts.
  if (attempt_->outcome.problems.empty()) {
    look_for_obstacles();
    look_for_lost_code();
  }
  if (attempt_->outcome.problems.empty()) tell_of_other_code();
  if (attempt_->order.mode == Mode::dry_run || !attempt_->outcome.problems.empty()) {
    withdraw();
    // Written anew, and the same.
    const ConfigOutcome& outcome = attempt_->outcome;
    if (outcome.problems.empty() && outcome.changes.empty()) scope_.stamp = attempt_->stamp;
  } else {
    apply();
  }
  finish();
}

void ConfigReload::look_for_obstacles() {
  for (const auto& [name, game] : scope_.games) {
    if (!is_removed(name) && !has_other_code(name)) continue;
    if (const auto free = scope_.rollouts.check(*game); !free) {
      add_problem(is_removed(name) ? game_key(name) : module_key(name), free.error().text(), ErrorCode::refused);
    }
    if (!is_removed(name)) continue;
    std::vector<std::string> running;
    for (const auto& [id, arena] : scope_.roster.all()) {
      if (arena->record().game == name && (arena->is_active() || arena->has_worker())) running.push_back(arena->record().name);
    }
    if (!running.empty()) {
      add_problem(game_key(name),
                  "the game is removed, and arenas of it still run: " + listed(running) + "; stop or drain them first",
                  ErrorCode::refused);
    }
  }
}

// A rollout of the same module that has failed meanwhile has forgotten it.
void ConfigReload::look_for_lost_code() {
  for (const auto& [name, hash] : attempt_->code) {
    if (scope_.games.at(name)->find(hash) != nullptr) continue;
    add_problem(module_key(name), "a rollout of this module has failed while it was loaded", ErrorCode::refused);
  }
}

// The same file may have another content.
void ConfigReload::tell_of_other_code() {
  std::vector<ConfigChange>& changes = attempt_->outcome.changes;
  for (const auto& [name, hash] : attempt_->code) {
    const GameTemplate* version = scope_.games.at(name)->find(hash);
    const auto found = std::ranges::find(changes, module_key(name), &ConfigChange::key);
    if (!has_other_code(name)) {
      if (found != changes.end()) found->note = "the same content";
      continue;
    }
    const std::string file = '"' + attempt_->asked.games.at(name).module.string() + '"';
    ConfigChange& change = found != changes.end()
                               ? *found
                               : changes.emplace_back(ConfigChange{module_key(name), file, file, TakesEffect::when_begun, {}});
    const auto others = std::ranges::count_if(scope_.roster.all(), [&game = name, to = version](const auto& entry) {
      return entry.second->record().game == game && entry.second->is_active() && entry.second->game() != to;
    });
    change.note = "new arenas get version " + version->facts().version + " (" + version->hash().text().substr(0, 12) + ")";
    if (others != 0) change.note += "; arenas that keep theirs until arenactl reload: " + std::to_string(others);
  }
}

void ConfigReload::apply() {
  scope_.stamp = attempt_->stamp;
  const Config before = std::exchange(scope_.config, std::move(attempt_->asked));
  // Whichever level is lower, the change itself is told.
  const bool becomes_quieter = scope_.config.daemon.log_level > before.daemon.log_level;
  if (becomes_quieter) log_changes(attempt_->outcome.changes);
  configure_log(scope_.config);
  if (!becomes_quieter) log_changes(attempt_->outcome.changes);
  LifecycleRecord about;
  about.details = {{"changes", std::to_string(attempt_->outcome.changes.size())}};
  scope_.events.add(LifecycleEvent::config_reloaded, std::move(about));
  // An interval begins anew: not each time that somebody asks.
  if (scope_.config.checkpoint != before.checkpoint) scope_.checkpointer.configure(scope_.config.checkpoint);
  for (const auto& [id, arena] : scope_.roster.all()) arena->set_restart_policy(scope_.config.restart.policy());
  // Also if it reads the same: a name may be another user's by now.
  scope_.taken_over();
  change_games();
  add_games();
  remove_games();
}

void ConfigReload::change_games() {
  for (const auto& [name, hash] : attempt_->code) {
    GameVersions& game = *scope_.games.at(name);
    const bool is_other = hash != game.configured();
    GameTemplate* const was_current = &game.current();
    game.configure(scope_.config.games.at(name), hash, scope_.config.arenas.ready_timeout_ms);
    if (!is_other) continue;
    save(game);
    if (!is_used(*was_current)) game.let_go(was_current->hash());
  }
}

void ConfigReload::add_games() {
  for (auto& [name, game] : attempt_->added) {
    for (const auto& [id, arena] : scope_.roster.all()) {
      if (arena->record().game == name) arena->set_game(game.get());
    }
    save(*game);
    scope_.games[name] = std::move(game);
  }
  attempt_->added.clear();
}

void ConfigReload::remove_games() {
  for (auto it = scope_.games.begin(); it != scope_.games.end();) {
    const auto next = std::next(it);
    if (!scope_.config.games.contains(it->first)) {
      for (const auto& [id, arena] : scope_.roster.all()) {
        if (arena->record().game == it->first) arena->set_game(nullptr);
      }
      scope_.rollouts.forget(it->first);
      end_game(std::move(it->second));
      scope_.games.erase(it);
    }
    it = next;
  }
}

// Nothing is changed: what was loaded for it goes.
void ConfigReload::withdraw() {
  for (auto& [name, game] : attempt_->added) {
    for (const auto& [hash, version] : game->all()) {
      if (!hash.is_null() && !is_needed(hash, nullptr)) scope_.versions.forget(hash);
    }
    end_game(std::move(game));
  }
  attempt_->added.clear();
  for (const auto& [name, hash] : std::exchange(attempt_->code, {})) {
    GameVersions& game = *scope_.games.at(name);
    const GameTemplate* version = game.find(hash);
    if (version == nullptr || is_used(*version)) continue;
    if (!scope_.rollouts.tells_of(*version) && !is_needed(hash, &game)) game.discard(hash);
    game.let_go(hash);
  }
}

void ConfigReload::finish() {
  const Attempt done = std::move(*attempt_);
  attempt_.reset();
  if (done.order.mode == Mode::apply) {
    if (!done.outcome.problems.empty()) log_problems(done.outcome.problems);
    scope_.manager.ready();
  }
  if (done.order.answer) done.order.answer(done.outcome);
  scope_.facts.post([this] { start_next(); });
}

// No callback of its templates may be running when it is destroyed.
void ConfigReload::end_game(std::unique_ptr<GameVersions> game) {
  game->close();
  scope_.facts.post([last = std::shared_ptr<GameVersions>(std::move(game))] {});
}

void ConfigReload::save(const GameVersions& game) {
  StoreBatch batch;
  batch.games.push_back(game.record());
  scope_.store.submit(std::move(batch), [](const Result<void>&) {});
}

void ConfigReload::add_problem(const std::string& key, std::string message, ErrorCode code) {
  ConfigOutcome& outcome = attempt_->outcome;
  outcome.problems.push_back({.file = scope_.file, .key = key, .message = std::move(message)});
  if (code == ErrorCode::invalid) outcome.refusal = code;
}

bool ConfigReload::is_removed(const std::string& game) const {
  return !attempt_->asked.games.contains(game);
}

bool ConfigReload::has_other_code(const std::string& game) const {
  const auto found = attempt_->code.find(game);
  return found != attempt_->code.end() && found->second != scope_.games.at(game)->configured();
}

bool ConfigReload::is_used(const GameTemplate& version) const {
  return std::ranges::any_of(scope_.roster.all(), [&](const auto& entry) { return entry.second->game() == &version; });
}

bool ConfigReload::is_needed(CodeHash code, const GameVersions* but) const {
  return std::ranges::any_of(scope_.games,
                             [&](const auto& game) { return game.second.get() != but && game.second->all().contains(code); }) ||
         std::ranges::any_of(scope_.roster.all(),
                             [&](const auto& arena) { return arena.second->record().code == code.text(); });
}

}  // namespace arenad
