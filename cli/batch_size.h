// How many arenas a rollout takes at a time, and the other numbers of its options.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arenad/result.h"

namespace arenad::cli {

struct BatchSize {
  uint32_t arenas = 0;    // 0: percent counts
  uint32_t percent = 25;  // of all arenas of the rollout, rounded up
};

// "10" or "25%": at least one arena, at most 100%. ErrorCode::invalid names the option if it is anything else.
Result<BatchSize> parse_batch_size(const std::string& text);

// A whole number, 0 too, without sign or unit. ErrorCode::invalid names the option.
Result<uint32_t> parse_count(std::string_view option, const std::string& text);

}  // namespace arenad::cli
