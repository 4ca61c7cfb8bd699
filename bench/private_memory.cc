#include "bench/private_memory.h"

#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <unistd.h>
#include <vector>

#include "ipc/fd.h"

namespace arenad::bench {
namespace {

// "7f5c1c000000-7f5c1c021000 rw-p 00000000 00:00 0    /a/path"; the fields that follow it begin with their names and a colon.
bool begins_mapping(const std::string& line) {
  const size_t space = line.find(' ');
  return space != std::string::npos && line.find('-') < space && line[space - 1] != ':';
}

constexpr uint64_t kPageBytes = 4096;
constexpr uint64_t kPresent = uint64_t{1} << 63;
constexpr uint64_t kOfFile = uint64_t{1} << 61;
constexpr uint64_t kMappedOnce = uint64_t{1} << 56;

struct Mapping {
  uint64_t begin;
  uint64_t end;
};

// All but memory that is shared with others: what it has loaded, code and data.
std::vector<Mapping> private_mappings(pid_t pid) {
  std::vector<Mapping> mappings;
  std::ifstream maps("/proc/" + std::to_string(pid) + "/maps");
  for (std::string line; std::getline(maps, line);) {
    Mapping mapping{};
    std::string access(4, ' ');
    if (std::sscanf(line.c_str(), "%lx-%lx %4c", &mapping.begin, &mapping.end, access.data()) == 3 && access[3] == 'p') {
      mappings.push_back(mapping);
    }
  }
  return mappings;
}

Result<Fd> open_pagemap(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/pagemap";
  Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno_error("cannot read " + path);
  return file;
}

std::vector<uint64_t> pages_of(const Fd& pagemap, const Mapping& mapping) {
  std::vector<uint64_t> pages((mapping.end - mapping.begin) / kPageBytes);
  const ssize_t got = ::pread(pagemap.get(), pages.data(), pages.size() * sizeof(uint64_t),
                              static_cast<off_t>(mapping.begin / kPageBytes * sizeof(uint64_t)));
  pages.resize(got > 0 ? static_cast<size_t>(got) / sizeof(uint64_t) : 0);
  return pages;
}

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

pid_t parent_of(pid_t pid) {
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  pid_t parent = 0;
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("PPid:")) parent = static_cast<pid_t>(std::strtol(line.c_str() + 5, nullptr, 10));
  }
  return parent;
}

}  // namespace

pid_t template_of(pid_t worker) {
  const pid_t parent = parent_of(worker);
  const std::string command = first_line("/proc/" + std::to_string(worker) + "/cmdline");
  std::ifstream children("/proc/" + std::to_string(parent) + "/task/" + std::to_string(parent) + "/children");
  for (pid_t pid = 0; children >> pid;) {
    const std::string folder = "/proc/" + std::to_string(pid);
    if (first_line(folder + "/comm") == "template" && first_line(folder + "/cmdline") == command) return pid;
  }
  return 0;
}

Result<SharedPages> still_shared(pid_t template_pid, pid_t worker) {
  auto before = open_pagemap(template_pid);
  if (!before) return before.error();
  auto after = open_pagemap(worker);
  if (!after) return after.error();
  SharedPages pages;
  for (const Mapping& mapping : private_mappings(template_pid)) {
    const auto theirs = pages_of(*before, mapping);
    const auto ours = pages_of(*after, mapping);
    for (size_t i = 0; i < theirs.size() && i < ours.size(); ++i) {
      if ((theirs[i] & kPresent) == 0) continue;
      const bool is_there = (ours[i] & kPresent) != 0;
      if ((theirs[i] & kOfFile) != 0) {
        ++pages.of_files;
        // A worker that has not asked for it yet has no other one.
        if (!is_there || (ours[i] & kOfFile) != 0) ++pages.shared_of_files;
      } else {
        ++pages.anonymous;
        // One that the template has written since is mapped once in each.
        if (is_there && (ours[i] & kMappedOnce) == 0) ++pages.shared_anonymous;
      }
    }
  }
  if (pages.anonymous == 0) return make_error(ErrorCode::failed, "the pages of a template cannot be looked at");
  return pages;
}

Result<uint64_t> private_bytes(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/smaps";
  std::ifstream smaps(path);
  uint64_t kib = 0;
  bool counts = false;
  size_t mappings = 0;
  for (std::string line; std::getline(smaps, line);) {
    if (begins_mapping(line)) {
      counts = line.find("/memfd:arenad-") == std::string::npos;
      ++mappings;
    } else if (counts && (line.starts_with("Private_Clean:") || line.starts_with("Private_Dirty:"))) {
      kib += std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 10);
    }
  }
  if (mappings == 0) return make_error(ErrorCode::failed, "cannot read " + path);
  return kib * 1024;
}

}  // namespace arenad::bench
