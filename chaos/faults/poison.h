// A client at the seat of `mallory` that sends the ledger one event, of which whoever applies it dies. It is gone when arenad has the
// event in quarantine; an operator drops it then, so that the arena can be struck like this as often as one likes.
#pragma once

#include "chaos/fault.h"
#include "chaos/games/ledger.capnp.h"

namespace arenad::chaos {

// Attaches, as soon as a former one is missed, and sends it.
Result<void> send_poison(Stage& stage, const Strike& strike, ledger::Poison::How how);
// The same in two steps: the second asks arenad nothing.
Result<void> seat_poisoner(Stage& stage, const Strike& strike);
Result<void> send_poison_from_its_seat(Stage& stage, const Strike& strike, ledger::Poison::How how);
// By the strike's random number: one of those that end a worker at once.
ledger::Poison::How drawn_poison(const Strike& strike);

// Fault::fired: the sender was told that it is in quarantine.
bool poison_is_told(const Stage& stage, const Strike& strike);
// Fault::settled: the list of the quarantine had it, and it is dropped. An arenad that has died may have kept it nowhere but in its
// memory.
bool poison_is_dropped(Stage& stage, const Strike& strike);
// Of Fault::check: how many workers have ended by it, as their epochs tell.
uint64_t ends_by_poison(const Stage& stage, const Strike& strike);
// Part of what arenad says of the end of a worker that applied it.
std::string told_of_poison(ledger::Poison::How how);
// Fault::check: so many, and the last of them by this, as arenad tells it.
Result<void> so_many_ended_by(Stage& stage, const Strike& strike, uint64_t workers, const std::string& told);
Result<void> two_ended_by(Stage& stage, const Strike& strike, const std::string& told);

}  // namespace arenad::chaos
