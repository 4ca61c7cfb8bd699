// The module file that is sent to arenad, which need not be able to read it where it lies.
#pragma once

#include <string>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad::cli {

// Opened for reading. The error says what is wrong with it; ErrorCode::invalid if it is no regular file.
Result<Fd> open_module(const std::string& path);

}  // namespace arenad::cli
