// Which process of a stage is which, where Arenad itself does not say, and what a fault does to one beside signals.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>
#include <vector>

#include "arenad/result.h"
#include "chaos/fault.h"

namespace arenad::chaos {

// Of the game; more than one if an old one is on its way out.
std::vector<pid_t> templates(const Stage& stage);
// Workers that wait for an arena.
std::vector<pid_t> spares(const Stage& stage);
// For `prepare`: until there is one, which takes a moment after one has ended.
Result<void> wait_for_template(Stage& stage, const Strike& strike);
Result<void> wait_for_spares(Stage& stage, const Strike& strike);

// As the kernel names its state: R, S, T and so on (proc(5)); '\0': there is no such process.
char state_of(pid_t process);
// Not so one that has ended and that nobody has taken yet: it takes any signal, and nothing comes of it.
bool lives(pid_t process);
// Fault::settled: arenad says that the struck arena runs, with the worker that its player hears; or that all do. For what may end workers, or not.
bool arena_runs(Stage& stage, const Strike& strike);
bool all_arenas_run(Stage& stage, const Strike& strike);
Result<void> signal_all(const std::vector<pid_t>& processes, int number);
// The soft limit alone. An error if there is no such process.
Result<void> limit(pid_t process, __rlimit_resource resource, rlim_t value);
// The soft limit is the hard one again. Nothing if there is no such process any more.
Result<void> lift_limit(pid_t process, __rlimit_resource resource);
size_t open_descriptors(pid_t process);

}  // namespace arenad::chaos
