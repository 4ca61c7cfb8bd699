// The one way in which an incarnation begins: from nothing, or from (snapshot, frame log). A crash, an operator's restart, a
// resume from the database and a change of code differ only in what is given here.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ipc/incarnation.h"
#include "worker/arena_runtime.h"

namespace arenad {

struct RecoverySources {
  std::optional<IncarnationView> predecessor;
  bool is_destroyed =
      false;  // the predecessor's memory is no region any more: what clients have seen of it cannot be made again
  // The predecessor ran other code, and this incarnation takes over its last frame: nothing of it may be run again.
  bool is_handover = false;
  // Of the incarnation that had handed over to code which is taken back: this incarnation's code is the origin's. It begins with the
  // origin's last snapshot and runs again what the predecessor has made of it since. What clients and the database have of that stays, and
  // the outputs and results of the same frames are left out.
  std::optional<IncarnationView> origin;
  std::optional<Snapshot> checkpoint;
  std::vector<LeftOutEvent> quarantined;  // by a replay
  enum class OnDivergence { go_on, stop } on_divergence = OnDivergence::go_on;
  FrameNumber durable;  // the frame of the newest checkpoint: the new log must reach back to it, if the old one does
};

struct RecoveryReport {
  Rung rung = Rung::none;
  FrameNumber restored;
  uint64_t replayed_frames = 0;
  uint64_t replayed_events = 0;
  uint64_t divergences = 0;
  uint64_t first_divergent_frame = 0;
};

enum class RecoveryFault { state, no_snapshot, broken_log, diverged };
struct RecoveryFailure {
  RecoveryFault fault;
  std::string message;
};

// The runtime's channels must be attached. Afterwards it stands where the predecessor stood, and its region holds all that
// its own successor will need: snapshot, log and outputs.
std::variant<RecoveryReport, RecoveryFailure> recover(ArenaRuntime& runtime, const RecoverySources& sources);

}  // namespace arenad
