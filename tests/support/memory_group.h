// A control group of a test's own with a limit of memory. Needs the right to make one; where there is none, limited() gives nothing.
#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace arenad::test {

class MemoryGroup {
 public:
  static std::optional<MemoryGroup> limited(uint64_t bytes) {
    namespace fs = std::filesystem;
    const std::string name = "arenad-test-" + std::to_string(::getpid());
    struct Kind {
      fs::path root;
      const char* limit;
    };
    for (const Kind& kind : {Kind{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}, Kind{"/sys/fs/cgroup", "memory.max"}}) {
      const fs::path path = kind.root / name;
      if (!fs::exists(kind.root / "cgroup.procs") || ::mkdir(path.c_str(), 0755) != 0) continue;
      MemoryGroup group(path);
      std::ofstream limit(path / kind.limit);
      limit << bytes << std::flush;
      if (limit) return group;
    }
    return std::nullopt;
  }
  MemoryGroup(MemoryGroup&& other) noexcept : path_(std::move(other.path_)) { other.path_.clear(); }
  MemoryGroup& operator=(MemoryGroup&&) = delete;
  ~MemoryGroup() {
    if (!path_.empty()) ::rmdir(path_.c_str());
  }

  // A command that runs the rest of its arguments in the group.
  [[nodiscard]] std::vector<std::string> prefix() const {
    return {"/bin/sh", "-c", "echo $$ > " + (path_ / "cgroup.procs").string() + " && exec \"$@\"", "sh"};
  }

 private:
  explicit MemoryGroup(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

}  // namespace arenad::test
