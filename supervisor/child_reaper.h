// Reaps children that nobody watches: those that were killed when their owner let go of them and end a little later, and strangers,
// workers whose template died before it could tell that it had forked them.
#pragma once

#include <map>
#include <set>

#include "ipc/fd.h"
#include "ipc/process.h"

namespace arenad {

class ChildReaper {
 public:
  // Someone reaps this child, until it is released or adopted.
  void watched(pid_t pid) { watched_.insert(pid); }
  [[nodiscard]] bool is_watched(pid_t pid) const { return watched_.contains(pid); }
  [[nodiscard]] const std::set<pid_t>& all_watched() const { return watched_; }
  void released(pid_t pid) { watched_.erase(pid); }
  void adopt(pid_t pid, Fd pidfd) {
    watched_.erase(pid);
    orphans_[pid] = std::move(pidfd);
  }
  // Until all have ended, there may be children that nobody has heard of.
  void expect_strangers() {
    strangers_ = true;
    sweep();
  }
  // After SIGCHLD.
  void sweep() {
    std::erase_if(orphans_, [](const auto& orphan) { return reap(orphan.second).has_value(); });
    if (!strangers_) return;
    strangers_ = false;
    for (const pid_t pid : children_of_self()) {
      if (watched_.contains(pid) || orphans_.contains(pid)) continue;
      strangers_ = true;
      reap(pid);
    }
  }

 private:
  std::map<pid_t, Fd> orphans_;
  std::set<pid_t> watched_;
  bool strangers_ = false;
};

}  // namespace arenad
