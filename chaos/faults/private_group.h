// A control group of a run's own, in which processes are bounded for a while. It takes root, or a group that was given to this user.
#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>
#include <vector>

#include "arenad/result.h"

namespace arenad::chaos {

class PrivateGroup {
 public:
  // controller: "memory" or "pids". Beside the processes of this one.
  static Result<PrivateGroup> make(const std::string& controller);
  PrivateGroup(PrivateGroup&& other) noexcept;
  PrivateGroup& operator=(PrivateGroup&&) = delete;
  // Its processes go back to where this one is.
  ~PrivateGroup();

  Result<void> take(pid_t process);
  // Of memory: bytes. Of pids: processes and threads. What is there already stays.
  Result<void> limit(uint64_t most);
  // How often the kernel has refused something for the limit, or ended a process.
  [[nodiscard]] uint64_t times_at_limit() const;

 private:
  enum class Version { v1, v2 };
  PrivateGroup(std::filesystem::path home, std::filesystem::path path, std::string controller, Version version)
      : home_(std::move(home)), path_(std::move(path)), controller_(std::move(controller)), version_(version) {}
  std::filesystem::path home_;  // the group of this process
  std::filesystem::path path_;
  std::string controller_;
  Version version_;
};

// What is missing to make one; empty: nothing is.
std::string without_groups(const std::string& controller);

// These, and all processes that descend from them.
std::vector<pid_t> with_descendants(std::vector<pid_t> processes);

}  // namespace arenad::chaos
