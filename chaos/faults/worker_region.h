// Damage to the memory of a worker, as faults do it: what only a fault of the memory could write.
#pragma once

#include <functional>

#include "chaos/fault.h"
#include "chaos/random.h"
#include "chaos/rig/worker_memory.h"

namespace arenad::chaos {

// Whether the memory of the stage's workers may be written from here; what is in the way, if it may not.
std::string cannot_write_memory(const Stage& stage);

using Damage = std::function<void(const test::WorkerMemory&, Random&)>;

enum class Dies { worker, worker_and_arenad };

// As Fault::prepare: stops the arena's worker when both of its slots hold a snapshot. It goes on with SIGCONT.
Result<void> stop_with_two_snapshots(Stage& stage, const Strike& strike);

// Then: damages what the worker's successor will begin with, and kills it.
Result<void> damage_and_kill(Stage& stage, const Strike& strike, const Damage& damage, Dies dies = Dies::worker);

// A random bit of these bytes of the snapshot in a slot.
void flip_in_snapshot(const test::WorkerMemory& memory, int slot, uint64_t begin, uint64_t end, Random& random);

}  // namespace arenad::chaos
