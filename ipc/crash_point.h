// Crash points: places in the programs where a test can have a process die, by name. ARENAD_CRASH_POINT("frame.recorded"); stands
// between two steps after whose first and before whose second a death must lose nothing.
//
// Compiled in only where CMake's option ARENAD_CRASH_POINTS is on. Nothing is armed unless the environment variable ARENAD_CRASH_POINTS
// names a file: it is a table of counters and traps that all processes of a run map, because the variable is inherited by whatever they
// start. Whoever made the file (CrashPointTable::create) arms a trap: at the n-th hit of a point, counted over all processes together from
// the arming on, the process that makes this hit does what the trap says. A trap goes off once: it records that before it acts, and hits
// count on, so the successor of a process that died there passes. A second trap can wait for the first: its count begins when the first
// has gone off.
//
// The one global of Arenad: crash points lie at any depth, in code that knows nothing of each other, and only in test builds.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <filesystem>

#include "arenad/result.h"
#include "ipc/crash_action.h"
#include "ipc/crash_points.h"

namespace arenad {

constexpr const char* kCrashPointsVariable = "ARENAD_CRASH_POINTS";
constexpr uint64_t kCrashTableMagic = 0x3154505241524141;  // "AARARPT1"

// Written by whoever arms it while `armed` is 0, then by the processes that hit the point.
struct CrashTrap {
  std::atomic<uint32_t> armed;  // index of the point + 1; 0: not armed
  std::atomic<uint32_t> action;
  std::atomic<uint64_t> at_hit;  // 1: the first
  std::atomic<uint64_t> hits;    // since it was armed, or since the trap before it went off
  std::atomic<uint32_t> fired;   // how often: 0 or 1
  std::atomic<uint32_t> fired_pid;
  std::atomic<uint64_t> argument;  // of the action
  std::atomic<uint32_t> only_pid;  // 0: whichever process
  uint32_t reserved;
};
static_assert(sizeof(CrashTrap) == 48);

// A process's own trap lies at its pid modulo this.
constexpr size_t kOwnTraps = 256;

// The file.
struct CrashTableLayout {
  uint64_t magic;
  uint64_t point_count;
  std::array<CrashTrap, 2> traps;  // the second counts from when the first has gone off
  std::array<CrashTrap, kOwnTraps> own_traps;
  std::array<std::atomic<uint64_t>, kCrashPoints.size()> hits;
};

// A run's end of it.
class CrashPointTable {
 public:
  static Result<CrashPointTable> create(const std::filesystem::path& path);
  CrashPointTable(CrashPointTable&& other) noexcept;
  CrashPointTable& operator=(CrashPointTable&&) = delete;
  ~CrashPointTable();

  // n: from 1 on. Forgets what was armed before.
  void arm(size_t point, uint64_t n, CrashAction action = CrashAction::kill);
  // One more, after arm().
  void arm_second(size_t point, uint64_t n, CrashAction action = CrashAction::kill);
  void disarm();

  // The trap of one process, which may act and live on. False: its place is taken, by one that has not gone off and whose process lives.
  bool arm_in(pid_t pid, size_t point, uint64_t n, CrashAction action, uint64_t argument = 0);
  // Whether there is room for it.
  [[nodiscard]] bool may_arm_in(pid_t pid) const;
  void disarm_in(pid_t pid);
  [[nodiscard]] bool fired_in(pid_t pid) const;

  [[nodiscard]] bool fired(size_t trap = 0) const { return table_->traps[trap].fired.load() != 0; }
  [[nodiscard]] pid_t fired_pid(size_t trap = 0) const { return static_cast<pid_t>(table_->traps[trap].fired_pid.load()); }
  // Of all processes, since the file was made.
  [[nodiscard]] uint64_t hits(size_t point) const { return table_->hits[point].load(); }

 private:
  explicit CrashPointTable(CrashTableLayout* table) : table_(table) {}
  CrashTableLayout* table_;
};

#ifdef ARENAD_CRASH_POINTS
namespace crash {
// nullptr: nothing can be armed.
extern CrashTableLayout* const table;
void reach(size_t point);
}  // namespace crash
#define ARENAD_CRASH_POINT(name)                                                                \
  do {                                                                                          \
    if (::arenad::crash::table != nullptr) ::arenad::crash::reach(::arenad::crash_point(name)); \
  } while (false)
#else
#define ARENAD_CRASH_POINT(name) static_cast<void>(::arenad::crash_point(name))
#endif

}  // namespace arenad
