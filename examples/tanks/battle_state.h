// A battle's situation as a Cap'n Proto message and back, bit for bit: what is loaded goes on
// exactly as what was saved would have.
#pragma once

#include "situation.h"
#include "tanks.capnp.h"

namespace tanks {

void save(const sim::Situation& situation, BattleState::Builder state);
// Throws std::invalid_argument for values that no battle has. Whether they go together is checked
// by sim::Battle.
sim::Situation load(BattleState::Reader state);

}  // namespace tanks
