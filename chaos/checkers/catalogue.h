// All checkers; each is made in the file of its name.
#pragma once

#include "chaos/checker.h"

namespace arenad::chaos {

#define CHECKER(name) std::unique_ptr<Checker> name();
#include "chaos/checkers/list.inc"
#undef CHECKER

}  // namespace arenad::chaos
