// Processes that are not this one's children, found by what the kernel says of them.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "ipc/fd.h"

namespace arenad::chaos {

// As it calls itself: the first 15 characters. Empty if there is no such process.
std::string process_name(pid_t pid);
// Living and ended ones. Source: proc(5), /proc/PID/task/TID/children.
std::vector<pid_t> children_of(pid_t pid);
// With those of its children and so on, without itself. Whoever forks meanwhile may be missing.
std::vector<pid_t> descendants_of(pid_t pid);
// A pidfd of the process, if it lives and has this name.
std::optional<Fd> open_named(pid_t pid, const std::string& name);

}  // namespace arenad::chaos
