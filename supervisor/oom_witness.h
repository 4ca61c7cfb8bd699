// Whether a worker that was killed by SIGKILL was killed by the kernel for lack of memory. The kernel counts such kills for each control
// group (memory.events of cgroup v2, memory.oom_control of v1), before the victim dies; workers are in arenad's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace arenad {

class OomWitness {
 public:
  // Of arenad's own control group. Where there is no such counter, it knows of nothing.
  static OomWitness of_self();
  // path: a file with lines "name count".
  explicit OomWitness(std::string path);

  // A worker has died by a SIGKILL that arenad did not send. True if the kernel has ended a process since then that no earlier death
  // was put down to.
  bool accounts_for_a_death();
  [[nodiscard]] bool knows() const { return !path_.empty(); }

 private:
  [[nodiscard]] std::optional<uint64_t> count() const;
  std::string path_;  // empty: there is no counter
  uint64_t accounted_ = 0;
};

// Where the counter of a process's control group is. cgroups: the text of /proc/PID/cgroup (cgroups(7)); empty if it has none.
std::string oom_counter_path(const std::string& cgroups);

}  // namespace arenad
