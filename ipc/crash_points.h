// The names of all crash points, in one list, so that a sweep can visit each of them. A name that is used and not listed does not
// compile; one that is listed and never reached fails the sweep (tests/sweep/).
//
// The first part of a name says where: `arenad`, `template`, `spare` (a forked worker without an arena); everything else is a worker.
// What is `frame`, `snapshot` or `release` is reached by frames that are decided and by frames that are run again.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace arenad {

inline constexpr auto kCrashPoints = std::to_array<std::string_view>({
    // worker/: a worker's life in its order
    "template.loaded",
    "template.fork.before",
    "template.fork.after",
    "template.fork.told",
    "spare.forked",
    "spare.region",
    "spare.ready",
    "worker.assigned",
    "recovery.chosen",
    "recovery.restored",
    "recovery.first_snapshot",
    "replay.before",
    "replay.recorded",
    "replay.ran",
    "replay.published",
    "recovery.replayed",
    "takeback.chosen",
    "takeback.restored",
    "takeback.replayed",
    "takeback.snapshot",
    "worker.live.before",
    "worker.live.staged",
    "worker.live.told",
    "frame.decided",
    "frame.recorded",
    "frame.event.before",
    "frame.event.after",
    "frame.tick.before",
    "frame.tick.after",
    "frame.outputs_published",
    "frame.results_published",
    "frame.done",
    "frame.end",
    "snapshot.begun",
    "snapshot.laid_out",
    "snapshot.state_written",
    "snapshot.publish.before",
    "snapshot.publish.after",
    "release.before",
    "release.after",
    "orphan.link_broke",
    "orphan.offer.before",
    "orphan.offered",
    "orphan.adopted",
    "finish.before",
    "finish.snapshot",
    "finish.staged",
    "finish.told",
    // supervisor/: processes
    "arenad.fork.before",
    "arenad.fork.requested",
    "arenad.spare.ready",
    "arenad.spare.taken",
    "arenad.assign.before",
    "arenad.assign.after",
    "arenad.live.before",
    "arenad.live.after",
    "arenad.death.before",
    "arenad.death.after",
    // what the service manager keeps
    "arenad.keep.before",
    "arenad.keep.after",
    "arenad.handover.asked",
    "arenad.handover.finished",
    "arenad.handover.live",
    "arenad.takeback.decided",
    "arenad.forget.before",
    "arenad.forget.after",
    // commands and clients
    "arenad.start.begun",
    "arenad.start.persisted",
    "arenad.start.answered",
    "arenad.attach.kept",
    "arenad.attach.told",
    "arenad.stop.told",
    "arenad.stop.saved",
    // the database
    "arenad.checkpoint.read",
    "arenad.checkpoint.submitted",
    "arenad.store.begun",
    "arenad.store.written",
    "arenad.store.committed",
    "arenad.checkpoint.board",
    "arenad.results.read",
    "arenad.results.stored",
    "arenad.results.acknowledged",
    // the next arenad
    "arenad.adoption.begun",
    "arenad.adoption.known",
    "arenad.adoption.offer",
    "arenad.adoption.before_board",
    "arenad.adoption.board_sent",
    "arenad.adoption.recover",
    "arenad.adoption.settled",
    "arenad.rollout.taken_up",
    "arenad.socket.opened",
    "arenad.ready.told",
    "arenad.upgrade.asked",
    "arenad.upgrade.before",
    "arenad.upgrade.begun",
    "arenad.upgrade.arena",
    "arenad.upgrade.answered",
});

// Of a name in the list; anything else is an error of the compiler.
consteval size_t crash_point(std::string_view name) {
  for (size_t i = 0; i < kCrashPoints.size(); ++i) {
    if (kCrashPoints[i] == name) return i;
  }
  throw "not in kCrashPoints";
}

}  // namespace arenad
