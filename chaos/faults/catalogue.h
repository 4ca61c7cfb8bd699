// All faults there are. To add one: a file with a function that gives it, and its name in list.inc.
#pragma once

#include "chaos/fault.h"

namespace arenad::chaos {

#define FAULT(name) Fault name();
#include "chaos/faults/list.inc"
#undef FAULT

}  // namespace arenad::chaos
