// A control group for each worker, with a limit of memory and of tasks, below the one that arenad was given (docs/the-cage.md). What the
// groups look like is control_group.h's.
//
//   made: when a worker is ready, mostly long before it is needed       removed: when its ChildProcess is gone, with whatever it has left
//
// The name of a group is its worker's pid, so that nothing has to be written down: the next arenad finds the groups of living workers, and
// those of which the worker is dead are removed by it. Moving a process waits for the kernel, ten milliseconds or, where many processes are
// looked at, seconds; so all that is done in a thread of its own, and nobody waits for it: a worker that is needed at once is in no group for a
// moment. Only the counters of one that has died are read on the loop.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "ipc/fd.h"
#include "supervisor/control_group.h"

namespace arenad {

// What a unit does when its main process has ended: systemd begins the next one in the unit's group, which the kernel refuses while the group
// passes controllers on to those of workers that live. They are taken back, so workers are unbounded until the next arenad has adopted them.
// Does nothing where no groups of version 2 with memory or pids are delegated.
Result<void> release_groups();

class ArenaGroups {
 public:
  // setting: groups of [cage]. Where arenad may have none, all calls do nothing.
  explicit ArenaGroups(const std::string& setting);
  ArenaGroups(const ArenaGroups&) = delete;
  ArenaGroups& operator=(const ArenaGroups&) = delete;
  // Waits a moment for groups to be removed.
  ~ArenaGroups();

  // What is not bounded, and why: for the log.
  [[nodiscard]] const std::vector<std::string>& gaps() const { return gaps_; }

  // The worker comes into a group of its own. One that is there already, of an earlier arenad, is bounded anew.
  void enclose(pid_t pid, const Fd& pidfd, const GroupLimits& limits);
  // The process has ended, or is being killed. Whatever is left in its group ends, and the group is removed.
  void let_go(pid_t pid);
  // Of all other groups, left by an earlier arenad: those whose worker does not live any more are removed, and each as soon as that is so.
  void keep_only(const std::set<pid_t>& pids);

  // Of a worker that has died, before it is let go. Nothing if it was in no group that counts.
  [[nodiscard]] std::optional<GroupOom> oom_of(pid_t pid) const;

  // The group that arenad was given, in one hierarchy.
  struct Tree {
    GroupHierarchy hierarchy;
    std::string folder;
  };

 private:
  struct Worker;
  std::vector<Tree> trees_;
  std::vector<std::string> gaps_;
  std::shared_ptr<Worker>
      worker_;  // its thread may be in a system call that does not return when this ends; nullptr: no groups
};

}  // namespace arenad
