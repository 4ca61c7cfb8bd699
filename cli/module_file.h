// The files of code that are sent to arenad, which need not be able to read them where they lie.
#pragma once

#include <string>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad::cli {

// Opened for reading. The error says what is wrong with it; ErrorCode::invalid if it is no regular file.
Result<Fd> open_module(const std::string& path);
Result<Fd> open_runtime(const std::string& path);

}  // namespace arenad::cli
