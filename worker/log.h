// A worker's own log lines and those of its game: one line each to standard error, key=value; or, where arenad reads them, as ipc/output_line.h
// has it.
#pragma once

#include <string_view>

#include "arenad/module_abi.h"

namespace arenad {

void log_line(arenad_log_level level, std::string_view arena, uint64_t frame, std::string_view message);

}  // namespace arenad
