// The life of a worker: a spare that waits, then one incarnation of one arena, to its end.
//
//   spare --assign--> recovering --> live --finish--> finished
//                         |           |-----game ends--> ended
//                         '--cannot--> refused            (a crash at any point: arenad begins the next incarnation)
//
// The link is looked at when the board's bell has rung, and once a second in any case: nothing rings when arenad is gone.
#pragma once

#include "ipc/incarnation.h"
#include "ipc/link.h"
#include "worker/module.h"

namespace arenad {

// Returns the exit code. region: made before, so that memory and time are spent while nobody waits. output: where what it prints goes
// (ipc/output_file.h), if an arenad has given it such a file.
int run_worker(const Module& module, Incarnation region, Link link, Fd output);

}  // namespace arenad
