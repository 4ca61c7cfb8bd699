// What makes two crashes the same one: how the worker ended, and where in which file. A label of a metric, so it is short, and has nothing in
// it that is different each time. Pure.
#pragma once

#include <string>

#include "supervisor/death.h"

namespace arenad {

// "SIGSEGV tanks.so+0x4f20", "SIGABRT", "exit 3", "SIGKILL out_of_memory", "SIGABRT tick (battle.py:31)".
std::string crash_signature(const Death& death, const DeathFacts& facts);

}  // namespace arenad
