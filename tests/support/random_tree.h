// Messages with every kind of pointer, different each time.
#pragma once

#include <algorithm>
#include <string>

#include "tests/support/seed.h"
#include "tests/support/test_messages.capnp.h"

namespace arenad::test {

inline void fill_tree(Tree::Builder tree, Random& random, uint64_t depth) {
  tree.setNumber(random());
  if (random.one_in(2)) tree.setName(std::string(random.below(40), 'n'));
  if (random.one_in(2)) {
    auto bytes = tree.initBytes(static_cast<unsigned>(random.below(50)));
    std::fill(bytes.begin(), bytes.end(), static_cast<unsigned char>(random()));
  }
  if (random.one_in(2)) {
    for (auto numbers = tree.initNumbers(static_cast<unsigned>(random.below(20))); const auto i : {0U, numbers.size() / 2}) {
      if (i < numbers.size()) numbers.set(i, random());
    }
  }
  if (random.one_in(2)) {
    auto flags = tree.initFlags(static_cast<unsigned>(random.below(70)));
    for (unsigned i = 0; i < flags.size(); i += 3) flags.set(i, true);
  }
  if (random.one_in(2)) {
    for (auto point : tree.initPoints(static_cast<unsigned>(random.below(10)))) point.setX(static_cast<int32_t>(random()));
  }
  if (random.one_in(2)) {
    auto chat = tree.initChat();
    chat.setSender(static_cast<uint32_t>(random()));
    chat.setText("chat " + std::to_string(random.below(1000)));
  }
  if (depth == 0) return;
  for (auto child : tree.initChildren(static_cast<unsigned>(random.below(4)))) fill_tree(child, random, depth - 1);
}

}  // namespace arenad::test
