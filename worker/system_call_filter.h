// Which system calls game code may make (seccomp(2)). A filter is made once, in the template; its workers enter it with one call.
//
// Two kinds of filter, because a process may be in several and what the strictest says counts: one by libseccomp that lets through what
// is listed, and one of a few instructions for signals, which knows a pid and so is made in the process that it is for.
#pragma once

#include <linux/filter.h>
#include <sys/types.h>
#include <vector>

#include "arenad/result.h"
#include "ipc/cage_options.h"

namespace arenad {

using FilterProgram = std::vector<sock_filter>;

// What a template needs to load a module, to fork, and to close the cage around its workers.
Result<FilterProgram> template_filter(const CageOptions& options);
// What frames, recovery and life without an arenad need. Neither new processes nor files, nor code that is made at run time.
Result<FilterProgram> worker_filter(const CageOptions& options);
// Signals to the calling process alone.
FilterProgram own_signals_filter(CageMode mode, pid_t self);
// Signals to neither arenad nor groups; template_filter() cannot say that they are to itself alone, as its workers inherit it.
FilterProgram signals_but_to_filter(CageMode mode, pid_t arenad);

// The calling process enters it for good. It must have given up new privileges. Where the kernel has no filters, nothing happens.
Result<void> enter_filter(const FilterProgram& program);

}  // namespace arenad
