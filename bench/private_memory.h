// What a process has of memory for itself alone.
#pragma once

#include <cstdint>
#include <sys/types.h>

#include "arenad/result.h"

namespace arenad::bench {

// The unique set size beyond Arenad's regions: Private_Clean and Private_Dirty of /proc/PID/smaps, without mappings of memfds that are
// called arenad-*.
Result<uint64_t> private_bytes(pid_t pid);

}  // namespace arenad::bench
