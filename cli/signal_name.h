// Signals as people name them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "arenad/result.h"

namespace arenad::cli {

// "USR1", "SIGUSR1", "sigusr1" or the number, as on this machine. ErrorCode::invalid, with what was perhaps meant.
Result<uint32_t> parse_signal(const std::string& text);
// All that have one, without SIG.
std::vector<std::string> signal_names();

}  // namespace arenad::cli
