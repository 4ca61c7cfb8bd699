#include "chaos/faults/sick_disk.h"

#include <memory>

#include "chaos/faults/patience.h"
#include "chaos/files.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kFrameWhenWell = "frame when the disk became well";

// What it had come to when that was first asked is in the database.
bool has_come_up(Stage& stage, size_t arena) {
  const auto status = stage.rig().status(stage.arenas()[arena].id);
  if (!status) return false;
  auto& prop = stage.prop(kFrameWhenWell, arena);
  if (!prop) prop = std::make_shared<uint64_t>(status->frame);
  return status->durable_frame >= *std::static_pointer_cast<uint64_t>(prop);
}

}  // namespace

std::string cannot_order_disk(const Stage& stage) {
  return stage.disk() == nullptr ? "arenad's disk does not obey: it is built with sanitizers" : "";
}

Result<void> wait_for_obedient_disk(Stage& stage, const Strike&) {
  return wait_until(stage, "an arenad whose disk obeys", [&] {
    const pid_t arenad = stage.rig().arenad();
    return arenad > 0 && !lines_with("/proc/" + std::to_string(arenad) + "/maps", "faulty_vfs").empty();
  });
}

std::function<Result<void>(Stage&, const Strike&)> disk_falls_ill(test::Fault illness) {
  return [illness](Stage& stage, const Strike&) -> Result<void> {
    stage.disk()->arm(illness);
    return {};
  };
}

Result<void> disk_becomes_well(Stage& stage, const Strike& strike) {
  if (stage.disk() != nullptr) stage.disk()->heal();
  stage.prop(kFrameWhenWell, strike.arena).reset();
  return {};
}

bool is_made_up_for(Stage& stage, const Strike& strike) {
  if (!has_come_up(stage, strike.arena)) return false;
  stage.prop(kFrameWhenWell, strike.arena).reset();
  return true;
}

bool is_made_up_for_everywhere(Stage& stage) {
  for (size_t arena = 0; arena < stage.arenas().size(); ++arena) {
    if (!has_come_up(stage, arena)) return false;
  }
  for (size_t arena = 0; arena < stage.arenas().size(); ++arena) stage.prop(kFrameWhenWell, arena).reset();
  return true;
}

bool disk_was_asked(const Stage& stage, const Strike&) {
  return stage.disk()->fired() != 0;
}

}  // namespace arenad::chaos
