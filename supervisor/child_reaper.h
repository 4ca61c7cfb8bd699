// Reaps children that nobody watches: those that were killed when their owner let go of them and end a little later, and strangers,
// workers whose template died before it could tell that it had forked them. Ends those that a module leaves behind while it is loaded: all that
// a template can fork are children of arenad (worker/system_call_filter.cc), in the session whose leader the template is.
#pragma once

#include <csignal>
#include <map>
#include <set>
#include <unistd.h>

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
  // It may have ended already, and its SIGCHLD come and gone while it was watched.
  void adopt(pid_t pid, Fd pidfd) {
    watched_.erase(pid);
    if (!reap(pidfd)) orphans_[pid] = std::move(pidfd);
  }
  // Until all have ended, there may be children that nobody has heard of.
  void expect_strangers() {
    strangers_ = true;
    sweep();
  }
  // Of a template that has not been asked for a worker yet. Gives how many children were in its session beside itself: they are ended, and
  // with every sweep those that they have made meanwhile.
  size_t end_strangers_of(pid_t leader) {
    size_t found = 0;
    for (const pid_t pid : children_of_self()) {
      if (pid == leader || watched_.contains(pid) || orphans_.contains(pid) || ::getsid(pid) != leader) continue;
      auto pidfd = open_pidfd(pid);
      if (!pidfd) continue;
      send_signal(*pidfd, SIGKILL);
      adopt(pid, std::move(*pidfd));
      ++found;
    }
    if (found != 0) leaders_.insert(leader);
    return found;
  }
  // After SIGCHLD.
  void sweep() {
    for (auto leader = leaders_.begin(); leader != leaders_.end();) {
      const bool is_over = end_strangers_of(*leader) == 0 && !watched_.contains(*leader) && !orphans_.contains(*leader);
      leader = is_over ? leaders_.erase(leader) : std::next(leader);
    }
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
  std::set<pid_t> leaders_;  // of sessions in which there were strangers
  bool strangers_ = false;
};

}  // namespace arenad
