// A rollout for people: the lines while it goes on, what became of it, and its page.
#pragma once

#include <string>
#include <vector>

#include "cli/table.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// Arenas that had the new code for a while.
uint32_t rollout_given_back(wire::Rollout::Reader rollout);

Tone rollout_tone(wire::Rollout::Reader rollout);

// "tanks: from 1.2.0 (0123456789ab) to 1.3.0 (ba9876543210), 12 arenas, 1 pinned is left out"; after the versions
// " with runtime fedcba987654" if that is another one
std::string rollout_heading(wire::Rollout::Reader rollout);

// "canary: 0 passed, 1 on probation, 11 waiting": the same as long as nothing has changed.
std::string rollout_progress(wire::Rollout::Reader rollout);

// Of one that is over: "tanks: done after 31s: 12 run 1.3.0 (ba9876543210) now".
std::string rollout_outcome(wire::Rollout::Reader rollout);

// "duel-3: why", one for each arena that failed.
std::vector<std::string> rollout_failures(wire::Rollout::Reader rollout);

// A block for each.
std::string render_rollouts(capnp::List<wire::Rollout>::Reader rollouts, Colour colour);

}  // namespace arenad::cli
