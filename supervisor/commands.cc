#include "supervisor/commands.h"

#include <algorithm>
#include <unistd.h>
#include <unordered_set>

#include "arenad/module_abi.h"
#include "ipc/channel.h"
#include "ipc/clock.h"
#include "ipc/control_client.h"
#include "ipc/crash_point.h"
#include "ipc/request_limits.h"
#include "ipc/text.h"
#include "supervisor/exporter.h"
#include "supervisor/request_kind.h"
#include "supervisor/status_report.h"
#include "supervisor/version.h"

namespace arenad {
namespace {

Error no_arena(const std::string& name) {
  return make_error(ErrorCode::unknown_arena, "no arena " + name);
}

bool is_finished(const Arena& arena) {
  return !arena.is_active();
}

Result<std::string> outcome_of_restart(const Arena& arena) {
  if (arena.state() == ArenaState::running) return std::string("restarted");
  return make_error(ErrorCode::failed, std::string(to_string(arena.state())) + ": " + arena.record().reason);
}

Result<std::string> outcome_of_stop(const Arena& arena) {
  if (arena.state() == ArenaState::stopped || arena.state() == ArenaState::ended) return std::string(to_string(arena.state()));
  return make_error(ErrorCode::failed, std::string(to_string(arena.state())) + ": " + arena.record().reason);
}

// It was to be put down, and nothing is under way for that any more.
bool goes_on(const Arena& arena) {
  return arena.is_active() && arena.state() != ArenaState::stopping && !arena.is_draining();
}

// A worker must be able to map it, now and in every recovery.
Result<void> check_channel(const Fd& region) {
  auto copy = region.duplicate();
  if (!copy) return copy.error();
  auto view = ChannelView::map(std::move(*copy));
  if (!view) return view.error();
  return view->check_header();
}

// In memory that nobody can change any more.
Result<Region> sealed_copy(const char* name, std::string_view bytes) {
  auto region = Region::create(name, bytes.size());
  if (!region) return region.error();
  std::memcpy(region->data(), bytes.data(), bytes.size());
  if (auto sealed = region->seal(); !sealed) return sealed.error();
  return region;
}

}  // namespace

void Commands::request(RequestId from, wire::Request::Reader request, std::vector<Fd> fds) {
  const Peer caller = scope_.server.caller(from.connection);
  if (const auto allowed = access_.check(caller, right_for(request), kind_of(request).verb); !allowed) {
    trail_.denied(caller, request, allowed.error().message, monotonic_ns());
    return scope_.server.fail(from, allowed.error());
  }
  trail_.asked(from, caller, request);
  if (const auto checked = check_request(request); !checked) return scope_.server.fail(from, checked.error());
  carry_out(from, request, std::move(fds));
}

void Commands::carry_out(RequestId from, wire::Request::Reader request, std::vector<Fd> fds) {
  switch (request.which()) {
    case wire::Request::VERSION:
      return version(from);
    case wire::Request::START:
      return start(from, request.getStart());
    case wire::Request::STATUS:
      return status(from, request.getStatus());
    case wire::Request::RESTART:
      return restart(from, request.getRestart());
    case wire::Request::STOP:
      return stop(from, request.getStop());
    case wire::Request::DRAIN:
      return drain(from, request.getDrain());
    case wire::Request::EXPORT:
      return export_recording(from, text_of(request.getExport()));
    case wire::Request::GAME_STATE:
      return game_state(from, text_of(request.getGameState()));
    case wire::Request::ATTACH:
      return attach(from, request.getAttach(), std::move(fds));
    case wire::Request::DETACH:
      return detach(from, request.getDetach());
    case wire::Request::RESULTS:
      return results(from, text_of(request.getResults()));
    case wire::Request::RESULT_PAGE:
      return result_page(from, request.getResultPage());
    case wire::Request::RESULT_TYPES:
      return result_types(from, request.getResultTypes());
    case wire::Request::CRASHES:
      return crashes(from, request.getCrashes());
    case wire::Request::CRASH:
      return crash(from, request.getCrash());
    case wire::Request::QUARANTINE:
      return quarantine(from, request.getQuarantine());
    case wire::Request::QUARANTINED:
      return quarantined(from, request.getQuarantined());
    case wire::Request::QUARANTINE_RETRY:
      return quarantine_retry(from, request.getQuarantineRetry());
    case wire::Request::QUARANTINE_DROP:
      return quarantine_drop(from, request.getQuarantineDrop());
    case wire::Request::RELOAD:
      return reload(from, request.getReload(), std::move(fds));
    case wire::Request::ROLLBACK:
      return rollback(from, request.getRollback());
    case wire::Request::ROLLOUTS:
      return rollouts(from, text_of(request.getRollouts()));
    case wire::Request::ROLLOUT_ORDER:
      return rollout_order(from, request.getRolloutOrder());
    case wire::Request::PIN:
      return pin(from, request.getPin());
    case wire::Request::VERSIONS:
      return versions(from, text_of(request.getVersions()));
    case wire::Request::RELOAD_CONFIG:
      return reload_config(from, request.getReloadConfig());
    case wire::Request::UPGRADE:
      return upgrade(from, request.getUpgrade());
    case wire::Request::UNDRAIN:
      return undrain(from, request.getUndrain());
    case wire::Request::RESET_FAILED:
      return reset_failed(from, request.getResetFailed());
    case wire::Request::SIGNAL:
      return signal(from, request.getSignal());
    case wire::Request::SNAPSHOT:
      return snapshot(from, request.getSnapshot());
    case wire::Request::TELL:
      return tell(from, request.getTell());
    case wire::Request::SHUTDOWN:
      return shutdown(from);
    case wire::Request::HISTORY:
      return history(from, request.getHistory());
    case wire::Request::LOGS:
      return logs(from, request.getLogs());
    case wire::Request::EVENTS:
      return events(from, request.getEvents());
    case wire::Request::SLOW:
      return slow(from, request.getSlow());
  }
  scope_.server.fail(from,
                     make_error(ErrorCode::invalid, "this arenad does not know the request; it is older than its caller"));
}

void Commands::connection_closed(uint64_t connection) {
  for (auto it = attachments_.begin(); it != attachments_.end();) {
    if (it->second.connection != connection) {
      ++it;
      continue;
    }
    if (Arena* arena = scope_.roster.find(it->second.arena)) arena->detach(it->first, ARENAD_DROPPED);
    it = attachments_.erase(it);
  }
}

Result<Arena*> Commands::find(const std::string& text) const {
  if (Arena* arena = scope_.roster.find(text)) return arena;
  return no_arena(text);
}

Commands::Selected Commands::select(wire::Selection::Reader selection) const {
  Selected selected;
  std::vector<Arena*>& found = selected.arenas;
  std::unordered_set<const Arena*> known;
  auto wanted = [&](const Arena& arena) { return selection.getFinished() || arena.is_active(); };
  if (selection.getAll()) {
    for (const auto& [id, arena] : scope_.roster.all()) {
      if (wanted(*arena)) found.push_back(arena.get());
    }
    return selected;
  }
  for (const auto text : selection.getArenas()) {
    const auto matches = scope_.roster.select(std::string_view(text.begin(), text.size()));
    if (matches.empty()) selected.missing.push_back(text_of(text));
    for (Arena* arena : matches) {
      if (known.insert(arena).second) found.push_back(arena);
    }
  }
  return selected;
}

std::shared_ptr<Commands::Collected> Commands::collect(RequestId from, const Selected& selected,
                                                       std::optional<wire::WaitingRequest::Kind> kind) {
  auto collected = std::make_shared<Collected>(Collected{from, {}, selected.arenas.size(), kind, {}});
  std::erase_if(waiting_, [](const auto& one) { return one.expired(); });
  if (kind) waiting_.push_back(collected);
  for (const std::string& name : selected.missing) collected->outcomes.push_back({{}, name, no_arena(name)});
  return collected;
}

void Commands::version(RequestId from) {
  scope_.server.reply(from, [&](wire::Reply::Builder reply) {
    auto version = reply.initVersion();
    version.setProgram(kVersion);
    version.setProtocol(wire::PROTOCOL_VERSION);
    version.setPid(static_cast<uint32_t>(::getpid()));
    version.setUptimeMs((monotonic_ns() - scope_.started_ns) / kMillisecond);
  });
}

Result<ArenaRecord> Commands::new_record(wire::Start::Reader start) {
  ArenaRecord record;
  record.game = text_of(start.getGame());
  record.id = ArenaId::make(unix_ms(), random_u64(), random_u64());
  if (start.hasId() && start.getId().size() != 0) {
    const auto id = ArenaId::parse(std::string_view(start.getId().begin(), start.getId().size()));
    if (!id)
      return make_error(ErrorCode::invalid, "the id " + text_of(start.getId()) + " is not 26 digits of Crockford's base 32");
    record.id = *id;
  }
  record.name = text_of(start.getName());
  if (record.name.empty()) {
    record.name = scope_.roster.free_name(record.game);
  } else if (!valid_arena_name(record.name)) {
    return make_error(ErrorCode::invalid, "the name " + record.name + " is not 1 to 64 letters, digits, '.', '_' and '-'");
  } else if (scope_.roster.find(record.name) != nullptr) {
    return make_error(ErrorCode::refused, "there is an arena " + record.name + " already");
  }
  if (start.getParams().size() > limits::kMaxParams) return make_error(ErrorCode::invalid, "too many parameters");
  for (const auto param : start.getParams()) record.params.emplace_back(text_of(param.getKey()), text_of(param.getValue()));
  record.created_unix_ms = record.changed_unix_ms = static_cast<int64_t>(unix_ms());
  return record;
}

uint64_t Commands::shared_memory_bytes() const {
  uint64_t total = 0;
  for (const auto& [id, arena] : scope_.roster.all()) {
    if (arena->lived() != nullptr) total += arena->lived()->bytes();
    for (const auto& [channel_id, channel] : arena->channels().all()) {
      if (auto bytes = check_sealed_region(channel.region)) total += *bytes;
    }
  }
  for (const auto& [name, game] : scope_.games) {
    for (const auto& [hash, version] : game->all()) {
      for (const Spare& spare : version->spares()) total += spare.region.bytes();
    }
  }
  return total;
}

Result<void> Commands::room_for_another(const GameTemplate& game) const {
  const auto& limits = scope_.services.config.arenas;
  const auto active = static_cast<uint64_t>(std::count_if(scope_.roster.all().begin(), scope_.roster.all().end(),
                                                          [](const auto& entry) { return entry.second->is_active(); }));
  if (active >= limits.max_arenas) {
    return make_error(ErrorCode::refused, "as many arenas run as arenas.max_arenas allows: " + std::to_string(active));
  }
  const uint64_t limit = limits.shared_memory_mib * 1024 * 1024;
  if (limit != 0 && shared_memory_bytes() + game.facts().region_bytes > limit) {
    return make_error(ErrorCode::exhausted,
                      "the arenas that run use as much shared memory as arenas.shared_memory_mib allows: " +
                          std::to_string(limits.shared_memory_mib) + " MiB");
  }
  const StoreHealth health = scope_.services.store.health();
  if (health.failing_since_ns) {
    return make_error(health.last_error.code, "the database takes nothing now: " + health.last_error.text());
  }
  return {};
}

void Commands::start(RequestId from, wire::Start::Reader start) {
  const std::string game_name = text_of(start.getGame());
  const auto game = scope_.games.find(game_name);
  if (game == scope_.games.end()) return scope_.server.fail(from, no_game(game_name));
  if (start.hasId() && scope_.roster.find(text_of(start.getId())) != nullptr) {
    const Arena& arena = *scope_.roster.find(text_of(start.getId()));
    if (!arena.is_active()) {
      return scope_.server.fail(from, make_error(ErrorCode::refused, "arena " + arena.record().name + " of this id is " +
                                                                         to_string(arena.state()) + " already"));
    }
    return scope_.server.reply(from, [&](wire::Reply::Builder reply) {
      auto started = reply.initStarted();
      started.setId(arena.record().id.text());
      started.setName(arena.record().name);
      started.setAlreadyRunning(true);
    });
  }
  if (draining_) return scope_.server.fail(from, make_error(ErrorCode::refused, "arenad is draining: no new arenas"));
  if (auto room = room_for_another(game->second->current()); !room) return scope_.server.fail(from, room.error());
  auto record = new_record(start);
  if (!record) return scope_.server.fail(from, record.error());
  auto arena = Arena::create(scope_.services, std::move(*record), game->second.get());
  if (!arena) return scope_.server.fail(from, arena.error());
  forget_oldest_finished();
  Arena& added = scope_.roster.add(std::move(*arena));
  const ArenaId id = added.record().id;
  added.begin_new();
  added.when(
      [this](const Arena& a) {
        const bool durable = a.is_saved() || scope_.services.store.health().failing_since_ns.has_value();
        return a.state() != ArenaState::starting && (a.never_began() || durable);
      },
      [this, from, id] { answer_start(from, id); });
}

void Commands::answer_start(RequestId from, ArenaId id) {
  Arena* arena = scope_.roster.find(id);
  if (arena == nullptr) return scope_.server.fail(from, no_arena(id.text()));
  const StoreHealth health = scope_.services.store.health();
  const bool began = arena->is_active() || arena->state() == ArenaState::ended;
  ARENAD_CRASH_POINT("arenad.start.persisted");
  if (began && (arena->is_saved() || !health.failing_since_ns)) {
    scope_.server.reply(from, [&](wire::Reply::Builder reply) {
      auto started = reply.initStarted();
      started.setId(id.text());
      started.setName(arena->record().name);
    });
    ARENAD_CRASH_POINT("arenad.start.answered");
    return;
  }
  // Nothing of it is kept: whoever asked for it knows that it does not run.
  const Error error =
      began ? make_error(health.last_error.code, "the database does not take the new arena: " + health.last_error.text())
            : make_error(arena->start_failure_code(), arena->record().reason);
  StoreBatch batch;
  batch.forgotten.push_back(id);
  scope_.services.store.submit(std::move(batch), [](const Result<void>&) {});
  arena->forget_kept();
  scope_.roster.remove(id);
  scope_.server.fail(from, error);
}

void Commands::report_daemon(wire::DaemonStatus::Builder to) const {
  to.setVersion(kVersion);
  to.setPid(static_cast<uint32_t>(::getpid()));
  to.setUptimeMs((monotonic_ns() - scope_.started_ns) / kMillisecond);
  to.setConfiguration(scope_.configuration_path);
  uint32_t running = 0;
  uint64_t recoveries = 0;
  for (const auto& [id, arena] : scope_.roster.all()) {
    running += arena->state() == ArenaState::running ? 1 : 0;
    recoveries += arena->recoveries();
  }
  to.setRunning(running);
  to.setRecoveries(recoveries);
  to.setClients(static_cast<uint32_t>(scope_.server.connections()));
  to.setCheckpointLagMs(scope_.checkpointer.lag_ns() / kMillisecond);
  to.setCheckpointAlarm(scope_.checkpointer.is_alarmed());
  const StoreHealth health = scope_.services.store.health();
  if (health.failing_since_ns) to.setStoreError(health.last_error.text());
  to.setSharedMemoryBytes(shared_memory_bytes());
  to.setDraining(draining_);
  std::vector<std::string> now = scope_.notices;
  if (scope_.config_reload.is_written_since()) {
    now.push_back("the configuration " + scope_.configuration_path +
                  " was written since arenad has read it: arenactl reload-config --dry-run shows what differs");
  }
  auto notices = to.initNotices(static_cast<uint>(now.size()));
  for (uint i = 0; i < notices.size(); ++i) notices.set(i, now[i]);
}

void Commands::status(RequestId from, wire::Selection::Reader selection) {
  const Selected selected = select(selection);
  if (!selected.missing.empty()) return scope_.server.fail(from, no_arena(selected.missing.front()));
  const Detail detail = !selection.getAll() && selected.arenas.size() == 1 ? Detail::page : Detail::row;
  scope_.server.reply(from, [&](wire::Reply::Builder reply) {
    auto status = reply.initStatus();
    report_daemon(status.initDaemon());
    auto arenas = status.initArenas(static_cast<uint>(selected.arenas.size()));
    for (uint i = 0; i < arenas.size(); ++i) report_arena(*selected.arenas[i], detail, arenas[i]);
  });
}

void Commands::add_outcome(const std::shared_ptr<Collected>& collected, Outcome outcome) {
  collected->awaited.erase(outcome.id);
  collected->outcomes.push_back(std::move(outcome));
  if (--collected->missing == 0) answer(*collected);
}

void Commands::when_settled(const std::shared_ptr<Collected>& collected, Arena& arena,
                            std::function<bool(const Arena&)> settled,
                            std::function<Result<std::string>(const Arena&)> outcome) {
  const ArenaId id = arena.record().id;
  arena.when(std::move(settled), [this, collected, id, name = arena.record().name, outcome = std::move(outcome)] {
    const Arena* settled_arena = scope_.roster.find(id);
    add_outcome(collected,
                {id, name, settled_arena == nullptr ? Result<std::string>(no_arena(name)) : outcome(*settled_arena)});
  });
}

// When its state is in the database; while that takes nothing, as soon as the arena stands still.
void Commands::await_put_down(const std::shared_ptr<Collected>& collected, Arena& arena) {
  const StoreThread& store = scope_.services.store;
  collected->awaited.emplace(arena.record().id, arena.record().epoch);
  when_settled(
      collected, arena,
      [&store](const Arena& a) {
        return goes_on(a) || (!a.is_active() && (a.is_saved() || store.health().failing_since_ns.has_value()));
      },
      [&store](const Arena& a) -> Result<std::string> {
        if (goes_on(a)) return make_error(ErrorCode::refused, "it goes on: it was undrained, or started again");
        if (a.is_saved()) return outcome_of_stop(a);
        return make_error(ErrorCode::failed,
                          std::string(to_string(a.state())) +
                              ", but the database does not take its state; it is kept in memory until it does: " +
                              store.health().last_error.text());
      });
}

void Commands::await_restart(const std::shared_ptr<Collected>& collected, Arena& arena, uint64_t epoch) {
  collected->awaited.emplace(arena.record().id, epoch);
  when_settled(
      collected, arena,
      [epoch](const Arena& a) { return !a.is_active() || (a.state() == ArenaState::running && a.record().epoch > epoch); },
      outcome_of_restart);
}

void Commands::write_outcomes(const Collected& collected, capnp::List<wire::Item>::Builder to) {
  for (uint i = 0; i < to.size(); ++i) {
    const Outcome& outcome = collected.outcomes[i];
    to[i].setId(outcome.id.text());
    to[i].setName(outcome.name);
    if (outcome.result) {
      to[i].setOk(outcome.result.value());
    } else {
      auto failure = to[i].initError();
      failure.setCode(failure_code_of(outcome.result.error().code));
      failure.setMessage(outcome.result.error().text());
    }
  }
}

void Commands::answer(const Collected& collected) {
  scope_.server.reply(collected.from, [&](wire::Reply::Builder reply) {
    write_outcomes(collected, reply.initItems(static_cast<uint>(collected.outcomes.size())));
  });
}

void Commands::restart(RequestId from, wire::Selection::Reader selection) {
  const Selected selected = select(selection);
  const auto collected = collect(from, selected, wire::WaitingRequest::Kind::RESTART);
  if (selected.arenas.empty()) return answer(*collected);
  for (Arena* arena : selected.arenas) {
    const uint64_t epoch = arena->record().epoch;
    if (const auto may = arena->may_restart(); !may) {
      add_outcome(collected, {arena->record().id, arena->record().name, may.error()});
      continue;
    }
    (void)arena->restart();
    await_restart(collected, *arena, epoch);
  }
}

void Commands::stop(RequestId from, wire::Selection::Reader selection) {
  const Selected selected = select(selection);
  const auto collected = collect(from, selected, wire::WaitingRequest::Kind::PUT_DOWN);
  if (selected.arenas.empty()) return answer(*collected);
  for (Arena* arena : selected.arenas) {
    if (arena->stop().verdict == Verdict::already) {
      add_outcome(collected, {arena->record().id, arena->record().name, std::string("already ") + to_string(arena->state())});
      continue;
    }
    await_put_down(collected, *arena);
  }
}

void Commands::drain(RequestId from, wire::Drain::Reader drain) {
  const auto selection = drain.getSelection();
  const Selected selected = select(selection);
  if (selection.getAll()) draining_ = true;
  const auto collected = collect(from, selected, wire::WaitingRequest::Kind::PUT_DOWN);
  if (selected.arenas.empty()) return answer(*collected);
  for (Arena* arena : selected.arenas) {
    arena->drain(drain.getDeadlineMs());
    await_put_down(collected, *arena);
  }
}

void Commands::game_state(RequestId from, const std::string& name) {
  auto arena = find(name);
  if (!arena) return scope_.server.fail(from, arena.error());
  auto snapshot = newest_snapshot(**arena);
  if (!snapshot) return scope_.server.fail(from, snapshot.error());
  const std::string_view state(static_cast<const char*>(snapshot->state()), snapshot->state_words() * sizeof(uint64_t));
  auto region = sealed_copy("arenad-game-state", state);
  if (!region) return scope_.server.fail(from, region.error());
  const int fd = region->fd().get();
  scope_.server.reply(from,
                      [&](wire::Reply::Builder reply) {
                        auto to = reply.initGameState();
                        const SnapshotFacts& facts = snapshot->facts();
                        to.setName((*arena)->record().name);
                        to.setFrame(facts.frame.value);
                        to.setGame(facts.game);
                        to.setVersion(facts.game_version);
                        to.setType(facts.state_type);
                        to.setBytes(state.size());
                        const std::string schema = (*arena)->schema_of_state();
                        to.setSchema({reinterpret_cast<const capnp::byte*>(schema.data()), schema.size()});
                      },
                      {&fd, 1});
}

void Commands::export_recording(RequestId from, const std::string& name) {
  auto arena = find(name);
  if (!arena) return scope_.server.fail(from, arena.error());
  auto bytes = export_arena(**arena);
  if (!bytes) return scope_.server.fail(from, bytes.error());
  auto region = sealed_copy("arenad-recording", *bytes);
  if (!region) return scope_.server.fail(from, region.error());
  const int fd = region->fd().get();
  scope_.server.reply(from, [&](wire::Reply::Builder reply) { reply.setExported(bytes->size()); }, {&fd, 1});
}

// The board and the region are duplicated for the answer to an attach. Who was attached and could not be told would be dropped, and so have left.
static Result<void> check_room_for_answer(const Fd& any) {
  auto board = any.duplicate();
  if (!board) return board.error();
  auto region = any.duplicate();
  if (!region) return region.error();
  return {};
}

void Commands::attach(RequestId from, wire::Attach::Reader attach, std::vector<Fd> fds) {
  auto arena = find(text_of(attach.getArena()));
  if (!arena) return scope_.server.fail(from, arena.error());
  const std::string player = text_of(attach.getPlayer());
  if (player.size() > limits::kMaxPlayerNameBytes || (player.empty() && !attach.getObserver())) {
    return scope_.server.fail(from, make_error(ErrorCode::invalid, "a player's name has 1 to 64 bytes"));
  }
  if (fds.size() != 1 || !fds[0])
    return scope_.server.fail(from, make_error(ErrorCode::invalid, "an attach comes with one channel region"));
  auto bytes = check_sealed_region(fds[0]);
  if (!bytes) return scope_.server.fail(from, bytes.error());
  if (*bytes > kChannelRingOffset + scope_.services.config.channels.max_bytes) {
    return scope_.server.fail(from, make_error(ErrorCode::refused, "the channel is larger than channels.max_bytes allows"));
  }
  if (auto checked = check_channel(fds[0]); !checked) return scope_.server.fail(from, checked.error());
  if (auto room = check_room_for_answer(fds[0]); !room) return scope_.server.fail(from, room.error());
  const uint32_t id = next_attachment_++;
  const auto kind = attach.getObserver() ? ChannelRoster::Kind::observer : ChannelRoster::Kind::player;
  auto attached = attach.getChannel() != 0 ? (*arena)->reattach(from.connection, id, {attach.getChannel()}, player, fds[0])
                                           : (*arena)->attach(from.connection, id, kind, player, std::move(fds[0]));
  if (!attached) return scope_.server.fail(from, attached.error());
  attachments_[id] = {from.connection, (*arena)->record().id};
  std::vector<int> out{attached->board->get()};
  if (attached->live != nullptr) out.push_back(attached->live->fd().get());
  scope_.server.reply(
      from,
      [&](wire::Reply::Builder reply) {
        auto to = reply.initAttached();
        to.setAttachment(id);
        to.setArena((*arena)->record().id.text());
        to.setName((*arena)->record().name);
        to.setSeat(attached->seat);
        to.setChannel(attached->channel.value);
        to.setOutputsFrom(attached->outputs_from);
        to.setLive(attached->live != nullptr);
        to.setEpoch((*arena)->record().epoch);
      },
      out);
}

void Commands::detach(RequestId from, uint32_t attachment) {
  const auto found = attachments_.find(attachment);
  if (found == attachments_.end() || found->second.connection != from.connection) {
    return scope_.server.fail(from, make_error(ErrorCode::invalid, "no such attachment"));
  }
  if (Arena* arena = scope_.roster.find(found->second.arena)) arena->detach(attachment, ARENAD_LEFT);
  attachments_.erase(found);
  scope_.server.reply(from, [](wire::Reply::Builder reply) { reply.setDetached(); });
}

void Commands::forget_oldest_finished() {
  std::vector<Arena*> finished;
  for (const auto& [id, arena] : scope_.roster.all()) {
    if (is_finished(*arena) && arena->is_saved() && !arena->is_awaited()) finished.push_back(arena.get());
  }
  const uint64_t keep = scope_.services.config.arenas.keep_finished;
  if (finished.size() <= keep) return;
  std::sort(finished.begin(), finished.end(),
            [](const Arena* a, const Arena* b) { return a->record().changed_unix_ms < b->record().changed_unix_ms; });
  StoreBatch batch;
  for (size_t i = 0; i + keep < finished.size(); ++i) {
    batch.forgotten.push_back(finished[i]->record().id);
    finished[i]->forget_kept();
    scope_.roster.remove(batch.forgotten.back());
  }
  scope_.services.store.submit(std::move(batch), [](const Result<void>&) {});
}

}  // namespace arenad
