// Landlock (landlock(7)), by raw system calls: the C library has none, and the headers of the build machine may be older than the kernel
// that it runs on. What a kernel does not know is left out; landlock_abi() tells how much there is.
//
//   ABI  adds                                         kernel
//     1  rights to files and folders                  5.13
//     2  renaming into other folders                  5.19
//     3  truncation                                   6.2
//     4  TCP                                          6.7
//     5  ioctl of devices                             6.10
//     6  signals and abstract sockets across domains  6.12
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad {

constexpr int kLandlockSignalAbi = 6;
constexpr int kLandlockNewestAbi = 6;  // that is known here

// 0: the kernel has none, or this process may not use it.
int landlock_abi();

enum class PathAccess { read, write };  // write: also making, renaming and removing

struct LandlockRule {
  std::string path;  // what is not there is left out
  PathAccess access = PathAccess::read;
};

enum class LandlockNetwork { denied, allowed };

// What a process may still do that enters it: reach these paths, and processes that are in it too.
Result<Fd> make_landlock_domain(std::span<const LandlockRule> rules, LandlockNetwork network);
// One in which nothing but the reach of signals and abstract sockets is restricted; an empty descriptor where the kernel cannot.
Result<Fd> make_landlock_signal_domain();
// The calling process enters it for good. It must have given up new privileges.
Result<void> enter_landlock_domain(const Fd& domain);

}  // namespace arenad
