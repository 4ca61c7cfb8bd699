// Written through /proc/PID/mem while the worker is stopped, as only a fault of the memory could.
#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/worker_region.h"
#include "chaos/stage.h"
#include "ipc/incarnation_layout.h"
#include "state/snapshot_layout.h"

namespace arenad::chaos {
namespace {

std::string folder_of(pid_t pid) {
  return "/proc/" + std::to_string(pid);
}

bool is_stopped(pid_t pid) {
  std::ifstream file(folder_of(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const size_t end = line.rfind(')');
  return end != std::string::npos && end + 2 < line.size() && line[end + 2] == 'T';
}

bool is_stopped_soon(pid_t pid) {
  for (int i = 0; i < 1000; ++i) {
    if (is_stopped(pid)) return true;
    ::usleep(1000);
  }
  return false;
}

// Of the whole region, as its writer has it: not one of its rings, and not a predecessor's, which is mapped for reading.
uint64_t address_of_region(pid_t worker) {
  std::ifstream maps(folder_of(worker) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    std::istringstream words(line);
    std::string range;
    std::string rights;
    uint64_t offset = 0;
    words >> range >> rights >> std::hex >> offset;
    const bool is_it = line.find("memfd:arenad-incarnation") != std::string::npos && rights == "rw-s" && offset == 0;
    if (is_it) return std::stoull(range, nullptr, 16);
  }
  return 0;
}

struct Memory {
  Fd file;
  uint64_t base;

  template <class T>
  [[nodiscard]] T get(uint64_t offset) const {
    T value{};
    (void)!::pread(file.get(), &value, sizeof value, static_cast<off_t>(base + offset));
    return value;
  }
  Result<void> flip(uint64_t offset, uint64_t bit) const {
    const auto byte = static_cast<uint8_t>(get<uint8_t>(offset) ^ 1u << bit);
    if (::pwrite(file.get(), &byte, 1, static_cast<off_t>(base + offset)) == 1) return {};
    return errno_error("cannot write into the worker's memory");
  }
};

// One bit of the state, which lies at the snapshot's end.
Result<void> damage_newest(const Memory& memory, uint64_t draw) {
  const auto identity = memory.get<IncarnationIdentity>(0);
  const auto published = [&](int slot) { return memory.get<uint64_t>(identity.slots[slot].offset); };
  const int newest = published(1) > published(0) ? 1 : 0;
  if (published(newest) == 0) return make_error(ErrorCode::refused, "it has no snapshot at the moment");
  const uint64_t at = identity.slots[newest].offset + sizeof(SlotHeader);
  const auto header = memory.get<SnapshotHeader>(at);
  const uint64_t state_bytes = header.state_words * 8;
  if (state_bytes == 0) return make_error(ErrorCode::refused, "its snapshot has no state");
  return memory.flip(at + header.total_bytes - state_bytes + draw % state_bytes, draw / state_bytes % 8);
}

Result<void> inject(Stage& stage, const Strike& strike) {
  if (auto stopped = signal_worker(stage, strike.arena, SIGSTOP); !stopped) return stopped;
  const pid_t worker = stage.arenas()[strike.arena].worker;
  Result<void> done = make_error(ErrorCode::refused, "the worker does not stop");
  if (is_stopped_soon(worker)) {
    const Memory memory{Fd(::open((folder_of(worker) + "/mem").c_str(), O_RDWR | O_CLOEXEC)), address_of_region(worker)};
    done = memory.file && memory.base != 0 ? damage_newest(memory, strike.draw)
                                           : make_error(ErrorCode::refused, "its memory cannot be written from outside");
  }
  // Whether or not: a stopped worker would be ended for hanging, which is another fault.
  if (auto killed = signal_worker(stage, strike.arena, done ? SIGKILL : SIGCONT); !killed) return killed;
  return done;
}

}  // namespace

Fault newest_snapshot_damaged() {
  return {.name = "memory.newest_snapshot_damaged",
          .does = "a bit of the state in the newest snapshot is flipped, and the worker is killed",
          .holds = "the next worker notices, and goes on from the older snapshot, or the checkpoint, and the log",
          .worker = Ends::must,
          .told = "KILL",
          .stops_workers = true,
          .missing = cannot_write_memory,
          .inject = inject};
}

}  // namespace arenad::chaos
