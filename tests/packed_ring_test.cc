#include "supervisor/packed_ring.h"

#include <algorithm>
#include <deque>
#include <string>

#include <doctest/doctest.h>

#include "chaos/random.h"

using namespace arenad;

TEST_CASE("the newest so many are kept, oldest first") {
  PackedRing ring(100, 3);
  CHECK(ring.empty());
  for (const char* record : {"a", "bb", "c", "dddd"}) ring.push_back(record);
  REQUIRE(ring.size() == 3);
  CHECK(ring.front() == "bb");
  CHECK(ring[1] == "c");
  CHECK(ring.back() == "dddd");
  ring.pop_front();
  CHECK(ring.size() == 2);
  CHECK(ring.front() == "c");
}

TEST_CASE("one as long as the ring drives out all others") {
  PackedRing ring(8, 10);
  ring.push_back("abc");
  ring.push_back("12345678");
  REQUIRE(ring.size() == 1);
  CHECK(ring.front() == "12345678");
  ring.push_back("x");
  REQUIRE(ring.size() == 1);
  CHECK(ring.front() == "x");
}

TEST_CASE("whatever the lengths: what is kept is the end of what came, unharmed, and nothing goes that need not") {
  constexpr size_t kBytes = 200;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    chaos::Random random(seed, "records");
    const size_t most = 1 + random.below(40);
    PackedRing ring(kBytes, most);
    std::deque<std::string> all;
    for (int i = 0; i < 300; ++i) {
      std::string record(1 + random.below(60), static_cast<char>('a' + i % 26));
      ring.push_back(record);
      all.push_back(std::move(record));
      REQUIRE(ring.size() <= all.size());
      size_t bytes = 0;
      for (size_t k = 0; k < ring.size(); ++k) {
        const std::string& expected = all[all.size() - ring.size() + k];
        REQUIRE(ring[k] == expected);
        bytes += expected.size();
      }
      REQUIRE(bytes <= kBytes);
      // A record is 60 bytes at most: so much may be lost at the end of the memory, and so much for the newest.
      if (ring.size() < std::min(most, all.size())) REQUIRE(bytes >= kBytes - 3 * 60);
    }
  }
}
