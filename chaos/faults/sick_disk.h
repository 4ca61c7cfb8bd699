// arenad's disk falls ill and becomes well again: what the faults of the disk have in common.
#pragma once

#include "chaos/disk/faulty_vfs.h"
#include "chaos/fault.h"

namespace arenad::chaos {

std::string cannot_order_disk(const Stage& stage);
// As Fault::prepare: waits for an arenad whose disk obeys. One that has taken over in an upgrade has another.
Result<void> wait_for_obedient_disk(Stage& stage, const Strike& strike);
// Fault::inject.
std::function<Result<void>(Stage&, const Strike&)> disk_falls_ill(test::Fault illness);
// Fault::heal, and then Fault::settled: what the arena had come to when it became well is in the database.
Result<void> disk_becomes_well(Stage& stage, const Strike& strike);
bool is_made_up_for(Stage& stage, const Strike& strike);
// The same of all arenas, for what all of them have lost.
bool is_made_up_for_everywhere(Stage& stage);
// Fault::fired: arenad has used the disk while it was ill.
bool disk_was_asked(const Stage& stage, const Strike& strike);

}  // namespace arenad::chaos
