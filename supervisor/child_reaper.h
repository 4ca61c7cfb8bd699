// Reaps children that nobody watches any more: they were killed when their owner let go of them, and end a little later.
#pragma once

#include <vector>

#include "ipc/fd.h"
#include "ipc/process.h"

namespace arenad {

class ChildReaper {
 public:
  void adopt(Fd pidfd) { orphans_.push_back(std::move(pidfd)); }
  // After SIGCHLD.
  void sweep() {
    std::erase_if(orphans_, [](const Fd& pidfd) { return reap(pidfd).has_value(); });
  }

 private:
  std::vector<Fd> orphans_;
};

}  // namespace arenad
