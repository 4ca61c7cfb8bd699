// What the kernel's control groups look like, as text: where a group lies in each hierarchy, which files bound it, what its counters tell.
// Pure: the system calls are in arena_groups.cc. Sources: cgroups(7); the kernel's admin-guide/cgroup-v2 and cgroup-v1/memory.
//
// Version 2 has one tree for all controllers, and a group whose controllers are passed on holds no processes itself; version 1 has a tree for
// each. A machine may have both, each controller being in one of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace arenad {

enum class GroupVersion { v1, v2 };

// One tree of groups, as it is mounted.
struct GroupHierarchy {
  GroupVersion version = GroupVersion::v2;
  bool has_memory = false;  // of version 2 the group's own cgroup.controllers tells
  bool has_pids = false;
  std::string mount;      // where
  std::string top = "/";  // which group that is
  std::string own;        // the group of the process that was asked about

  // The folder of a group by its path in the hierarchy; empty if it is outside of what is mounted.
  [[nodiscard]] std::string folder(std::string_view group) const;
};

// Those that can hold memory or processes: trees of version 1 with these controllers, and the one of version 2.
// cgroups, mountinfo: the texts of /proc/PID/cgroup and /proc/PID/mountinfo.
std::vector<GroupHierarchy> group_hierarchies(std::string_view cgroups, std::string_view mountinfo);

// The group for arenad itself, below the one that it was given: beside those of its workers, because of version 2.
inline constexpr std::string_view kOwnGroup = "supervisor";
// The group of a unit's commands after its main process, such as ExecStopPost=: systemd makes it if groups are delegated.
inline constexpr std::string_view kCommandsGroup = ".control";
// A group without one of these at its end: the one that was given.
std::string given_group(std::string_view group);

// The name of a worker's group, below the one that arenad was given.
std::string worker_group_name(pid_t pid);
std::optional<pid_t> parse_worker_group_name(std::string_view name);

struct GroupLimits {
  std::optional<uint64_t> memory_bytes;
  uint64_t tasks = 0;  // processes and threads
  bool operator==(const GroupLimits&) const = default;
};

enum class WhenMissing { is_an_error, is_no_matter };
struct GroupSetting {
  std::string file;
  std::string value;
  WhenMissing when_missing = WhenMissing::is_an_error;
};
// What is to be written, in this order, into a group of this hierarchy.
std::vector<GroupSetting> group_settings(const GroupHierarchy& hierarchy, const GroupLimits& limits);

// The files that tell whether the kernel has killed for lack of memory in a group, and whether that was for the group's own limit.
struct OomFiles {
  std::string killed;    // has a line "oom_kill COUNT"
  std::string at_limit;  // version 1: a number alone; version 2: has a line "oom COUNT"
};
OomFiles oom_files(GroupVersion version);
enum class GroupOom { none, elsewhere, at_own_limit };
GroupOom group_oom(GroupVersion version, std::string_view killed, std::string_view at_limit);

// The processes of a group: the text of its cgroup.procs.
std::vector<pid_t> parse_processes(std::string_view text);
// cgroup.controllers of version 2.
bool has_word(std::string_view text, std::string_view word);

}  // namespace arenad
