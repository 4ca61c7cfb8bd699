#include "bench/worker_probe.h"

#include <fcntl.h>
#include <utility>

namespace arenad::bench {

WorkerProbe::WorkerProbe(Attachment& attachment) {
  attachment.on_incarnation([this](int region_fd, Epoch epoch) {
    auto region = RegionView::map(Fd(::fcntl(region_fd, F_DUPFD_CLOEXEC, 0)), kFirstPartOffset);
    if (!region) return;
    predecessor_ = std::exchange(region_, std::move(*region));
    epoch_ = epoch;
  });
}

const WorkerStatus& WorkerProbe::status() const {
  ARENAD_ASSERT(region_);
  return *reinterpret_cast<const WorkerStatus*>(region_->data() + kStatusOffset);
}

uint64_t WorkerProbe::last_frame_of_predecessor_ns() const {
  if (!predecessor_) return 0;
  return reinterpret_cast<const WorkerStatus*>(predecessor_->data() + kStatusOffset)->heartbeat_ns.load();
}

pid_t WorkerProbe::pid() const {
  ARENAD_ASSERT(region_);
  return static_cast<pid_t>(reinterpret_cast<const IncarnationIdentity*>(region_->data())->pid);
}

}  // namespace arenad::bench
