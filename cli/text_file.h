// A text that a command writes to a file of its own.
#pragma once

#include <string>
#include <string_view>

#include "arenad/result.h"

namespace arenad::cli {

// It has its name only when it is whole: it is written as PATH.tmp and renamed. After a failure PATH is as it was.
Result<void> write_text_file(const std::string& path, std::string_view text);

}  // namespace arenad::cli
