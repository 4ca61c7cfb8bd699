#include "chaos/faults/traps.h"

#include <algorithm>

#include "chaos/faults/patience.h"
#include "chaos/faults/processes.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

// In every frame, with events or without. None lies where an event would be to blame.
const std::vector<std::string_view> kFramePoints{"frame.decided",    "frame.recorded", "frame.tick.before",
                                                 "frame.tick.after", "frame.done",     "frame.outputs_published",
                                                 "frame.end"};
constexpr uint64_t kFramesUntil = 3;
// There is room for one.
constexpr const char* kTrap = "trap";

size_t index_of(std::string_view point) {
  return static_cast<size_t>(std::ranges::find(kCrashPoints, point) - kCrashPoints.begin());
}

}  // namespace

std::string without_crash_points(const Stage& stage) {
  const bool has = stage.rig().points().hits(crash_point("template.loaded")) != 0;
  return has ? "" : "programs with crash points (CMake's option ARENAD_CRASH_POINTS)";
}

std::string without_cage(const Stage& stage) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return "a cage that denies all that is not allowed: programs without sanitizers";
#else
  return without_crash_points(stage);
#endif
}

std::string_view drawn_from(const std::vector<std::string_view>& points, const Strike& strike) {
  return points[strike.draw % points.size()];
}

Result<void> wait_for_trap(Stage& stage, const Strike& strike) {
  const Stage::Arena& arena = stage.arenas()[strike.arena];
  return wait_until(stage, "a worker of the arena for which no other trap waits", [&] {
    if (!lives(arena.worker)) return false;
    if (stage.rig().points().may_arm_in(arena.worker)) return true;
    // The one that waits goes off in a frame, which may be another arena's: its place goes by the process's number.
    for (Stage::Arena& each : stage.arenas()) let_say_more(each);
    return false;
  });
}

Result<void> trap_worker(Stage& stage, const Strike& strike, std::string_view point, CrashAction action, uint64_t argument) {
  if (strike.worker == 0) return make_error(ErrorCode::refused, "there is no worker at the moment");
  const uint64_t hit = 1 + (strike.draw >> 32) % kFramesUntil;
  if (!stage.rig().points().arm_in(strike.worker, index_of(point), hit, action, argument))
    return make_error(ErrorCode::refused, "another trap waits for this worker");
  return {};
}

Result<void> slow_down(Stage& stage, pid_t arenad, std::string_view point, uint64_t ms) {
  if (stage.rig().points().arm_in(arenad, index_of(point), 1, CrashAction::sleep, ms)) return {};
  return make_error(ErrorCode::refused, "another trap waits for arenad");
}

uint64_t hits_of(const Stage& stage, std::string_view point) {
  return stage.rig().points().hits(index_of(point));
}

bool worker_trap_fired(const Stage& stage, const Strike& strike) {
  return stage.rig().points().fired_in(strike.worker) || stage.arenas()[strike.arena].worker != strike.worker;
}

void trap_next(Stage& stage, std::string_view point, uint64_t hit) {
  stage.rig().points().arm(index_of(point), hit);
}

void trap_after_next(Stage& stage, std::string_view point) {
  stage.rig().points().arm_second(index_of(point), 1);
}

bool next_trap_fired(const Stage& stage, const Strike&) {
  return stage.rig().points().fired(0);
}

bool both_traps_fired(const Stage& stage, const Strike&) {
  return stage.rig().points().fired(0) && stage.rig().points().fired(1);
}

Fault worker_ends_itself(const Within& what) {
  return {.name = what.name,
          .does = what.does,
          .holds = "the next worker goes on from the newest snapshot and the log, and arenad tells the cause",
          .worker = Ends::must,
          .told = what.told,
          .uses = kTrap,
          // The black box knows signals alone.
          .leaves_no_note = what.action == CrashAction::exit,
          .needs_arenad = what.needs_arenad,
          .missing = without_crash_points,
          .prepare = wait_for_trap,
          .inject = [what](Stage& stage, const Strike& strike) {
            return trap_worker(stage, strike, drawn_from(kFramePoints, strike), what.action, what.argument);
          }};
}

Fault worker_breaks_cage(const Within& what) {
  Fault fault = worker_ends_itself(what);
  fault.holds = "its cage ends it before anything has come of it; arenad names the cage, and the next worker goes on";
  fault.missing = without_cage;
  // The kernel ends it, and no handler runs.
  fault.leaves_no_note = true;
  return fault;
}

Fault worker_killed_at(const char* name, const char* does, std::vector<std::string_view> points) {
  return {.name = name,
          .does = does,
          .holds = "the next worker goes on from the newest snapshot and the log, with nothing twice",
          .worker = Ends::must,
          .told = "KILL",
          .uses = kTrap,
          .missing = without_crash_points,
          .prepare = wait_for_trap,
          .inject = [points = std::move(points)](Stage& stage, const Strike& strike) {
            return trap_worker(stage, strike, drawn_from(points, strike), CrashAction::kill);
          }};
}

}  // namespace arenad::chaos
