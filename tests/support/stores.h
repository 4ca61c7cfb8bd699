// Tearing a shared memory layout on purpose: what changed between two images of it, one word at a time.
//
// A writer that dies has done some of its stores. Taking two images, before and after, and doing the
// stores between them one by one, shows a reader every state that the writer can have left behind;
// in another order, those that another machine could have shown.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "tests/support/seed.h"

namespace arenad::test {

struct WordStore {
  size_t offset;
  uint64_t word;
};

using Image = std::vector<std::byte>;

inline Image image_of(const void* from, size_t bytes) {
  const auto* at = static_cast<const std::byte*>(from);
  return {at, at + bytes};
}

inline std::vector<WordStore> stores_between(const Image& before, const Image& after) {
  std::vector<WordStore> stores;
  for (size_t at = 0; at + 8 <= before.size(); at += 8) {
    WordStore store{at, 0};
    std::memcpy(&store.word, after.data() + at, 8);
    if (std::memcmp(before.data() + at, after.data() + at, 8) != 0) stores.push_back(store);
  }
  return stores;
}

inline void do_store(std::byte* memory, const WordStore& store) {
  std::memcpy(memory + store.offset, &store.word, 8);
}

// Upwards, downwards, and in several random orders.
inline std::vector<std::vector<WordStore>> orders_of(std::vector<WordStore> stores, Random& random) {
  std::vector<std::vector<WordStore>> orders{stores};
  std::reverse(stores.begin(), stores.end());
  orders.push_back(stores);
  for (int i = 0; i < 4; ++i) {
    for (size_t n = stores.size(); n > 1; --n) std::swap(stores[n - 1], stores[random.below(n)]);
    orders.push_back(stores);
  }
  return orders;
}

}  // namespace arenad::test
