#include "supervisor/log_book.h"

#include <algorithm>
#include <fnmatch.h>

namespace arenad {
namespace {

size_t bytes_of(const LogLine& line) {
  return sizeof(LogLine) + line.text.size() + line.arena.size() + line.game.size() + line.signature.size();
}

}  // namespace

void LogBook::add(LogLine line) {
  const std::lock_guard lock(mutex_);
  const size_t bytes = bytes_of(line);
  Ring& ring = rings_[line.arena];
  ring.lines.push_back({++last_, std::move(line)});
  ring.bytes += bytes;
  bytes_ += bytes;
  while (ring.lines.size() > 1 && (ring.lines.size() > lines_kept_ || ring.bytes > kMostBytesOfOne)) drop_first(ring);
  while (bytes_ > kMostBytes && rings_.size() > 1) drop_longest_silent();
}

void LogBook::drop_first(Ring& ring) {
  const size_t bytes = bytes_of(ring.lines.front().line);
  ring.bytes -= bytes;
  bytes_ -= bytes;
  ring.dropped = ring.lines.front().number;
  ring.lines.pop_front();
}

void LogBook::drop_longest_silent() {
  const auto silent = std::ranges::min_element(rings_, {}, [](const auto& one) { return one.second.lines.back().number; });
  bytes_ -= silent->second.bytes;
  dropped_with_ring_ = std::max(dropped_with_ring_, silent->second.lines.back().number);
  rings_.erase(silent);
}

std::vector<const LogBook::Ring*> LogBook::rings(const Selected& selected) const {
  std::vector<const Ring*> found;
  if (selected.everything) {
    for (const auto& [name, ring] : rings_) found.push_back(&ring);
    return found;
  }
  for (const std::string& arena : selected.arenas) {
    if (const auto ring = rings_.find(arena); ring != rings_.end()) found.push_back(&ring->second);
  }
  return found;
}

LogBook::Page LogBook::newest(const Selected& selected, size_t limit) const {
  const std::lock_guard lock(mutex_);
  Page page{.next = last_};
  for (const Ring* ring : rings(selected)) {
    const size_t count = std::min(limit, ring->lines.size());
    page.lines.insert(page.lines.end(), ring->lines.end() - static_cast<std::ptrdiff_t>(count), ring->lines.end());
  }
  std::ranges::sort(page.lines, {}, &Numbered::number);
  if (page.lines.size() > limit) page.lines.erase(page.lines.begin(), page.lines.end() - static_cast<std::ptrdiff_t>(limit));
  return page;
}

LogBook::Page LogBook::after(const Selected& selected, uint64_t number, size_t limit) const {
  const std::lock_guard lock(mutex_);
  Page page{.next = last_, .missed = selected.everything && dropped_with_ring_ > number};
  for (const Ring* ring : rings(selected)) {
    page.missed |= ring->dropped > number;
    const auto first = std::ranges::upper_bound(ring->lines, number, {}, &Numbered::number);
    page.lines.insert(page.lines.end(), first, ring->lines.end());
  }
  std::ranges::sort(page.lines, {}, &Numbered::number);
  if (page.lines.size() > limit) {
    page.lines.resize(limit);
    page.next = page.lines.empty() ? number : page.lines.back().number;
  }
  return page;
}

std::vector<std::string> LogBook::names(const std::string& pattern) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  for (const auto& [name, ring] : rings_) {
    if (!name.empty() && ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0) found.push_back(name);
  }
  return found;
}

}  // namespace arenad
