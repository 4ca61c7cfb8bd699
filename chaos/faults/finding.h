// What a fault has found out while it struck or was undone, and what shows nowhere else.
#pragma once

#include <functional>
#include <string>

#include "chaos/fault.h"

namespace arenad::chaos {

// Empty: nothing is wrong.
void keep_finding(Stage& stage, const std::string& fault, const Strike& strike, std::string wrong);
// As Fault::check: an error says it.
std::function<Result<void>(Stage&, const Strike&)> kept_finding(const std::string& fault);

}  // namespace arenad::chaos
