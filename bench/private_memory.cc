#include "bench/private_memory.h"

#include <cstdlib>
#include <fstream>
#include <string>

namespace arenad::bench {
namespace {

// "7f5c1c000000-7f5c1c021000 rw-p 00000000 00:00 0    /a/path"; the fields that follow it begin with their names and a colon.
bool begins_mapping(const std::string& line) {
  const size_t space = line.find(' ');
  return space != std::string::npos && line.find('-') < space && line[space - 1] != ':';
}

}  // namespace

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
