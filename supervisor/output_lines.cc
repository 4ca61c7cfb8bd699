#include "supervisor/output_lines.h"

#include <algorithm>

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

CountedLines count_lines(std::string_view bytes) {
  CountedLines counted;
  if (const size_t last = bytes.rfind('\n'); last != std::string_view::npos) {
    counted.bytes = last + 1;
    counted.lines =
        static_cast<uint64_t>(std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(counted.bytes), '\n'));
  }
  // The beginning of one that is too long is a line already.
  const size_t left = bytes.size() - counted.bytes;
  const size_t cut = left == 0 ? 0 : (left - 1) / kMostLineBytes;
  counted.lines += cut;
  counted.bytes += cut * kMostLineBytes;
  return counted;
}

size_t begin_of_last_lines(std::string_view bytes, size_t lines) {
  size_t begin = bytes.size();
  for (; begin != 0 && lines != 0; --lines) {
    // The line end before it is another line's.
    const size_t before = begin < 2 ? std::string_view::npos : bytes.rfind('\n', begin - 2);
    begin = before == std::string_view::npos ? 0 : before + 1;
  }
  return begin;
}

}  // namespace arenad
