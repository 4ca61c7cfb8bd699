// The requests with which an operator handles single arenas: undrain, reset-failed, signal, snapshot, tell; the one that ends arenad,
// and the one that tells what was asked of it.
#include <algorithm>
#include <cctype>
#include <csignal>
#include <utility>

#include "ipc/limits.h"
#include "ipc/text.h"
#include "supervisor/commands.h"
#include "supervisor/log.h"
#include "supervisor/reply_room.h"

namespace arenad {
namespace {

Result<std::string> outcome_of_reset(Arena& arena) {
  const std::string and_then = arena.state() == ArenaState::failed ? "; it is failed: arenactl restart lets it go on" : "";
  if (!arena.forget_crashes()) return "nothing to forget" + and_then;
  return "its crashes are forgotten" + and_then;
}

Result<std::string> outcome_of_undrain(Arena& arena) {
  if (!arena.is_active()) return std::string("already ") + to_string(arena.state());
  if (!arena.undrain()) return std::string("was not draining");
  return std::string("is not stopped at a deadline any more; its game was told to end the match, and ends it when it will");
}

Result<void> check_signal(std::string_view name, std::string_view payload) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  };
  if (name.empty() || name.size() > limits::kMaxSignalNameBytes || !std::ranges::all_of(name, allowed)) {
    return make_error(ErrorCode::invalid, "the name of what a game is told has 1 to " +
                                              std::to_string(limits::kMaxSignalNameBytes) +
                                              " letters, digits, '.', '-' and '_'");
  }
  if (payload.size() > limits::kMaxSignalBytes) {
    return make_error(ErrorCode::invalid, "what a game is told has " + std::to_string(payload.size()) +
                                              " bytes, and may have " + std::to_string(limits::kMaxSignalBytes));
  }
  return {};
}

}  // namespace

// Without names it is about arenad, which takes new arenas again, and about those that drain.
void Commands::undrain(RequestId from, wire::Selection::Reader selection) {
  Selected selected = select(selection);
  if (selection.getAll()) {
    if (shutting_down_) return scope_.server.fail(from, make_error(ErrorCode::refused, "arenad is shutting down"));
    draining_ = false;
    std::erase_if(selected.arenas, [](const Arena* arena) { return !arena->is_draining() || !arena->is_active(); });
  }
  const auto collected = collect(from, selected);
  if (selected.arenas.empty()) return answer(*collected);
  for (Arena* arena : selected.arenas) {
    add_outcome(collected, {arena->record().id, arena->record().name, outcome_of_undrain(*arena)});
  }
}

void Commands::reset_failed(RequestId from, wire::Selection::Reader selection) {
  Selected selected = select(selection);
  if (selection.getAll()) {
    std::erase_if(selected.arenas, [](const Arena* arena) { return !arena->lifecycle().has_crashed(); });
  }
  const auto collected = collect(from, selected);
  if (selected.arenas.empty()) return answer(*collected);
  for (Arena* arena : selected.arenas) {
    add_outcome(collected, {arena->record().id, arena->record().name, outcome_of_reset(*arena)});
  }
}

void Commands::signal(RequestId from, wire::Signal::Reader signal) {
  const uint32_t number = signal.getNumber();
  if (number == 0 || number > static_cast<uint32_t>(SIGRTMAX)) {
    return scope_.server.fail(from, make_error(ErrorCode::invalid, "there is no signal " + std::to_string(number)));
  }
  const Selected selected = select(signal.getSelection());
  const auto collected = collect(from, selected);
  if (selected.arenas.empty()) return answer(*collected);
  for (Arena* arena : selected.arenas) {
    const pid_t pid = arena->pid();
    const auto sent = arena->signal_worker(static_cast<int>(number));
    if (sent) log_info("arena={} pid={} msg=\"an operator has sent it signal {}\"", arena->record().name, pid, number);
    add_outcome(collected,
                {arena->record().id, arena->record().name,
                 sent ? Result<std::string>("signal " + std::to_string(number) + " sent to process " + std::to_string(pid))
                      : Result<std::string>(sent.error())});
  }
}

void Commands::snapshot(RequestId from, wire::Selection::Reader selection) {
  const Selected selected = select(selection);
  const auto collected = collect(from, selected);
  if (selected.arenas.empty()) return answer(*collected);
  for (Arena* arena : selected.arenas) want_snapshot(collected, *arena);
  watch_snapshots();
}

void Commands::tell(RequestId from, wire::Tell::Reader tell) {
  const std::string name = text_of(tell.getName());
  const std::string payload = text_of(tell.getPayload());
  if (const auto checked = check_signal(name, payload); !checked) return scope_.server.fail(from, checked.error());
  const Selected selected = select(tell.getSelection());
  const auto collected = collect(from, selected);
  if (selected.arenas.empty()) return answer(*collected);
  const size_t room = room_of_each_reply(selected.arenas.size());
  for (Arena* arena : selected.arenas) {
    const ArenaId id = arena->record().id;
    arena->tell_game(name, payload, [this, collected, id, arena_name = arena->record().name, room](Result<std::string> reply) {
      add_outcome(collected, {id, arena_name, reply_within(room, std::move(reply))});
    });
  }
}

