// What a process has of memory for itself alone.
#pragma once

#include <cstdint>
#include <sys/types.h>

#include "arenad/result.h"

namespace arenad::bench {

// The unique set size beyond Arenad's regions: Private_Clean and Private_Dirty of /proc/PID/smaps, without mappings of memfds that are
// called arenad-*.
Result<uint64_t> private_bytes(pid_t pid);

// The process that forked a worker: the child of the same parent that is called "template" and was begun by the same command; 0 if there is none.
pid_t template_of(pid_t worker);

// The pages that a template has in memory, of what is its own and not shared with others on purpose: files that it has loaded (code and constants), and what it
// has made; and how many of them a worker forked from it has not had to copy.
struct SharedPages {
  uint64_t of_files = 0;
  uint64_t shared_of_files = 0;
  uint64_t anonymous = 0;
  uint64_t shared_anonymous = 0;
};
// Source: Documentation/admin-guide/mm/pagemap.rst of Linux (bit 63: present, 61: of a file, 56: mapped once).
Result<SharedPages> still_shared(pid_t template_pid, pid_t worker);

}  // namespace arenad::bench
