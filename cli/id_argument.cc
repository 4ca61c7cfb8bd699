#include "cli/id_argument.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace arenad::cli {

Result<uint64_t> parse_id(std::string_view what, const std::string& text) {
  uint64_t id = 0;
  const char* end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, id);
  if (error == std::errc() && at == end && id != 0) return id;
  return make_error(ErrorCode::invalid, fmt::format("'{}' is no id of {}, which is a number, such as 17", text, what));
}

Result<std::vector<uint64_t>> parse_ids(std::string_view what, const std::vector<std::string>& texts) {
  std::vector<uint64_t> ids;
  for (const std::string& text : texts) {
    auto id = parse_id(what, text);
    if (!id) return id.error();
    if (std::ranges::find(ids, *id) == ids.end()) ids.push_back(*id);
  }
  return ids;
}

}  // namespace arenad::cli
