// A game that is written in a language of its own, as far as a report can tell: it keeps the stack of its "script" itself and tells it by the
// module's `stack`. Does on request what takes long and what goes wrong. Plays no game at all.
#include <array>
#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

#include "arenad/game.h"
#include "misbehaviour.h"
#include "tests/games/echo.capnp.h"

namespace arenad::scripted {
namespace {

// Only grows and shrinks at its end, so that a handler finds it whole at every instruction.
struct ShadowStack {
  std::array<const char*, 16> calls{};
  std::atomic<size_t> depth = 0;
  std::atomic<bool> in_native = false;
};
ShadowStack shadow;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

class Call {
 public:
  explicit Call(const char* where) {
    shadow.calls.at(shadow.depth) = where;
    ++shadow.depth;
  }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;
  ~Call() { --shadow.depth; }
};

class NativeCall {
 public:
  NativeCall() { shadow.in_native = true; }
  NativeCall(const NativeCall&) = delete;
  NativeCall& operator=(const NativeCall&) = delete;
  ~NativeCall() { shadow.in_native = false; }
};

size_t append(char* text, size_t bytes, size_t at, const char* line) {
  for (const char* c = line; *c != '\0' && at < bytes; ++c) text[at++] = *c;
  if (at < bytes) text[at++] = '\n';
  return at;
}

size_t write_stack(char* text, size_t bytes) {
  size_t at = 0;
  if (shadow.in_native) at = append(text, bytes, at, "native code, holds the interpreter's lock");
  for (size_t i = shadow.depth; i-- > 0;) at = append(text, bytes, at, shadow.calls.at(i));
  return at;
}

}  // namespace
}  // namespace arenad::scripted

// An error of the language is no exception that ends the worker: the host of a language catches it, and tells of it.
namespace arenad::scripted {
namespace {
const arenad_game* of_library = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
std::string raised;                       // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

arenad_verdict event_of_script(void* game, const arenad_event* event) {
  try {
    return of_library->event(game, event);
  } catch (const std::runtime_error& error) {
    raised = error.what();
    return ARENAD_FAILED;
  }
}

const char* error_of_script(void* game) {
  return raised.empty() ? of_library->last_error(game) : raised.c_str();
}
}  // namespace
}  // namespace arenad::scripted

// Names that a stack is read for: what an interpreter's loop is called, and what it has called.
extern "C" {
volatile uint64_t scripted_went_on = 0;

[[gnu::noinline]] void scripted_crunch(const arenad::echo::Misbehaviour* misbehaviour) {
  arenad::echo::misbehave(*misbehaviour);
  scripted_went_on = scripted_went_on + 1;
}
[[gnu::noinline]] void _PyEval_EvalFrameDefault(
    const arenad::echo::Misbehaviour* misbehaviour) {  // NOLINT(bugprone-reserved-identifier)
  const arenad::scripted::NativeCall native;
  scripted_crunch(misbehaviour);
  scripted_went_on = scripted_went_on + 1;
}
}

namespace arenad::scripted {

class ScriptedGame {
 public:
  using State = echo::State;
  using Events = arenad::Events<echo::Say, echo::Misbehave>;
  static constexpr GameInfo info{.name = "scripted",
                                 .version = "1.0",
                                 .tick_hz = 0,
                                 .max_players = 8,
                                 .max_state_bytes = 4096,
                                 .max_frame_output_bytes = 64 * 1024};

  void on_init(Context&, const Params&, arenad_arena_options&) {}

  void on_event(Context& ctx, Seat seat, echo::Say::Reader say) {
    ++applied_;
    ctx.send<echo::Echo>(Audience::seat(seat), [&](echo::Echo::Builder to) {
      to.setSeat(seat);
      to.setNumber(say.getNumber());
      to.setFrame(ctx.frame().value);
    });
  }

  // "fail": an error of the language. "native, HOW": in a function that is none of it.
  void on_event(Context&, Seat, echo::Misbehave::Reader wanted) {
    const Call handler("on_misbehave (scripts/battle.script:12)");
    std::string how = wanted.getHow();
    const bool in_native = how.starts_with("native, ");
    if (in_native) how.erase(0, std::strlen("native, "));
    const echo::Misbehaviour misbehaviour{how, wanted.getWhileFile(),
                                          wanted.getOnce() ? echo::Misbehaviour::File::goes : echo::Misbehaviour::File::stays,
                                          wanted.getMs()};
    const Call inner("aim (scripts/turret.script:31)");
    if (how == "fail") {
      throw std::runtime_error(
          "DivisionByZero: nothing to aim at (scripts/turret.script:31, in aim)\n"
          "aim (scripts/turret.script:31)\n"
          "on_misbehave (scripts/battle.script:12)\n");
    }
    if (in_native) {
      _PyEval_EvalFrameDefault(&misbehaviour);
    } else {
      misbehave(misbehaviour);
    }
  }

  void on_tick(Context&) { ++frames_; }

  void on_checkpoint(State::Builder state) const {
    state.setFrames(frames_);
    state.setApplied(applied_);
  }
  void on_restore(Context&, State::Reader state) {
    frames_ = state.getFrames();
    applied_ = state.getApplied();
  }

 private:
  uint64_t frames_ = 0;
  uint64_t applied_ = 0;
};

}  // namespace arenad::scripted

extern "C" __attribute__((visibility("default"))) const arenad_game* arenad_game_module(uint32_t host_abi) {
  if (host_abi != ARENAD_ABI_VERSION) return nullptr;
  static const arenad_game table = [] {
    arenad::scripted::of_library = arenad::game_table<arenad::scripted::ScriptedGame>();
    arenad_game of_game = *arenad::scripted::of_library;
    of_game.event = arenad::scripted::event_of_script;
    of_game.last_error = arenad::scripted::error_of_script;
    of_game.stack = arenad::scripted::write_stack;
    return of_game;
  }();
  return &table;
}
