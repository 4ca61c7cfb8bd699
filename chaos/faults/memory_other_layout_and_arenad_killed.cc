// What an arenad of another version has left: memory whose layout this one does not know, or whose parts are not where they can
// be. To guess would be to make up a state.
#include <algorithm>
#include <csignal>
#include <exception>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/finding.h"
#include "chaos/faults/guest_arena.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/faults/worker_region.h"
#include "chaos/files.h"
#include "ipc/limits.h"

namespace arenad::chaos {
namespace {

constexpr const char* kOtherLayout = "memory.other_layout_and_arenad_killed";

void give_other_layout(const test::WorkerMemory& memory, uint64_t draw) {
  IncarnationIdentity identity = memory.identity();
  switch (draw % 5) {
    case 0:
      identity.layout_version -= 1;
      break;
    case 1:
      identity.layout_version += 1;
      break;
    case 2:
      identity.slots[1].bytes = identity.region_bytes - identity.slots[1].offset + kPageBytes;  // beyond the end
      break;
    case 3:
      identity.frame_log.bytes *= 2;  // as far as the end, or beyond
      identity.frame_log.offset = memory.identity().region_bytes - kPageBytes;
      break;
    default:
      identity.magic ^= uint64_t{1} << draw % 61;
      break;
  }
  memory.put(0, identity);
}

// It is written a moment after it happens.
Result<void> wait_for_line(Stage& stage, const std::string& arena, const std::string& part) {
  return wait_until(stage, "a line of arenad's log, \"" + part + "\"", [&] {
    const auto lines = lines_with(stage.rig().log(), part);
    return std::ranges::any_of(lines,
                               [&](const std::string& line) { return line.find("arena=" + arena) != std::string::npos; });
  });
}

Result<void> die_with_other_layout(Stage& stage, pid_t worker, uint64_t draw) {
  if (::kill(worker, SIGSTOP) != 0) return errno_error("cannot stop the worker");
  auto stopped = wait_until(stage, "that the worker stands still", [&] { return state_of(worker) == 'T' || !lives(worker); });
  Result<void> done = stopped;
  try {
    if (stopped) give_other_layout(test::WorkerMemory(worker), draw);
  } catch (const std::exception& error) {
    done = make_error(ErrorCode::failed, error.what());
  }
  if (done) done = signal_arenad(stage, SIGKILL);
  ::kill(worker, SIGKILL);
  return done;
}

// Empty: it was set back to its checkpoint, and arenad has said that and why.
std::string wrong_with_what_came(Stage& stage, GuestArena& guest, const sweep::ArenaStatus& before) {
  auto after = guest.wait_for("the next worker of the fault's own arena", [&](const sweep::ArenaStatus& status) {
    return status.state == "running" && status.epoch > before.epoch && status.frame >= before.durable_frame;
  });
  if (!after) return after.error().message;
  if (after->rung != "checkpoint") return "its next worker began at the rung \"" + after->rung + "\"";
  for (const char* part : {"the memory that was kept of its worker cannot be used", "set back to"}) {
    if (auto logged = wait_for_line(stage, guest.name(), part); !logged) return logged.error().message;
  }
  return "";
}

}  // namespace

Fault memory_other_layout_and_arenad_killed() {
  return {
      .name = kOtherLayout,
      .does =
          "The memory of another arena's worker becomes one of another layout or size, and that worker and arenad are killed",
      .holds = "the next arenad does not use it, says so, and begins that arena at its checkpoint; no match notices",
      .arenad = Ends::must,
      .alone = true,
      .missing = [](const Stage& stage) -> std::string {
        if (auto missing = without_ledger(stage); !missing.empty()) return missing;
        return cannot_write_memory(stage);
      },
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto guest = GuestArena::start(stage, {{"hz", "50"}});
        if (!guest) return guest.error();
        auto before = (*guest)->wait_for("its worker", [](const sweep::ArenaStatus& status) { return status.pid > 0; });
        if (!before) return before.error();
        if (auto died = die_with_other_layout(stage, before->pid, strike.draw); !died) return died;
        keep_finding(stage, kOtherLayout, strike, wrong_with_what_came(stage, **guest, *before));
        (void)(*guest)->stop();
        return {};
      },
      .check = kept_finding(kOtherLayout)};
}

}  // namespace arenad::chaos
