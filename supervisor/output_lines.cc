#include "supervisor/output_lines.h"

namespace arenad {

std::optional<CutLine> first_line(std::string_view bytes, MoreToCome more) {
  const size_t end = bytes.substr(0, kMostLineBytes + 1).find('\n');
  if (end != std::string_view::npos) {
    std::string_view text = bytes.substr(0, end);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return CutLine{text, end + 1, false};
  }
  if (bytes.size() > kMostLineBytes) return CutLine{bytes.substr(0, kMostLineBytes), kMostLineBytes, true};
  if (bytes.empty() || more == MoreToCome::yes) return std::nullopt;
  return CutLine{bytes, bytes.size(), false};
}

}  // namespace arenad
