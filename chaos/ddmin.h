// The smallest list that still fails: of the things that make up a failure, those without which there is none. Pure.
//
// Delta debugging, the algorithm ddmin (Zeller, Hildebrandt: "Simplifying and isolating failure-inducing input", IEEE Transactions on
// Software Engineering 28(2), 2002): the list is cut into parts; a part that fails alone, or the list without a part, takes its place; if none
// does, the parts are halved. It ends when no single thing can be left out any more.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace arenad::chaos {

template <class T>
struct Shrunk {
  std::vector<T> list;      // the smallest that was seen to fail
  size_t tries = 0;         // how often `fails` was asked
  bool is_minimal = false;  // no single thing can be left out; otherwise the tries were used up
};

// `list` fails; `fails` is not asked for that, nor for the empty list.
template <class T>
Shrunk<T> ddmin(std::vector<T> list, const std::function<bool(const std::vector<T>&)>& fails, size_t most_tries) {
  Shrunk<T> shrunk{std::move(list), 0, false};
  size_t parts = 2;
  const auto try_it = [&](std::vector<T> candidate) {
    if (candidate.empty() || candidate.size() == shrunk.list.size()) return false;
    ++shrunk.tries;
    if (!fails(candidate)) return false;
    shrunk.list = std::move(candidate);
    return true;
  };
  while (shrunk.list.size() > 1) {
    parts = std::min(parts, shrunk.list.size());
    const std::vector<T> whole = shrunk.list;
    const auto at = [&](size_t part) { return whole.begin() + static_cast<ptrdiff_t>(whole.size() * part / parts); };
    bool is_smaller = false;
    for (size_t part = 0; part < parts && !is_smaller; ++part) {
      if (shrunk.tries >= most_tries) return shrunk;
      is_smaller = try_it(std::vector<T>(at(part), at(part + 1)));
      if (is_smaller) parts = 2;
    }
    // With two parts, the list without one is the other.
    for (size_t part = 0; parts > 2 && part < parts && !is_smaller; ++part) {
      if (shrunk.tries >= most_tries) return shrunk;
      std::vector<T> rest(whole.begin(), at(part));
      rest.insert(rest.end(), at(part + 1), whole.end());
      is_smaller = try_it(std::move(rest));
      if (is_smaller) parts -= 1;
    }
    if (is_smaller) continue;
    if (parts == whole.size()) break;
    parts *= 2;
  }
  shrunk.is_minimal = true;
  return shrunk;
}

}  // namespace arenad::chaos
