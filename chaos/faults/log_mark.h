// What arenad has logged since a fault struck.
#pragma once

#include <string>

#include "chaos/fault.h"

namespace arenad::chaos {

// From now on.
void mark_log(Stage& stage, const std::string& fault, const Strike& strike, const std::string& part);
// Whether there are more lines with this part than when it was marked.
bool has_logged(const Stage& stage, const std::string& fault, const Strike& strike, const std::string& part);

}  // namespace arenad::chaos
