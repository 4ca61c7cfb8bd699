// Looks at what the worker of an arena says about itself, through an attachment: always at the newest incarnation.
#pragma once

#include <optional>

#include "arenad/client.h"
#include "ipc/incarnation_layout.h"

namespace arenad::bench {

class WorkerProbe {
 public:
  // Must outlive the attachment's use; the attachment takes in new incarnations when it is used.
  explicit WorkerProbe(Attachment& attachment);
  WorkerProbe(const WorkerProbe&) = delete;
  WorkerProbe& operator=(const WorkerProbe&) = delete;

  [[nodiscard]] bool attached() const { return region_.has_value(); }
  // Only if attached.
  [[nodiscard]] const WorkerStatus& status() const;
  // When the last frame of the incarnation before this one began, monotonic; 0: there was none.
  [[nodiscard]] uint64_t last_frame_of_predecessor_ns() const;
  [[nodiscard]] pid_t pid() const;
  [[nodiscard]] Epoch epoch() const { return epoch_; }

 private:
  std::optional<RegionView> region_;
  std::optional<RegionView> predecessor_;
  Epoch epoch_;
};

}  // namespace arenad::bench
