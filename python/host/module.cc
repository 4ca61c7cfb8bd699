// The game module: a shared object as any other to arenad and its workers, that has Python in it and a game behind it.
//
//     arenad_game_module   starts the interpreter, imports the game, tells what it is
//     warm_up              in the template: what was loaded becomes the pages that all arenas share
//     create               in a worker: Python is told of the fork
//     the rest             game_box.h
#include <csignal>
#include <exception>
#include <memory>
#include <optional>

#include "arenad/module_abi.h"
#include "python/host/game_box.h"
#include "python/host/game_class.h"
#include "python/host/interpreter.h"
#include "python/host/rehearsal.h"
#include "python/host/script_stack.h"

namespace arenad::python {
namespace {

// The package's name is written into the archive by who packs it (python/arenad/pack.py).
constexpr const char* kNameModule = "arenad_packed";

struct Loaded {
  GameClass game;
  arenad_game table{};
};

std::optional<Loaded>& loaded() {
  static auto* module = new std::optional<Loaded>;  // never destroyed: Python's objects would outlive Python
  return *module;
}

std::string& load_error() {
  static std::string text;
  return text;
}

std::span<const uint64_t> as_words(const void* words, size_t count) {
  return {static_cast<const uint64_t*>(words), count};
}

GameBox& box(void* game) {
  return *static_cast<GameBox*>(game);
}

arenad_game make_table(const GameClass& game) {
  arenad_game t{};
  t.abi_version = ARENAD_ABI_VERSION;
  t.table_bytes = sizeof t;
  t.name = game.name.c_str();
  t.version = game.version.c_str();
  t.state_type = game.state->id;
  t.schema_hash = game.schema_hash;
  t.defaults = game.defaults;
  t.max_state_bytes = game.max_state_bytes;
  t.max_frame_output_bytes = game.max_frame_output_bytes;
  t.warm_up = [] { py::module_::import("arenad.host").attr("warm_up")(loaded()->game.type); };
  t.prepare = [] {
    after_fork();
    prepare_script_stack();
    rehearse(loaded()->game);
  };
  t.create = [](const arenad_host* host, const arenad_frame* frame) -> void* {
    after_fork();  // at the desk nobody has prepared anything
    prepare_script_stack();
    return new GameBox(loaded()->game, *host, *frame);
  };
  t.destroy = [](void*) {};  // the process ends with its arena, and so does all that is in it
  t.init = [](void* g, const arenad_param* params, size_t count, arenad_arena_options* options) {
    return box(g).init({params, count}, *options);
  };
  t.restore = [](void* g, const void* words, size_t count, uint64_t) { return box(g).restore(as_words(words, count)); };
  if (game.migrates) {
    t.migrate = [](void* g, const char* old_version, uint64_t, const void* words, size_t count, uint64_t) {
      return box(g).migrate(old_version, as_words(words, count));
    };
  }
  t.join = [](void* g, uint32_t seat, const char* player, size_t bytes) { return box(g).join(seat, {player, bytes}); };
  t.leave = [](void* g, uint32_t seat, uint32_t reason) { return box(g).leave(seat, reason); };
  t.event = [](void* g, const arenad_event* event) { return box(g).event(*event); };
  t.tick = [](void* g) { return box(g).tick(); };
  t.join_attempt = [](void* g, uint32_t seat, const char* player, size_t bytes) {
    return box(g).join_attempt(seat, {player, bytes});
  };
  t.signal = [](void* g, const char* name, size_t name_bytes, const char* payload, size_t payload_bytes) {
    return box(g).signal({name, name_bytes}, {payload, payload_bytes});
  };
  t.drain = [](void* g, uint64_t deadline_unix_ns) { return box(g).drain(deadline_unix_ns); };
  t.checkpoint = [](void* g, void* words, size_t capacity) {
    return box(g).checkpoint({static_cast<uint64_t*>(words), capacity});
  };
  t.last_error = [](void* g) { return box(g).error(); };
  t.schema = [](size_t* bytes) -> const void* {
    *bytes = loaded()->game.schema.asBytes().size();
    return loaded()->game.schema.begin();
  };
  t.idle = [](void* g, uint64_t ns_left) { box(g).idle(ns_left); };
  t.stack = script_stack;
  t.diverged = [](void* g, uint64_t frame) { box(g).diverged(frame); };
  return t;
}

void load() {
  start_interpreter(own_file());
  const auto package = py::cast<std::string>(py::module_::import(kNameModule).attr("PACKAGE"));
  register_host_handle();
  loaded().emplace(Loaded{load_game(package)});
  loaded()->table = make_table(loaded()->game);
  // Whoever imports Python's module signal makes an exception of it; in a worker it is what it is everywhere.
  std::signal(SIGINT, SIG_DFL);
}

}  // namespace
}  // namespace arenad::python

extern "C" __attribute__((visibility("default"))) const arenad_game* arenad_game_module(uint32_t host_abi) {
  using namespace arenad::python;
  if (host_abi != ARENAD_ABI_VERSION) return nullptr;
  try {
    if (!loaded()) load();
    return &loaded()->table;
  } catch (const py::error_already_set& e) {
    load_error() = "the game cannot be loaded: " + text_of(e);
  } catch (const std::exception& e) {
    load_error() = e.what();
  }
  return nullptr;
}

extern "C" __attribute__((visibility("default"))) const char* arenad_game_module_error() {
  return arenad::python::load_error().c_str();
}
