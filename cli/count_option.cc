#include "cli/count_option.h"

#include <charconv>
#include <fmt/format.h>

namespace arenad::cli {

Result<uint64_t> parse_count(const std::string& option, const std::string& text, uint64_t most, uint64_t otherwise) {
  if (text.empty()) return otherwise;
  uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, count);
  if (error == std::errc() && at == end && count >= 1 && count <= most) return count;
  return make_error(ErrorCode::invalid, fmt::format("{}: '{}' is no number from 1 to {}", option, text, most));
}

}  // namespace arenad::cli
