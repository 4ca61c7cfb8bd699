#include "cli/batch_size.h"

#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace arenad::cli {
namespace {

std::optional<uint32_t> whole_number(std::string_view text) {
  uint32_t number = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || at != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

Result<BatchSize> parse_batch_size(const std::string& text) {
  const bool is_share = text.ends_with('%');
  const auto number = whole_number(std::string_view(text).substr(0, text.size() - (is_share ? 1 : 0)));
  if (!number || *number == 0 || (is_share && *number > 100)) {
    return make_error(
        ErrorCode::invalid,
        fmt::format("--batch: '{}' is neither a number of arenas, such as 10, nor a share of them from 1% to 100%", text));
  }
  return is_share ? BatchSize{.arenas = 0, .percent = *number} : BatchSize{.arenas = *number, .percent = 0};
}

Result<uint32_t> parse_count(std::string_view option, const std::string& text) {
  const auto number = whole_number(text);
  if (number) return *number;
  return make_error(ErrorCode::invalid, fmt::format("{}: '{}' is no number, such as 0 or 10", option, text));
}

}  // namespace arenad::cli
