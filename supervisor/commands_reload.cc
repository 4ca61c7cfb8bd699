// The requests about versions of games: reload, rollback, rollouts, pin, versions.
#include <algorithm>
#include <fcntl.h>
#include <filesystem>

#include "ipc/clock.h"
#include "ipc/control_client.h"
#include "ipc/text.h"
#include "supervisor/commands.h"

namespace arenad {
namespace {

constexpr uint64_t kMaxProbationMs = 3'600'000;
constexpr uint64_t kMaxProbationFrames = 1'000'000;

Result<RolloutOrder> order_of(wire::Reload::Reader reload) {
  if (reload.getBatchPercent() > 100) return make_error(ErrorCode::invalid, "a batch is at most 100% of all arenas");
  if (reload.getBatch() == 0 && reload.getBatchPercent() == 0)
    return make_error(ErrorCode::invalid, "a batch has at least one arena");
  if (reload.getProbationMs() > kMaxProbationMs) return make_error(ErrorCode::invalid, "a probation lasts an hour at most");
  if (reload.getProbationFrames() > kMaxProbationFrames)
    return make_error(ErrorCode::invalid, "a probation lasts 1000000 frames at most");
  RolloutOrder order;
  order.policy.canary = reload.getCanary();
  order.policy.batch = reload.getBatch();
  order.policy.batch_percent = reload.getBatchPercent();
  order.policy.on_failure = reload.getOnFailure() == wire::OnFailure::ROLLBACK_ALL ? OnFailure::rollback_all : OnFailure::stop;
  order.probation = {reload.getProbationMs() * kMillisecond, reload.getProbationFrames()};
  for (const auto glob : reload.getArenas()) {
    order.arenas.push_back(text_of(glob));
    if (order.arenas.back().find('\n') != std::string::npos)
      return make_error(ErrorCode::invalid, "no arena's name has a line end in it");
  }
  order.dry_run = reload.getDryRun();
  return order;
}

// What a reload comes with.
Result<GameVersions::NewCode> new_code(const GameVersions& game, wire::Reload::Reader reload, std::vector<Fd> fds) {
  const std::string module = text_of(reload.getFile());
  const std::string runtime = text_of(reload.getRuntime());
  const bool is_installed = reload.getInstalledRuntime();
  if (module.empty() && runtime.empty() && !is_installed)
    return make_error(ErrorCode::invalid, "a reload comes with a module's file, a runtime's, or both");
  if (!runtime.empty() && is_installed)
    return make_error(ErrorCode::invalid, "a reload has the runtime that it comes with or the installed one, not both");
  const size_t named = (module.empty() ? 0 : 1) + (runtime.empty() ? 0 : 1);
  if (fds.size() != named || !std::ranges::all_of(fds, [](const Fd& fd) { return bool(fd); }))
    return make_error(ErrorCode::invalid, "a reload comes with each file that it names");
  GameVersions::NewCode code;
  if (!module.empty()) code.module = {std::move(fds.front()), module};
  if (!runtime.empty()) code.runtime = {std::move(fds.back()), runtime};
  if (is_installed) {
    const std::filesystem::path installed = game.worker_program();
    Fd file(::open(installed.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!file) return errno_error("cannot read the installed runtime " + installed.string());
    code.runtime = {std::move(file), installed.filename().string()};
  }
  return code;
}

Rollouts::Order order_of(wire::RolloutOrder::Order order) {
  switch (order) {
    case wire::RolloutOrder::Order::PAUSE:
      return Rollouts::Order::pause;
    case wire::RolloutOrder::Order::RESUME:
      return Rollouts::Order::resume;
    case wire::RolloutOrder::Order::ABORT:
      return Rollouts::Order::abort;
  }
  return Rollouts::Order::pause;
}

void describe_rollout(const Rollouts::Running& running, const Roster& roster, wire::Rollout::Builder to) {
  const Rollout& rollout = running.rollout;
  const auto count = [&](Rollout::Standing standing) { return static_cast<uint32_t>(rollout.count(standing)); };
  to.setId(running.id);
  to.setGame(running.name);
  to.setFromVersion(running.from_version);
  to.setFromCode(running.from_code.text());
  to.setToVersion(running.to_version);
  to.setToCode(running.to_code.text());
  to.setState(rollout.is_paused() && rollout.goes_forward() ? "paused" : to_string(rollout.state()));
  if (running.game != nullptr) {
    if (const auto from = running.game->files_of(running.from_code)) to.setFromRuntime(from->runtime.hash.text());
    if (const auto files = running.game->files_of(running.to_code)) to.setToRuntime(files->runtime.hash.text());
  }
  to.setTotal(static_cast<uint32_t>(rollout.total()));
  to.setPassed(count(Rollout::Standing::passed));
  to.setOnProbation(count(Rollout::Standing::on_the_way) + count(Rollout::Standing::on_probation) +
                    count(Rollout::Standing::going_back));
  to.setWaiting(count(Rollout::Standing::waiting));
  to.setGone(count(Rollout::Standing::gone));
  to.setPinned(running.pinned);
  to.setElapsedMs(running.elapsed_ms());
  to.setIsOver(running.is_over());
  auto failures = to.initFailures(static_cast<uint>(rollout.failures().size()));
  for (uint i = 0; i < failures.size(); ++i) {
    const Rollout::Failure& failure = rollout.failures()[i];
    const Arena* arena = roster.find(failure.arena);
    failures[i].setId(failure.arena.text());
    failures[i].setName(arena == nullptr ? "" : arena->record().name);
    failures[i].setWhy(failure.why);
  }
}

}  // namespace

Result<GameVersions*> Commands::find_game(const std::string& name) const {
  const auto found = scope_.games.find(name);
  if (found == scope_.games.end()) return no_game(name);
  return found->second.get();
}

void Commands::roll_out(RequestId from, GameVersions& game, GameTemplate& before, GameTemplate& to,
                        wire::Reload::Reader reload) {
  auto order = order_of(reload);
  if (!order) return scope_.server.fail(from, order.error());
  scope_.rollouts.begin(game, before, to, *order,
                        [this, from](Result<const Rollouts::Running*> begun) { answer_rollout(from, begun); });
}

void Commands::reload(RequestId from, wire::Reload::Reader reload, std::vector<Fd> fds) {
  auto game = find_game(text_of(reload.getGame()));
  if (!game) return scope_.server.fail(from, game.error());
  auto code = new_code(**game, reload, std::move(fds));
  if (!code) return scope_.server.fail(from, code.error());
  auto version = (*game)->add(*code);
  if (!version) return scope_.server.fail(from, version.error());
  roll_out(from, **game, (*game)->current(), **version, reload);
}

void Commands::rollback(RequestId from, wire::Reload::Reader reload) {
  auto game = find_game(text_of(reload.getGame()));
  if (!game) return scope_.server.fail(from, game.error());
  // What a rollout that was stopped has left with its version comes first.
  if (GameTemplate* left = (*game)->find(scope_.rollouts.left_behind(**game))) {
    return roll_out(from, **game, *left, (*game)->current(), reload);
  }
  GameTemplate* previous = (*game)->find((*game)->previous());
  if (previous == nullptr) {
    return scope_.server.fail(from, make_error(ErrorCode::refused, "there is no earlier version of " + (*game)->name()));
  }
  roll_out(from, **game, (*game)->current(), *previous, reload);
}

void Commands::rollouts(RequestId from, const std::string& game) {
  std::vector<const Rollouts::Running*> found;
  for (const auto& [name, running] : scope_.rollouts.all()) {
    if (game.empty() || name == game) found.push_back(&running);
  }
  scope_.server.reply(from, [&](wire::Reply::Builder reply) {
    auto to = reply.initRollouts(static_cast<uint>(found.size()));
    for (uint i = 0; i < to.size(); ++i) describe_rollout(*found[i], scope_.roster, to[i]);
  });
}

void Commands::rollout_order(RequestId from, wire::RolloutOrder::Reader order) {
  const std::string game = text_of(order.getGame());
  Rollouts::Running* running = scope_.rollouts.find(game);
  if (running == nullptr || running->is_over()) {
    return scope_.server.fail(from, make_error(ErrorCode::refused, "no rollout of " + game + " is going on"));
  }
  if (!running->rollout.goes_forward() && running->rollout.state() != Rollout::State::rolling_back) {
    return scope_.server.fail(from,
                              make_error(ErrorCode::refused, "the rollout of " + game + " begins nothing any more: it is " +
                                                                 to_string(running->rollout.state()) +
                                                                 ", and ends when what is on probation has settled"));
  }
  scope_.rollouts.obey(*running, order_of(order.getOrder()),
                       [this, from](Result<const Rollouts::Running*> obeyed) { answer_rollout(from, obeyed); });
}

void Commands::answer_rollout(RequestId from, Result<const Rollouts::Running*> running) {
  if (!running) return scope_.server.fail(from, running.error());
  scope_.server.reply(from,
                      [&](wire::Reply::Builder reply) { describe_rollout(**running, scope_.roster, reply.initRollout()); });
}

// A code, the beginning of one, or a module's own version if only one has it.
Result<GameTemplate*> Commands::find_version(GameVersions& game, const std::string& text) {
  if (const auto hash = CodeHash::parse(text)) {
    if (GameTemplate* exact = game.find(*hash)) return exact;
  }
  std::vector<GameTemplate*> found;
  for (const auto& [hash, version] : game.all()) {
    if (hash.is_null()) continue;
    const bool by_code = text.size() >= 4 && hash.text().starts_with(text);
    if (by_code || version->facts().version == text) found.push_back(version.get());
  }
  if (found.size() == 1) return found.front();
  return make_error(ErrorCode::invalid, std::string(found.empty() ? "no" : "more than one") + " version of " + game.name() +
                                            " is called " + text + "; arenactl versions " + game.name());
}

void Commands::pin(RequestId from, wire::Pin::Reader pin) {
  const Selected selected = select(pin.getSelection());
  const std::string text = text_of(pin.getVersion());
  const auto collected = collect(from, selected);
  if (selected.arenas.empty()) return answer(*collected);
  for (Arena* arena : selected.arenas) {
    const Outcome outcome{arena->record().id, arena->record().name, std::string("no longer pinned")};
    if (text.empty()) {
      arena->pin(false);
      add_outcome(collected, outcome);
      continue;
    }
    auto game = find_game(arena->record().game);
    auto version = game ? find_version(**game, text) : Result<GameTemplate*>(game.error());
    if (!version) {
      add_outcome(collected, {outcome.id, outcome.name, version.error()});
      continue;
    }
    const bool has_it = arena->game() == *version && !arena->is_changing_code();
    if (const auto may = arena->may_hand_over(); !may && !has_it) {
      add_outcome(collected, {outcome.id, outcome.name, may.error()});
      continue;
    }
    arena->pin(true);
    if (has_it) {
      add_outcome(collected, {outcome.id, outcome.name, std::string("pinned")});
      continue;
    }
    const auto handed_over =
        arena->hand_over(**version, {}, [this, collected, outcome](ArenaId, Arena::HandoverNews news, const std::string& why) {
          if (news == Arena::HandoverNews::live) return;
          Outcome told = outcome;
          told.result = news == Arena::HandoverNews::passed
                            ? Result<std::string>(std::string("pinned, and handed over"))
                            : Result<std::string>(make_error(ErrorCode::failed, "pinned, but not handed over: " + why));
          add_outcome(collected, told);
        });
    if (!handed_over) add_outcome(collected, {outcome.id, outcome.name, handed_over.error()});
  }
}

// One that the configuration has no more may have left arenas or versions behind: what the database says of it is asked for then.
void Commands::versions(RequestId from, const std::string& game) {
  const auto is_of_it = [&game](const auto& entry) { return entry.second->record().game == game; };
  if (game.empty() || scope_.games.contains(game) || std::ranges::any_of(scope_.roster.all(), is_of_it)) {
    return answer_versions(from, game);
  }
  auto kept = std::make_shared<Result<std::vector<GameRecord>>>(std::vector<GameRecord>{});
  scope_.services.store.submit_query([kept](Store& store) { *kept = store.games(); },
                                     [this, kept, from, game](const Result<void>& ran) {
                                       if (!ran) return scope_.server.fail(from, ran.error());
                                       if (!*kept) return scope_.server.fail(from, kept->error());
                                       const auto& games = kept->value();
                                       if (std::ranges::find(games, game, &GameRecord::name) == games.end()) {
                                         return scope_.server.fail(from, no_game(game));
                                       }
                                       answer_versions(from, game);
                                     });
}

Error Commands::no_game(const std::string& name) const {
  std::string known;
  for (const auto& [has, unused] : scope_.games) known += (known.empty() ? "" : ", ") + has;
  return make_error(ErrorCode::invalid,
                    "the configuration has no game " + name + ". It has: " + (known.empty() ? "none" : known));
}

void Commands::answer_versions(RequestId from, const std::string& game) {
  struct Row {
    const GameVersions* game;
    const GameTemplate* version;
  };
  std::vector<Row> rows;
  for (const auto& [name, versions] : scope_.games) {
    if (!game.empty() && name != game) continue;
    const CodeHash current = versions->current().hash();
    for (const auto& [hash, version] : versions->all()) {
      const auto at = hash == current ? std::ranges::find(rows, versions.get(), &Row::game) : rows.end();
      rows.insert(at, {versions.get(), version.get()});
    }
  }
  scope_.server.reply(from, [&](wire::Reply::Builder reply) {
    auto to = reply.initVersions(static_cast<uint>(rows.size()));
    for (uint i = 0; i < to.size(); ++i) {
      const GameVersions* versions = rows[i].game;
      const GameTemplate* version = rows[i].version;
      to[i].setGame(versions->name());
      to[i].setVersion(version->facts().version);
      to[i].setCode(version->hash().is_null() ? "" : version->hash().text());
      to[i].setFile(version->config().module.filename().string());
      if (const auto files = versions->files_of(version->hash())) to[i].setRuntime(files->runtime.hash.text());
      to[i].setRuntimeVersion(version->facts().runtime_version);
      to[i].setCurrent(version->hash() == CodeHash::parse(versions->record().current).value_or(CodeHash{}));
      to[i].setPrevious(!version->hash().is_null() && version->hash() == versions->previous());
      to[i].setConfigured(version->hash() == versions->configured());
      to[i].setArenas(static_cast<uint32_t>(std::ranges::count_if(scope_.roster.all(), [&](const auto& entry) {
        return entry.second->is_active() && entry.second->game() == version;
      })));
    }
  });
}

}  // namespace arenad
