#include "ipc/crash_point.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "ipc/fd.h"

namespace arenad {
namespace {

CrashTableLayout* map_table(int fd) {
  void* memory = ::mmap(nullptr, sizeof(CrashTableLayout), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  return memory == MAP_FAILED ? nullptr : static_cast<CrashTableLayout*>(memory);
}

void set(CrashTrap& trap, size_t point, uint64_t n, CrashAction action, uint64_t argument = 0, pid_t only_pid = 0) {
  trap.armed = 0;
  trap.action = static_cast<uint32_t>(action);
  trap.at_hit = n;
  trap.hits = 0;
  trap.fired = 0;
  trap.fired_pid = 0;
  trap.argument = argument;
  trap.only_pid = static_cast<uint32_t>(only_pid);
  trap.armed = static_cast<uint32_t>(point + 1);
}

}  // namespace

Result<CrashPointTable> CrashPointTable::create(const std::filesystem::path& path) {
  const Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!fd || ::ftruncate(fd.get(), sizeof(CrashTableLayout)) != 0) return errno_error("cannot make " + path.string());
  CrashTableLayout* table = map_table(fd.get());
  if (table == nullptr) return errno_error("cannot map " + path.string());
  table->point_count = kCrashPoints.size();
  table->magic = kCrashTableMagic;
  return CrashPointTable(table);
}

CrashPointTable::CrashPointTable(CrashPointTable&& other) noexcept : table_(std::exchange(other.table_, nullptr)) {}

CrashPointTable::~CrashPointTable() {
  if (table_ != nullptr) ::munmap(table_, sizeof *table_);
}

void CrashPointTable::arm(size_t point, uint64_t n, CrashAction action) {
  disarm();
  set(table_->traps[0], point, n, action);
}

void CrashPointTable::arm_second(size_t point, uint64_t n, CrashAction action) {
  set(table_->traps[1], point, n, action);
}

void CrashPointTable::disarm() {
  for (CrashTrap& trap : table_->traps) trap.armed = 0;
}

bool CrashPointTable::may_arm_in(pid_t pid) const {
  const CrashTrap& trap = table_->own_traps[static_cast<size_t>(pid) % kOwnTraps];
  return trap.armed == 0 || trap.fired != 0 || ::kill(static_cast<pid_t>(trap.only_pid.load()), 0) != 0;
}

bool CrashPointTable::arm_in(pid_t pid, size_t point, uint64_t n, CrashAction action, uint64_t argument) {
  if (!may_arm_in(pid)) return false;
  set(table_->own_traps[static_cast<size_t>(pid) % kOwnTraps], point, n, action, argument, pid);
  return true;
}

void CrashPointTable::disarm_in(pid_t pid) {
  CrashTrap& trap = table_->own_traps[static_cast<size_t>(pid) % kOwnTraps];
  if (trap.only_pid == static_cast<uint32_t>(pid)) trap.armed = 0;
}

bool CrashPointTable::fired_in(pid_t pid) const {
  const CrashTrap& trap = table_->own_traps[static_cast<size_t>(pid) % kOwnTraps];
  return trap.only_pid == static_cast<uint32_t>(pid) && trap.fired != 0;
}

#ifdef ARENAD_CRASH_POINTS
namespace crash {
namespace {

// Whatever is wrong with the file, the program runs as if there were none: who arms a point sees that it is not reached.
CrashTableLayout* table_of_environment() {
  const char* path = ::getenv(kCrashPointsVariable);
  if (path == nullptr) return nullptr;
  const Fd fd(::open(path, O_RDWR | O_CLOEXEC));
  struct stat file {};
  if (!fd || ::fstat(fd.get(), &file) != 0 || static_cast<size_t>(file.st_size) != sizeof(CrashTableLayout)) return nullptr;
  CrashTableLayout* mapped = map_table(fd.get());
  if (mapped == nullptr) return nullptr;
  return mapped->magic == kCrashTableMagic && mapped->point_count == kCrashPoints.size() ? mapped : nullptr;
}

// Whether this hit is the one.
bool springs(CrashTrap& trap, size_t point) {
  if (trap.armed != point + 1 || ++trap.hits != trap.at_hit) return false;
  trap.fired_pid = static_cast<uint32_t>(::getpid());
  ++trap.fired;
  return true;
}

void act_as(const CrashTrap& trap) {
  carry_out(static_cast<CrashAction>(trap.action.load()), trap.argument);
}

}  // namespace

CrashTableLayout* const table = table_of_environment();

void reach(size_t point) {
  ++table->hits[point];
  const pid_t pid = ::getpid();
  CrashTrap& own = table->own_traps[static_cast<size_t>(pid) % kOwnTraps];
  if (own.armed != 0 && own.only_pid == static_cast<uint32_t>(pid) && springs(own, point)) act_as(own);
  // The hit that springs the first trap is not one of the second's.
  if (table->traps[0].fired == 0) {
    if (springs(table->traps[0], point)) act_as(table->traps[0]);
  } else if (springs(table->traps[1], point)) {
    act_as(table->traps[1]);
  }
}

}  // namespace crash
#endif

}  // namespace arenad
