#include "cli/slow_sites.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace arenad::cli {
namespace {

// By its key, so that a stable sort leaves equals in that order.
template <class Key>
std::vector<std::pair<Key, SlowCount>> longest_first(std::map<Key, SlowCount> counts) {
  std::vector<std::pair<Key, SlowCount>> sorted(std::make_move_iterator(counts.begin()), std::make_move_iterator(counts.end()));
  std::ranges::stable_sort(sorted, std::greater<>(), [](const auto& one) { return one.second.total_ms; });
  return sorted;
}

}  // namespace

void SlowCount::add(uint64_t ran_ms) {
  ++count;
  longest_ms = std::max(longest_ms, ran_ms);
  total_ms += ran_ms;
}

std::vector<SlowSite> slow_sites(std::span<const SlowFrameFacts> frames) {
  std::map<std::pair<std::string, std::string>, SlowCount> counts;
  for (const SlowFrameFacts& frame : frames) counts[{frame.call_site, frame.phase}].add(frame.ran_ms);
  std::vector<SlowSite> sites;
  for (auto& [key, count] : longest_first(std::move(counts))) sites.push_back({key.second, key.first, count});
  return sites;
}

std::vector<SlowStack> slow_stacks(std::span<const SlowFrameFacts> frames) {
  std::map<std::pair<std::vector<SlowCall>, std::string>, SlowCount> counts;
  for (const SlowFrameFacts& frame : frames) counts[{frame.calls, frame.phase}].add(frame.ran_ms);
  std::vector<SlowStack> stacks;
  for (auto& [key, count] : longest_first(std::move(counts))) stacks.push_back({key.second, key.first, count});
  return stacks;
}

SlowExtent extent_of(std::span<const SlowFrameFacts> frames) {
  SlowExtent extent{.frames = frames.size()};
  std::set<std::string> arenas;
  for (const SlowFrameFacts& frame : frames) {
    arenas.insert(frame.arena);
    const bool is_first = &frame == &frames.front();
    extent.oldest_unix_ms = is_first ? frame.at_unix_ms : std::min(extent.oldest_unix_ms, frame.at_unix_ms);
    extent.newest_unix_ms = is_first ? frame.at_unix_ms : std::max(extent.newest_unix_ms, frame.at_unix_ms);
  }
  extent.arenas = arenas.size();
  return extent;
}

}  // namespace arenad::cli
