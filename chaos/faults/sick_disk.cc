#include "chaos/faults/sick_disk.h"

#include <memory>

#include "chaos/faults/patience.h"
#include "chaos/files.h"
#include "chaos/stage.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr const char* kFrameWhenWell = "frame when the disk became well";

}  // namespace

std::string cannot_order_disk(const Stage& stage) {
  return stage.disk() == nullptr ? "arenad's disk does not obey: it is built with sanitizers" : "";
}

Result<void> wait_for_obedient_disk(Stage& stage, const Strike&) {
  const uint64_t deadline_ns = monotonic_ns() + kFaultPatienceNs;
  do {
    const pid_t arenad = stage.rig().arenad();
    if (arenad > 0 && !lines_with("/proc/" + std::to_string(arenad) + "/maps", "faulty_vfs").empty()) return {};
    stage.turn();
  } while (monotonic_ns() < deadline_ns);
  return make_error(ErrorCode::refused, "this arenad's disk does not obey");
}

std::function<Result<void>(Stage&, const Strike&)> disk_falls_ill(test::Fault illness) {
  return [illness](Stage& stage, const Strike&) -> Result<void> {
    stage.disk()->arm(illness);
    return {};
  };
}

Result<void> disk_becomes_well(Stage& stage, const Strike& strike) {
  stage.disk()->heal();
  stage.prop(kFrameWhenWell, strike.arena).reset();
  return {};
}

bool is_made_up_for(Stage& stage, const Strike& strike) {
  const auto status = stage.rig().status(stage.arenas()[strike.arena].id);
  if (!status) return false;
  auto& prop = stage.prop(kFrameWhenWell, strike.arena);
  if (!prop) prop = std::make_shared<uint64_t>(status->frame);
  return status->durable_frame >= *std::static_pointer_cast<uint64_t>(prop);
}

Result<void> disk_was_asked(Stage& stage, const Strike&) {
  if (stage.disk()->fired() == 0) return make_error(ErrorCode::failed, "arenad has not used the disk while it was ill");
  return {};
}

}  // namespace arenad::chaos
