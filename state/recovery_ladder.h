// The recovery ladder, as a pure choice: given what was found, from what does the next incarnation begin?
//
//   newest valid slot -> older slot -> checkpoint in the database -> nothing: the arena is lost, its state is never made up
//
// A rung holds if its snapshot is whole and belongs to the arena, and if the frame log goes on from it without a gap to the
// last decided frame. Without a log (everything was killed and the regions are gone) a checkpoint stands alone, and what came
// after it is gone; the caller reports that.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "arenad/ids.h"
#include "ipc/incarnation_layout.h"

namespace arenad {

struct RungCandidate {
  enum class Source { slot, checkpoint };
  enum class Condition { whole, damaged };
  Source source = Source::slot;
  FrameNumber frame;
  Condition condition = Condition::whole;  // damaged: it was published, but does not pass its checks
};

// Frames that were decided: first..last, without a gap; none decided after a snapshot if first > last.
struct LogRange {
  FrameNumber first;
  FrameNumber last;
};

struct LadderChoice {
  size_t candidate = 0;  // index into the candidates
  Rung rung = Rung::none;
};

// Nothing if no rung holds. The newest frame wins; a slot before a checkpoint of the same frame.
std::optional<LadderChoice> choose_rung(std::span<const RungCandidate> candidates, std::optional<LogRange> log);

}  // namespace arenad
