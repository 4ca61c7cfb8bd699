// A mutation of an input, for the test that keeps harnesses alive where there is no libFuzzer.
#pragma once

#include <string>
#include <string_view>

#include "chaos/random.h"
#include "fuzz/harness.h"

namespace arenad::fuzz {

inline std::string mutated(std::string input, const Harness& harness, chaos::Random& random) {
  const auto place = [&] { return random.below(input.size() + 1); };
  for (uint64_t times = 1 + random.below(4); times != 0; --times) {
    switch (random.below(6)) {
      case 0:
        if (!input.empty()) input[random.below(input.size())] ^= static_cast<char>(1u << random.below(8));
        break;
      case 1:
        if (!input.empty()) input[random.below(input.size())] = static_cast<char>(random.next());
        break;
      case 2:
        input.resize(place());
        break;
      case 3: {
        // A number at the edge of what there is.
        const uint64_t numbers[] = {0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF, 0x7FFFFFFFFFFFFFFF, 0xFFFFFFFFFFFFFFFF, input.size()};
        const uint64_t number = numbers[random.below(std::size(numbers))];
        const size_t bytes = size_t{1} << random.below(4);
        if (input.size() >= bytes) std::memcpy(input.data() + random.below(input.size() - bytes + 1), &number, bytes);
        break;
      }
      case 4: {
        const size_t from = place();
        input.insert(place(), input.substr(from, random.below(64)));
        break;
      }
      case 5:
        if (!harness.words.empty()) input.insert(place(), harness.words[random.below(harness.words.size())]);
        break;
    }
  }
  if (input.size() > harness.longest) input.resize(harness.longest);
  return input;
}

}  // namespace arenad::fuzz
