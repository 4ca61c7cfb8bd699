#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chaos/sweep/call_table.h"

namespace arenad::sweep {
namespace {

constexpr uint64_t kLastingNs = kLastingMs * 1'000'000;

bool springs(CallTrapLayout& trap, const Caller& caller, size_t index) {
  if (trap.armed != index + 1) return false;
  const uint64_t hit = ++trap.hits;
  if (hit < trap.at_hit) return false;
  if (hit == trap.at_hit) {
    trap.first_fired_ns = caller.now_ns;
    return true;
  }
  return trap.lasting == static_cast<uint32_t>(Lasting::for_a_while) && caller.now_ns < trap.first_fired_ns + kLastingNs;
}

CallFate sprung(CallTrapLayout& trap, const Caller& caller) {
  const int error = trap.error;
  trap.fired_pid = caller.pid;
  ++trap.fired;
  if (error == 0) return {CallFate::What::killed, 0};
  return {CallFate::What::fails, error};
}

}  // namespace

CallFate next_call(CallTableLayout& table, const Caller& caller, size_t call) {
  const size_t index = count_index(caller.role, call);
  ++table.counts[index];
  // The call that springs the first is not one of the second's.
  const bool has_fired = table.traps[0].fired != 0;
  if (springs(table.traps[0], caller, index)) return sprung(table.traps[0], caller);
  if (has_fired && springs(table.traps[1], caller, index)) return sprung(table.traps[1], caller);
  return {};
}

CallTableLayout* map_call_table(const char* path) {
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  struct stat file {};
  const bool is_whole = ::fstat(fd, &file) == 0 && static_cast<size_t>(file.st_size) == sizeof(CallTableLayout);
  void* memory = is_whole ? ::mmap(nullptr, sizeof(CallTableLayout), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  ::close(fd);
  if (memory == MAP_FAILED) return nullptr;
  auto* table = static_cast<CallTableLayout*>(memory);
  return table->magic == kCallTableMagic && table->call_count == kIoCalls.size() ? table : nullptr;
}

}  // namespace arenad::sweep
