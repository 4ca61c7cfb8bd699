#include "worker/module.h"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstring>
#include <dlfcn.h>

#include "ipc/limits.h"

namespace arenad {
namespace {

// What the first modules of this ABI version had; whatever was added since may be missing.
constexpr size_t kFirstTableBytes = offsetof(arenad_game, migrate);

bool valid_name(const char* name) {
  if (name == nullptr || *name == '\0' || std::strlen(name) > 31) return false;
  for (const char* c = name; *c != '\0'; ++c) {
    if (std::isalnum(static_cast<unsigned char>(*c)) == 0 && *c != '-' && *c != '_') return false;
  }
  return true;
}

// What is wrong with a table of the right ABI version; nullptr if nothing is.
const char* fault_of(const arenad_game& game) {
  if (game.table_bytes < kFirstTableBytes) return "its table is shorter than this ABI version's";
  if (!valid_name(game.name)) return "its name must be 1 to 31 letters, digits, '-' and '_'";
  if (game.version == nullptr || std::strlen(game.version) > 31) return "its version must be at most 31 characters";
  if (game.create == nullptr || game.destroy == nullptr || game.init == nullptr || game.restore == nullptr ||
      game.tick == nullptr || game.checkpoint == nullptr) {
    return "one of create, destroy, init, restore, tick, checkpoint is missing";
  }
  if (game.max_state_bytes == 0 || game.max_state_bytes > limits::kMaxStateBytes) return "max_state_bytes is out of bounds";
  if (game.max_frame_output_bytes > limits::kMaxStateBytes) return "max_frame_output_bytes is out of bounds";
  if (game.defaults.tick_hz > limits::kMaxTickHz) return "tick_hz is out of bounds";
  if (game.defaults.max_players > limits::kMaxSeats) return "max_players is out of bounds";
  return nullptr;
}

// dlopen() looks for a name without a slash where the system's libraries are, and nowhere else.
std::string as_path(const std::string& file) {
  return file.find('/') == std::string::npos ? "./" + file : file;
}

}  // namespace

Module::Module(const arenad_game& game) {
  auto whole = std::make_shared<arenad_game>();
  std::memcpy(whole.get(), &game, std::min<size_t>(game.table_bytes, sizeof(arenad_game)));
  game_ = std::move(whole);
}

Result<Module> Module::load(const std::string& path) {
  void* handle = ::dlopen(as_path(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) return make_error(ErrorCode::invalid, std::string("cannot load the game module: ") + ::dlerror());
  auto entry = reinterpret_cast<arenad_game_module_fn>(::dlsym(handle, ARENAD_ENTRY_SYMBOL));
  if (entry == nullptr) {
    return make_error(ErrorCode::invalid, path + " is not a game module: it does not export " ARENAD_ENTRY_SYMBOL);
  }
  const arenad_game* game = entry(ARENAD_ABI_VERSION);
  if (game == nullptr) {
    auto why = reinterpret_cast<arenad_game_module_error_fn>(::dlsym(handle, ARENAD_ERROR_SYMBOL));
    const char* text = why != nullptr ? why() : nullptr;
    if (text != nullptr && *text != '\0') return make_error(ErrorCode::invalid, path + ": " + text);
  }
  if (game == nullptr || game->abi_version != ARENAD_ABI_VERSION) {
    const std::string theirs = game == nullptr ? "another one" : std::to_string(game->abi_version);
    return make_error(ErrorCode::invalid, path + " was made for ABI version " + theirs + ", this arena-worker has " +
                                              std::to_string(ARENAD_ABI_VERSION) + ": build it again with this Arenad");
  }
  if (const char* fault = fault_of(*game); fault != nullptr) return make_error(ErrorCode::invalid, path + ": " + fault);
  return Module(*game);
}

}  // namespace arenad
