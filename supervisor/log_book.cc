#include "supervisor/log_book.h"

#include <algorithm>
#include <fnmatch.h>

namespace arenad {
namespace {

// Where a packed line lies: its place in the ring, and what the allocator adds to a piece of memory.
constexpr size_t kBytesOfPlace = sizeof(Packed) + 16;
// An arena's ring without any line.
constexpr size_t kBytesOfRing = 1024;

size_t bytes_of(const Packed& line) {
  return kBytesOfPlace + line.bytes().size();
}

// Of a line in a page.
size_t bytes_of(const LogLine& line) {
  return sizeof(LogLine) + line.text.size() + line.arena.size() + line.game.size() + line.signature.size();
}

uint64_t number_of(const Packed& line) {
  return Unpacker(line).number();
}

Packed pack(uint64_t number, const LogLine& line) {
  return Packer()
      .number(number)
      .number(line.unix_ns)
      .number(static_cast<uint64_t>(line.severity))
      .text(line.game)
      .number(line.epoch)
      .number(line.frame)
      .number(line.pid)
      .text(line.source)
      .text(line.signature)
      .text(line.text)
      .packed();
}

}  // namespace

LogLine LogBook::unpack(const Ring& ring, const Packed& packed) {
  Unpacker fields(packed);
  (void)fields.number();
  LogLine line;
  line.unix_ns = fields.number();
  line.severity = static_cast<LogSeverity>(fields.number());
  line.arena = ring.arena;
  line.game = fields.text();
  line.epoch = fields.number();
  line.frame = fields.number();
  line.pid = static_cast<uint32_t>(fields.number());
  line.source = fields.text();
  line.signature = fields.text();
  line.text = fields.text();
  return line;
}

void LogBook::keep_lines(size_t of_each) {
  const std::lock_guard lock(mutex_);
  lines_kept_ = of_each;
}

void LogBook::add(const LogLine& line) {
  const std::lock_guard lock(mutex_);
  Ring& ring = ring_of(line.arena);
  const Packed& packed = ring.lines.emplace_back(pack(++last_, line));
  ring.bytes += bytes_of(packed);
  bytes_ += bytes_of(packed);
  while (ring.lines.size() > 1 && (ring.lines.size() > lines_kept_ || ring.bytes > kMostBytesOfOne)) drop_first(ring);
  while (bytes_ > kMostBytes && rings_.size() > 1) drop_longest_silent();
}

// It is the one that was not silent just now.
LogBook::Ring& LogBook::ring_of(const std::string& arena) {
  if (const auto found = names_.find(arena); found != names_.end()) {
    rings_.splice(rings_.end(), rings_, found->second);
    return *found->second;
  }
  Ring& ring = rings_.emplace_back(Ring{.arena = arena});
  names_.emplace(ring.arena, std::prev(rings_.end()));
  bytes_ += kBytesOfRing;
  return ring;
}

void LogBook::drop_first(Ring& ring) {
  const size_t bytes = bytes_of(ring.lines.front());
  ring.bytes -= bytes;
  bytes_ -= bytes;
  ring.dropped = number_of(ring.lines.front());
  ring.lines.pop_front();
}

void LogBook::drop_longest_silent() {
  const Ring& silent = rings_.front();
  bytes_ -= silent.bytes + kBytesOfRing;
  dropped_with_ring_ = std::max(dropped_with_ring_, number_of(silent.lines.back()));
  names_.erase(silent.arena);
  rings_.pop_front();
}

std::vector<const LogBook::Ring*> LogBook::rings(const Selected& selected) const {
  std::vector<const Ring*> found;
  if (selected.everything) {
    for (const Ring& ring : rings_) found.push_back(&ring);
    return found;
  }
  for (const std::string& arena : selected.arenas) {
    if (const auto ring = names_.find(arena); ring != names_.end()) found.push_back(&*ring->second);
  }
  return found;
}

LogBook::Place LogBook::place_in(const Ring& ring, size_t index) {
  return {number_of(ring.lines[index]), &ring, index};
}

size_t LogBook::first_from(const Ring& ring, uint64_t number) {
  const auto first = std::ranges::lower_bound(ring.lines, number, {}, number_of);
  return static_cast<size_t>(first - ring.lines.begin());
}

// False if there is no room for it.
bool LogBook::add_line(Page& page, const Place& place, Most most, size_t& bytes) {
  LogLine line = unpack(*place.ring, place.ring->lines[place.index]);
  bytes += bytes_of(line);
  if (bytes > most.bytes && !page.lines.empty()) return false;
  page.lines.push_back({place.number, std::move(line)});
  return true;
}

// Both: always the next one of all the rings, which wait in a heap.
LogBook::Page LogBook::newest(const Selected& selected, Most most, uint64_t before) const {
  const std::lock_guard lock(mutex_);
  Page page{.next = last_};
  std::vector<Place> places;
  for (const Ring* ring : rings(selected)) {
    const size_t end = before == 0 ? ring->lines.size() : first_from(*ring, before);
    if (end != 0) places.push_back(place_in(*ring, end - 1));
  }
  std::ranges::make_heap(places, {}, &Place::number);
  for (size_t bytes = 0; !places.empty() && page.lines.size() < most.lines;) {
    std::ranges::pop_heap(places, {}, &Place::number);
    Place& newest = places.back();
    if (!add_line(page, newest, most, bytes)) {
      page.older_left = true;
      break;
    }
    if (newest.index == 0) {
      places.pop_back();
      continue;
    }
    newest = place_in(*newest.ring, newest.index - 1);
    std::ranges::push_heap(places, {}, &Place::number);
  }
  std::ranges::reverse(page.lines);
  return page;
}

LogBook::Page LogBook::after(const Selected& selected, uint64_t number, Most most) const {
  const std::lock_guard lock(mutex_);
  Page page{.next = last_, .missed = selected.everything && dropped_with_ring_ > number};
  std::vector<Place> places;
  for (const Ring* ring : rings(selected)) {
    page.missed |= ring->dropped > number;
    const size_t first = number == UINT64_MAX ? ring->lines.size() : first_from(*ring, number + 1);
    if (first != ring->lines.size()) places.push_back(place_in(*ring, first));
  }
  std::ranges::make_heap(places, std::greater<>(), &Place::number);
  for (size_t bytes = 0; !places.empty();) {
    std::ranges::pop_heap(places, std::greater<>(), &Place::number);
    Place& oldest = places.back();
    if (page.lines.size() == most.lines || !add_line(page, oldest, most, bytes)) {
      page.next = page.lines.empty() ? number : page.lines.back().number;
      break;
    }
    if (oldest.index + 1 == oldest.ring->lines.size()) {
      places.pop_back();
      continue;
    }
    oldest = place_in(*oldest.ring, oldest.index + 1);
    std::ranges::push_heap(places, std::greater<>(), &Place::number);
  }
  return page;
}

std::vector<std::string> LogBook::names(const std::string& pattern) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> found;
  if (pattern.find_first_of("*?[") == std::string::npos) {
    if (!pattern.empty() && names_.contains(pattern)) found.push_back(pattern);
    return found;
  }
  for (const auto& [name, ring] : names_) {
    if (!name.empty() && ::fnmatch(pattern.c_str(), ring->arena.c_str(), 0) == 0) found.emplace_back(name);
  }
  return found;
}

}  // namespace arenad
