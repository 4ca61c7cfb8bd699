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

void set(CrashTrap& trap, size_t point, uint64_t n, CrashAction action) {
  trap.action = static_cast<uint32_t>(action);
  trap.at_hit = n;
  trap.hits = 0;
  trap.fired = 0;
  trap.fired_pid = 0;
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

void act(CrashAction action) {
  switch (action) {
    case CrashAction::kill:
      ::kill(::getpid(), SIGKILL);
      return;
    case CrashAction::abort:
      std::abort();
    case CrashAction::segv:
      ::raise(SIGSEGV);
      return;
    case CrashAction::stop:
      ::kill(::getpid(), SIGSTOP);
      return;
    case CrashAction::exit:
      ::_exit(0);
  }
}

// Whether this hit is the one.
bool springs(CrashTrap& trap, size_t point) {
  if (trap.armed != point + 1 || ++trap.hits != trap.at_hit) return false;
  trap.fired_pid = static_cast<uint32_t>(::getpid());
  ++trap.fired;
  return true;
}

}  // namespace

CrashTableLayout* const table = table_of_environment();

void reach(size_t point) {
  ++table->hits[point];
  // The hit that springs the first trap is not one of the second's.
  if (table->traps[0].fired == 0) {
    if (springs(table->traps[0], point)) act(static_cast<CrashAction>(table->traps[0].action.load()));
  } else if (springs(table->traps[1], point)) {
    act(static_cast<CrashAction>(table->traps[1].action.load()));
  }
}

}  // namespace crash
#endif

}  // namespace arenad
