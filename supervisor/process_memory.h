// What the kernel tells of the memory of arenad, its workers and its control group. Reads /proc and /sys, so not on the loop's thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>

namespace arenad {

struct MetricsFacts;

struct MemoryFacts {
  struct Self {
    uint64_t resident_bytes = 0;
    double cpu_seconds = 0;
    uint64_t open_files = 0;
    uint64_t max_open_files = 0;
  } self;
  std::map<pid_t, uint64_t> resident_bytes;  // of workers that were there
  struct Group {
    uint64_t bytes = 0;
    std::optional<uint64_t> limit_bytes;
  };
  std::optional<Group> group;  // nothing: this machine counts no memory for arenad's group
};
MemoryFacts read_memory(const MetricsFacts& facts);

// Adds to the processor time of the workers what they have taken since it was read last.
void read_cpu_times(MetricsFacts& facts);

// Of a process by /proc/PID/statm; 0 if there is none.
uint64_t resident_bytes_of(pid_t pid);

// The control group that is nearest to its limit, of the one whose counters lie in this folder and those above it; without any limit the
// first. top: where the file system begins. Nothing if the folder has no counters.
std::optional<MemoryFacts::Group> memory_group(std::string folder, const std::string& top);

}  // namespace arenad
