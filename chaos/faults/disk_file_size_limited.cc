#include <sys/resource.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/stage.h"

namespace {

arenad::Result<void> limit_files(arenad::chaos::Stage& stage, rlim_t bytes) {
  const pid_t arenad = stage.rig().arenad();
  if (arenad == 0) return arenad::make_error(arenad::ErrorCode::refused, "there is no arenad at the moment");
  rlimit limits{};
  if (::prlimit(arenad, RLIMIT_FSIZE, nullptr, &limits) != 0) return arenad::errno_error("cannot read arenad's limits");
  limits.rlim_cur = std::min(bytes, limits.rlim_max);
  if (::prlimit(arenad, RLIMIT_FSIZE, &limits, nullptr) != 0) return arenad::errno_error("cannot set arenad's limits");
  return {};
}

}  // namespace

namespace arenad::chaos {

Fault disk_file_size_limited() {
  return {.name = "disk.file_size_limited",
          .does = "arenad may not make any file longer, for a while",
          .holds = "the arenas play on, and when it may again nothing is missing",
          .uses = "disk",
          // It can start no worker meanwhile either, and may say so instead of how the last one ended.
          .alone = true,
          .missing = [](const Stage& stage) -> std::string {
            rlimit limits{};
            const pid_t arenad = stage.rig().arenad();
            if (arenad == 0 || ::prlimit(arenad, RLIMIT_FSIZE, nullptr, &limits) == 0) return "";
            return "the limits of arenad cannot be changed from here";
          },
          .inject = [](Stage& stage, const Strike&) { return limit_files(stage, 1024); },
          .heal = [](Stage& stage, const Strike&) -> Result<void> {
            // An arenad that was started meanwhile has none.
            (void)limit_files(stage, RLIM_INFINITY);
            return {};
          },
          .heal_after_ms = 500,
          .plays_on = 20,
          .settled = is_made_up_for};
}

}  // namespace arenad::chaos