void Commands::want_snapshot(const std::shared_ptr<Collected>& collected, Arena& arena) {
  WantedSnapshot wanted{collected, arena.record().id, arena.record().name, {}, arena.record().epoch, 0};
  const auto refuse = [&](const std::string& why) {
    add_outcome(collected, {wanted.arena, wanted.name, make_error(ErrorCode::refused, why)});
  };
  if (arena.is_on_probation()) return refuse("it is on probation: nothing of it is written down before that is over");
  if (arena.is_active()) {
    if (arena.state() != ArenaState::running || arena.lived() == nullptr) {
      return refuse(std::string("it is ") + to_string(arena.state()) + ": ask again when it runs");
    }
    const WorkerStatus& status = arena.lived()->status();
    wanted.frame = FrameNumber{status.frame_done.load()};
    wanted.failed_then = status.snapshots_failed.load();
    arena.ask_for_snapshot();
  } else if (arena.state() == ArenaState::lost) {
    return refuse("it is lost: nothing of it can be read");
  }
  wanted_snapshots_.push_back(std::move(wanted));
}

std::optional<Result<std::string>> Commands::outcome_of(const WantedSnapshot& wanted, const Arena* arena) const {
  if (arena == nullptr) return make_error(ErrorCode::unknown_arena, "no arena " + wanted.name);
  if (!scope_.server.is_connected(wanted.collected->from.connection)) {
    return make_error(ErrorCode::unreachable, "who has asked is gone");
  }
  const StoreHealth health = scope_.services.store.health();
  if (arena->is_active() ? arena->durable_frame() >= wanted.frame : arena->is_saved()) {
    return "frame " + std::to_string(arena->durable_frame().value) + " is in the database";
  }
  if (health.failing_since_ns) {
    return make_error(health.last_error.code, "the database takes nothing: " + health.last_error.text());
  }
  if (arena->is_on_probation()) {
    return make_error(ErrorCode::refused, "its code is being changed: nothing is written down before its probation is over");
  }
  const bool is_asked = arena->record().epoch == wanted.epoch && arena->lived() != nullptr;
  if (is_asked && arena->lived()->status().snapshots_failed.load() > wanted.failed_then) {
    return make_error(ErrorCode::failed, "its worker could not take a snapshot: arenad's log has the reason");
  }
  return std::nullopt;
}

void Commands::watch_snapshots() {
  bool is_one_ready = false;
  // An answer may lead to anything: nothing is kept of the list meanwhile.
  std::vector<WantedSnapshot> waiting = std::exchange(wanted_snapshots_, {});
  for (WantedSnapshot& wanted : waiting) {
    Arena* arena = scope_.roster.find(wanted.arena);
    if (auto outcome = outcome_of(wanted, arena)) {
      add_outcome(wanted.collected, {wanted.arena, wanted.name, std::move(*outcome)});
      continue;
    }
    const bool runs = arena->state() == ArenaState::running && arena->lived() != nullptr;
    if (runs && arena->record().epoch != wanted.epoch) {
      // The one that was asked has died. What its successor has is as new.
      wanted.epoch = arena->record().epoch;
      wanted.failed_then = arena->lived()->status().snapshots_failed.load();
      arena->ask_for_snapshot();
    }
    is_one_ready |= runs && arena->lived()->status().snapshot_frame.load() >= wanted.frame.value;
    wanted_snapshots_.push_back(std::move(wanted));
  }
  // Not before the next interval otherwise.
  if (is_one_ready) scope_.checkpointer.run();
}

void Commands::history(RequestId from, wire::HistoryQuery::Reader query) {
  constexpr uint64_t kDefault = 100;
  const uint64_t limit = query.getLimit() == 0 ? kDefault : std::min<uint64_t>(query.getLimit(), kCommandsKept);
  auto found = std::make_shared<Result<std::vector<CommandRecord>>>(std::vector<CommandRecord>{});
  scope_.services.store.submit_query([found, limit](Store& store) { *found = store.commands(limit); },
                                     [this, found, from](const Result<void>& ran) {
                                       if (!ran) return scope_.server.fail(from, ran.error());
                                       if (!*found) return scope_.server.fail(from, found->error());
                                       scope_.server.reply(from, [&](wire::Reply::Builder reply) {
                                         const auto& commands = found->value();
                                         auto to = reply.initHistory(static_cast<uint>(commands.size()));
                                         for (uint i = 0; i < to.size(); ++i) describe_command(commands[i], to[i]);
                                       });
                                     });
}

void Commands::shutdown(RequestId from) {
  if (shutting_down_) return scope_.server.fail(from, make_error(ErrorCode::refused, "arenad is shutting down already"));
  const auto active = std::ranges::count_if(scope_.roster.all(), [](const auto& entry) { return entry.second->is_active(); });
  scope_.server.reply(from, [&](wire::Reply::Builder reply) { reply.setShuttingDown(static_cast<uint32_t>(active)); });
  log_info("msg=\"an operator ends arenad\"");
  scope_.shut_down();
}

}  // namespace arenad
