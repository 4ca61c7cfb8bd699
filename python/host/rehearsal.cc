#include "python/host/rehearsal.h"

#include <array>
#include <cstdio>
#include <link.h>
#include <memory>
#include <string_view>
#include <sys/mman.h>
#include <vector>

#include "python/host/game_box.h"
#include "python/typed/encode.h"
#include "python/typed/value.h"

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22  // Linux 5.14; an older one says EINVAL, and pages come one by one
#endif

namespace arenad::python {
namespace {

constexpr int kFrames = 30;
constexpr size_t kOutputWords = size_t{64} * 1024;

// Code is shared with all who run it, but is not there in a new process before it is asked for.
int populate_code(dl_phdr_info* info, size_t, void*) {
  const std::string_view path = info->dlpi_name != nullptr ? info->dlpi_name : "";
  if (path.find("libpython") == std::string_view::npos && !path.ends_with(".so")) return 0;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type != PT_LOAD || (header.p_flags & PF_X) == 0) continue;
    constexpr uintptr_t kPage = 4096;
    const uintptr_t begin = (info->dlpi_addr + header.p_vaddr) & ~(kPage - 1);
    const uintptr_t end = (info->dlpi_addr + header.p_vaddr + header.p_memsz + kPage - 1) & ~(kPage - 1);
    auto* const address = reinterpret_cast<void*>(begin);  // NOLINT(performance-no-int-to-ptr): as the loader tells it
    ::madvise(address, end - begin, MADV_POPULATE_READ);
  }
  return 0;
}

// Takes outputs, and forgets them.
arenad_host make_host(std::vector<uint64_t>& space) {
  arenad_host host{};
  host.abi_version = ARENAD_ABI_VERSION;
  host.table_bytes = sizeof host;
  host.self = &space;
  host.output_reserve = [](void* self, size_t words) -> void* {
    auto& room = *static_cast<std::vector<uint64_t>*>(self);
    return words <= room.size() ? room.data() : nullptr;
  };
  host.output_commit = [](void*, uint64_t, uint64_t, size_t) {};
  host.result = [](void*, uint32_t, uint64_t, const void*, size_t) { return 0; };
  host.end = [](void*) {};
  host.log = [](void*, arenad_log_level, const char*, size_t) {};
  host.kick = [](void*, uint32_t, const char*, size_t) { return -1; };
  host.reply = [](void*, const char*, size_t) { return 0; };
  host.garbage_put_off = [](void*) {};
  return host;
}

// False: something was refused that never is.
bool play(GameBox& box, arenad_frame& frame, const GameClass& game) {
  std::vector<uint64_t> state(kOutputWords);
  arenad_arena_options options = game.defaults;
  if (box.init({}, options) != ARENAD_OK) return false;
  for (int i = 0; i < kFrames; ++i) {
    ++frame.number;
    if (box.join(0, "player") != ARENAD_OK) return false;
    for (const auto& [id, type] : game.events) {
      PyObject* event = typed::new_value(*type);
      if (event == nullptr) {
        PyErr_Clear();
        return false;
      }
      const auto words = typed::encode(typed::as_value(event));
      const std::vector<uint64_t> message(words.begin(), words.end());
      Py_DECREF(event);
      if (box.event({id, frame.number, message.data(), message.size(), 0}) != ARENAD_OK) return false;
    }
    if (box.tick() != ARENAD_OK) return false;
    box.idle(1'000'000);
    const size_t used = box.checkpoint(state);
    if (used == 0 || box.restore({state.data(), used}) != ARENAD_OK) return false;
    std::fill_n(state.begin(), used, 0);
  }
  return true;
}

}  // namespace

void rehearse(const GameClass& game) {
  ::dl_iterate_phdr(populate_code, nullptr);
  std::vector<uint64_t> space(kOutputWords);
  const arenad_host host = make_host(space);
  arenad_frame frame{};
  GameClass stand_in;
  try {
    stand_in.type = py::module_::import("arenad.rehearsal").attr("stand_in")(game.type);
  } catch (const py::error_already_set&) {
    return;  // the real one will tell
  }
  stand_in.state = game.state;
  stand_in.events = game.events;
  stand_in.defaults = game.defaults;
  GameBox box(stand_in, host, frame);
  if (play(box, frame, stand_in)) return;
  // Nothing is lost but time, and a mistake in here would be found by nobody.
  std::fprintf(stderr, "the rehearsal of this game's types has failed: %s\n", box.error());
}

}  // namespace arenad::python
