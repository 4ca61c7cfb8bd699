#include "worker/game_host.h"

#include <algorithm>
#include <cstdlib>

#include "ipc/clock.h"
#include "ipc/limits.h"
#include "worker/black_box.h"
#include "worker/log.h"

namespace arenad {

arenad_host GameHost::make_table(GameHost* self) {
  arenad_host table{};
  table.abi_version = ARENAD_ABI_VERSION;
  table.table_bytes = sizeof table;
  table.self = self;
  table.output_reserve = [](void* s, size_t word_count) -> void* {
    auto& host = *static_cast<GameHost*>(s);
    void* words = host.outputs_.reserve(word_count);
    if (words == nullptr) ++host.outputs_refused_;
    return words;
  };
  table.output_commit = [](void* s, uint64_t type, uint64_t audience, size_t word_count) {
    static_cast<GameHost*>(s)->outputs_.commit(type, audience, word_count);
  };
  table.result = [](void* s, uint32_t seat, uint64_t type, const void* words, size_t word_count) -> int {
    auto& host = *static_cast<GameHost*>(s);
    if (record_bytes(word_count) > limits::kMaxResultBytes || seat >= limits::kMaxSeats) return -1;
    void* space = host.system_.reserve(word_count);
    // Whether there is room now depends on the disk, so it must not reach the game: the frame waits.
    while (space == nullptr) {
      host.calls_.make_room();
      space = host.system_.reserve(word_count);
    }
    std::memcpy(space, words, word_count * 8);
    host.system_.commit(type, seat, word_count);
    return 0;
  };
  table.end = [](void* s) { static_cast<GameHost*>(s)->ended_ = true; };
  table.log = [](void* s, arenad_log_level level, const char* text, size_t bytes) {
    const auto& host = *static_cast<GameHost*>(s);
    log_line(level, host.arena_name_, host.frame_.number, {text, bytes});
  };
  table.kick = [](void* s, uint32_t seat, const char* reason, size_t bytes) -> int {
    if (seat >= limits::kMaxSeats) return -1;
    const std::string_view text(reason, std::min(bytes, limits::kMaxKickReasonBytes));
    return static_cast<GameHost*>(s)->calls_.kick(static_cast<Seat>(seat), text) ? 0 : -1;
  };
  table.reply = [](void* s, const char* text, size_t bytes) -> int {
    if (bytes > ARENAD_MAX_REPLY_BYTES) return -1;
    static_cast<GameHost*>(s)->reply_.assign(text, bytes);
    return 0;
  };
  table.garbage_put_off = [](void* s) { static_cast<GameHost*>(s)->calls_.garbage_put_off(); };
  return table;
}

GameHost::GameHost(const arenad_game& game, std::string arena_name, OutboxWriter& outputs, OutboxWriter& system, Calls calls)
    : game_(game),
      arena_name_(std::move(arena_name)),
      outputs_(outputs),
      system_(system),
      calls_(std::move(calls)),
      table_(make_table(this)),
      options_(game.defaults),
      object_(game.create(&table_, &frame_)) {}

GameHost::~GameHost() {
  game_.destroy(object_);
}

GameHost::GameError GameHost::last_error() const {
  const char* text = game_.last_error != nullptr ? game_.last_error(object_) : nullptr;
  if (text == nullptr || *text == '\0') return {"no reason given", {}};
  const std::string_view whole(text);
  const size_t end = std::min(whole.find('\n'), whole.size());
  return {std::string(whole.substr(0, end)), std::string(whole.substr(std::min(end + 1, whole.size())))};
}

// Of a game that refuses there is no report: its log is where the traceback is looked for.
std::string GameHost::reason_of_refusal() const {
  const GameError error = last_error();
  if (!error.traceback.empty()) log_line(ARENAD_LOG_ERROR, arena_name_, frame_.number, error.text());
  return error.reason;
}

Result<void> GameHost::init(ArenaId arena, const ParamList& params) {
  frame_ = {0, (arena.high >> 16) * kMillisecond, arena.low ^ arena.high, 0};
  std::vector<arenad_param> list;
  list.reserve(params.size());
  for (const auto& [key, value] : params) list.push_back({key.c_str(), value.c_str()});
  if (game_.init(object_, list.data(), list.size(), &options_) != ARENAD_OK) {
    return make_error(ErrorCode::invalid, std::string(game_.name) + " refuses to start: " + reason_of_refusal());
  }
  if (options_.tick_hz > limits::kMaxTickHz || options_.max_players > limits::kMaxSeats) {
    return make_error(ErrorCode::invalid, std::string(game_.name) + " asks for more ticks or players than there can be");
  }
  return {};
}

Result<void> GameHost::restore(const Snapshot& snapshot, Epoch epoch) {
  const SnapshotFacts& facts = snapshot.facts();
  frame_ = {facts.frame.value, facts.time_unix_ns, 0, facts.tick_hz == 0 ? 0 : kSecond / facts.tick_hz};
  options_ = {facts.tick_hz, facts.max_players};
  ended_ = facts.ended;
  const bool differs = facts.game_version != game_.version || facts.schema_hash != game_.schema_hash;
  const bool is_of_another = game_.migrate != nullptr && differs;
  const arenad_verdict verdict = is_of_another ? game_.migrate(object_, facts.game_version.c_str(), facts.schema_hash,
                                                               snapshot.state(), snapshot.state_words(), epoch.value)
                                               : game_.restore(object_, snapshot.state(), snapshot.state_words(), epoch.value);
  if (verdict != ARENAD_OK) {
    return make_error(ErrorCode::failed, std::string(game_.name) + " refuses the state of frame " +
                                             std::to_string(facts.frame.value) + ": " + reason_of_refusal());
  }
  return {};
}

void GameHost::must_succeed(arenad_verdict verdict, const char* callback) {
  if (verdict == ARENAD_OK) return;
  GameError error = last_error();
  error.reason = std::string(callback) + " failed: " + error.reason;
  note_reason(error.reason);
  note_traceback(error.traceback);
  log_line(ARENAD_LOG_ERROR, arena_name_, frame_.number, error.text());
  std::abort();
}

void GameHost::begin_frame(const FrameRecord& frame) {
  frame_ = {frame.frame, frame.time_unix_ns, frame.seed, options_.tick_hz == 0 ? 0 : kSecond / options_.tick_hz};
}

std::optional<std::string> GameHost::join(Seat slot, std::string_view player) {
  if (slot >= limits::kMaxSeats) return std::nullopt;
  if (game_.join_attempt != nullptr) {
    const arenad_verdict verdict = game_.join_attempt(object_, slot, player.data(), player.size());
    if (verdict == ARENAD_REFUSED) return reason_of_refusal();
    must_succeed(verdict, "on_join_attempt");
  }
  if (game_.join != nullptr) must_succeed(game_.join(object_, slot, player.data(), player.size()), "on_join");
  return std::nullopt;
}

void GameHost::leave(Seat slot, uint64_t reason) {
  if (slot >= limits::kMaxSeats || game_.leave == nullptr) return;
  must_succeed(game_.leave(object_, slot, static_cast<uint32_t>(reason)), "on_leave");
}

void GameHost::drain(uint64_t deadline_unix_ns) {
  if (game_.drain != nullptr) must_succeed(game_.drain(object_, deadline_unix_ns), "on_drain");
}

arenad_verdict GameHost::event(const arenad_event& event) {
  if (game_.event == nullptr) return ARENAD_UNKNOWN;
  const arenad_verdict verdict = game_.event(object_, &event);
  if (verdict == ARENAD_BLAMED) note_blame();
  if (verdict == ARENAD_REFUSED || verdict == ARENAD_FAILED || verdict == ARENAD_BLAMED) must_succeed(verdict, "on_event");
  return verdict;
}

Result<std::string> GameHost::signal(std::string_view name, std::string_view payload) {
  reply_.clear();
  const arenad_verdict verdict = game_.signal == nullptr
                                     ? ARENAD_UNKNOWN
                                     : game_.signal(object_, name.data(), name.size(), payload.data(), payload.size());
  if (verdict == ARENAD_UNKNOWN) return make_error(ErrorCode::refused, "the game knows no signal " + std::string(name));
  if (verdict == ARENAD_REFUSED) {
    return make_error(ErrorCode::refused, reason_of_refusal().substr(0, limits::kMaxRefusalBytes));
  }
  must_succeed(verdict, "on_signal");
  return std::move(reply_);
}

void GameHost::tick() {
  must_succeed(game_.tick(object_), "on_tick");
}

void GameHost::idle(uint64_t ns_left) {
  if (game_.idle != nullptr) game_.idle(object_, ns_left);
}

void GameHost::diverged(FrameNumber frame) {
  if (game_.diverged != nullptr) game_.diverged(object_, frame.value);
}

std::string GameHost::why_not_saved() const {
  const char* text = game_.last_error != nullptr ? game_.last_error(object_) : nullptr;
  return text == nullptr ? std::string() : text;
}

size_t GameHost::checkpoint(std::span<std::byte> space) {
  return game_.checkpoint(object_, space.data(), space.size() / 8);
}

}  // namespace arenad
