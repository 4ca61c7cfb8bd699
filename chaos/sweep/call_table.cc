#include "chaos/sweep/call_table.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "ipc/fd.h"

namespace arenad::sweep {
namespace {

void set(CallTrapLayout& to, const CallTrap& trap) {
  to.armed = 0;
  to.error = trap.way.error;
  to.lasting = static_cast<uint32_t>(trap.way.lasting);
  to.fired_pid = 0;
  to.at_hit = trap.hit;
  to.hits = 0;
  to.fired = 0;
  to.first_fired_ns = 0;
  to.armed = static_cast<uint32_t>(count_index(trap.role, trap.call) + 1);
}

}  // namespace

Result<CallTable> CallTable::create(const std::filesystem::path& path) {
  const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd || ::ftruncate(fd.get(), sizeof(CallTableLayout)) != 0) return errno_error("cannot make " + path.string());
  void* memory = ::mmap(nullptr, sizeof(CallTableLayout), PROT_READ | PROT_WRITE, MAP_SHARED, fd.get(), 0);
  if (memory == MAP_FAILED) return errno_error("cannot map " + path.string());
  auto* table = static_cast<CallTableLayout*>(memory);
  table->call_count = kIoCalls.size();
  table->magic = kCallTableMagic;
  return CallTable(table);
}

CallTable::CallTable(CallTable&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}

CallTable::~CallTable() {
  if (table_ != nullptr) ::munmap(table_, sizeof *table_);
}

void CallTable::arm(const CallTrap& trap) {
  disarm();
  table_->traps[1].fired = 0;
  set(table_->traps[0], trap);
}

void CallTable::arm_second(const CallTrap& trap) {
  set(table_->traps[1], trap);
}

void CallTable::disarm() {
  for (CallTrapLayout& trap : table_->traps) trap.armed = 0;
}

}  // namespace arenad::sweep
