// Events in quarantine and frames that are run again: the event stays away, and the frame's record says so from then on.
#pragma once

#include <span>

#include "ipc/event_ref.h"
#include "ipc/frame_log.h"
#include "worker/channel_set.h"

namespace arenad {

// The frame as it is to be run now, closed; without a done mark if anything changed. The channels stand where the frame begins. An event
// that was tried again stays in a frame that is done: it did no harm there.
DecidedFrame without_quarantined(DecidedFrame frame, ChannelSet& channels, std::span<const LeftOutEvent> quarantined,
                                 uint64_t max_event_bytes);

}  // namespace arenad
