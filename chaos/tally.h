// What a run comes to in numbers: brought together from the bots, the observers and the killer.
#pragma once

#include <memory>
#include <span>

#include "chaos/arena_observer.h"
#include "chaos/bot_crew.h"
#include "chaos/killer.h"
#include "chaos/summary.h"

namespace arenad::chaos {

using Observers = std::span<const std::unique_ptr<ArenaObserver>>;

// What was sent, run and received.
void tally_traffic(const BotCrew& crew, Observers observers, RunSummary& summary);
// What was killed, and how long it took to be back.
void tally_kills(const Killer& killer, Observers observers, RunSummary& summary);
// Why the run proves nothing although nothing is wrong; for one that was played and judged to its end.
void note_what_is_vacuous(const BotCrew& crew, RunSummary& summary);

}  // namespace arenad::chaos
