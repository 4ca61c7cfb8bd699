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
  [[nodiscard]] pid_t pid() const;
  [[nodiscard]] Epoch epoch() const { return epoch_; }

 private:
  std::optional<RegionView> region_;
  Epoch epoch_;
};

}  // namespace arenad::bench
