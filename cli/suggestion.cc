#include "cli/suggestion.h"

#include <algorithm>
#include <fmt/format.h>

namespace arenad::cli {
namespace {

// One slip in a short word, two in a longer one: with more, everything resembles everything.
size_t tolerated_distance(std::string_view word) {
  return word.size() < 4 ? 1 : 2;
}

std::vector<std::string> with_prefix(std::string_view prefix, std::span<const std::string> known) {
  std::vector<std::string> found;
  if (prefix.empty()) return found;
  for (const std::string& candidate : known) {
    if (candidate.starts_with(prefix)) found.push_back(candidate);
  }
  return found;
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table are enough: a swap looks back two rows.
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) current[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before_last.swap(last);
    last.swap(current);
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({replaced, last[j] + 1, current[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
  }
  return current[b.size()];
}

std::vector<std::string> suggestions(std::string_view word, std::span<const std::string> known) {
  size_t nearest = tolerated_distance(word);
  std::vector<std::string> found;
  for (const std::string& candidate : known) {
    const size_t distance = edit_distance(word, candidate);
    if (distance > nearest) continue;
    if (distance < nearest) found.clear();
    nearest = distance;
    found.push_back(candidate);
  }
  return found.empty() ? with_prefix(word, known) : found;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> known) {
  const auto found = suggestions(word, known);
  if (found.empty()) return {};
  return fmt::format("; did you mean '{}'?", fmt::join(found, "' or '"));
}

}  // namespace arenad::cli
