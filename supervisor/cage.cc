#include "supervisor/cage.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include "ipc/landlock.h"

namespace arenad {

CageOptions cage_options(const GameConfig& game) {
  CageOptions options;
  options.mode = game.cage;
  options.memory_bytes = game.memory_mib << 20;
  options.network = game.network;
  options.threads = game.threads;
  options.core_dumps = game.core_dumps;
  options.readable = game.readable;
  options.writable = game.writable;
  options.system_calls = game.system_calls;
  return options;
}

std::optional<GroupLimits> group_limits(const GameConfig& game, uint64_t region_bytes) {
  // Stack, tables of pages, what the kernel holds for it, what it has printed, pages of others' shared memory that it touches first.
  constexpr uint64_t kBesideBytes = uint64_t{64} << 20;
  // Only those may have more than one that the configuration gives threads or system calls.
  constexpr uint64_t kMaxTasks = 256;
  if (game.cage == CageMode::off) return std::nullopt;
  GroupLimits limits{std::nullopt, kMaxTasks};
  if (game.memory_mib != 0) limits.memory_bytes = (game.memory_mib << 20) + region_bytes + kBesideBytes;
  return limits;
}

std::vector<std::string> cage_gaps() {
  std::vector<std::string> gaps;
  if (::prctl(PR_GET_SECCOMP) < 0) {
    gaps.emplace_back("the kernel has no seccomp: game code may make any system call that the user of arenad may");
  }
  const int abi = landlock_abi();
  if (abi == 0) {
    gaps.emplace_back(
        "Landlock is not there (it needs Linux 5.13, and to be in the list of /sys/kernel/security/lsm), or the service's "
        "filter "
        "of system calls denies it: game code can read every file that the user of arenad can");
  } else if (abi < kLandlockSignalAbi) {
    gaps.push_back("Landlock is of ABI " + std::to_string(abi) + ", and of " + std::to_string(kLandlockSignalAbi) +
                   " from Linux 6.12 on: signals of a module that is being loaded can reach workers of other games");
  }
  return gaps;
}

void close_own_memory() {
  rlimit core{};
  if (::getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur != 0) return;
  ::prctl(PR_SET_DUMPABLE, 0);
}

}  // namespace arenad
