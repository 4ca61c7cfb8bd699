// An option that takes a whole number, from one on.
#pragma once

#include <cstdint>
#include <string>

#include "arenad/result.h"

namespace arenad::cli {

// What was given, `otherwise` if nothing was. Errors: invalid, with the option's name and the range.
Result<uint64_t> parse_count(const std::string& option, const std::string& text, uint64_t most, uint64_t otherwise);

}  // namespace arenad::cli
