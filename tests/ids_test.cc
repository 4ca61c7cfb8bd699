// Identities: their text, their order, and that no text is taken for an id that it is not.
#include "arenad/ids.h"

#include <string>
#include <type_traits>
#include <unordered_set>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using namespace arenad;
using arenad::test::Random;
using arenad::test::test_seed;

static_assert(!std::is_convertible_v<Epoch, FrameNumber>);
static_assert(!std::is_convertible_v<ChannelId, StreamPosition>);

constexpr const char* kLargest = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ";

}  // namespace

TEST_CASE("arena id: the smallest and the largest") {
  CHECK(ArenaId{}.text() == std::string(26, '0'));
  CHECK(ArenaId{}.is_null());
  CHECK(ArenaId{UINT64_MAX, UINT64_MAX}.text() == kLargest);
  CHECK(ArenaId::parse(std::string(26, '0')) == ArenaId{});
  CHECK(ArenaId::parse(kLargest) == ArenaId{UINT64_MAX, UINT64_MAX});
  CHECK_FALSE(ArenaId{0, 1}.is_null());
  CHECK_FALSE(ArenaId{1, 0}.is_null());
}

TEST_CASE("arena id: every single bit has its place in the text") {
  for (unsigned bit = 0; bit < 128; ++bit) {
    CAPTURE(bit);
    const ArenaId id = bit < 64 ? ArenaId{0, 1ull << bit} : ArenaId{1ull << (bit - 64), 0};
    const std::string text = id.text();
    REQUIRE(text.size() == 26);
    CHECK(ArenaId::parse(text) == id);
    // 5 bits to a digit, counted from the end.
    CHECK(text[25 - bit / 5] == "1248G"[bit % 5]);
  }
}

TEST_CASE("arena id: reads what other implementations of ULID write") {
  const auto id = ArenaId::parse("01ARYZ6S41TSV4RRFFQ69G5FAV");
  REQUIRE(id);
  CHECK((id->high >> 16) == 1469918176385);
  CHECK(id->text() == "01ARYZ6S41TSV4RRFFQ69G5FAV");
  CHECK(ArenaId::parse("01aryz6s41tsv4rrffq69g5fav") == id);
}

TEST_CASE("arena id: text that is none") {
  const std::string good = "01ARYZ6S41TSV4RRFFQ69G5FAV";
  SUBCASE("of another length") {
    CHECK_FALSE(ArenaId::parse(""));
    CHECK_FALSE(ArenaId::parse("0"));
    CHECK_FALSE(ArenaId::parse(good.substr(1)));
    CHECK_FALSE(ArenaId::parse(good + "0"));
    CHECK_FALSE(ArenaId::parse(std::string(1000, '0')));
  }
  SUBCASE("more than 128 bits") {
    for (const char first : {'8', '9', 'A', 'Z', 'z'}) {
      CAPTURE(first);
      CHECK_FALSE(ArenaId::parse(first + good.substr(1)));
    }
  }
  SUBCASE("each character that is no digit, in each place") {
    const std::string digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz";
    for (int c = 0; c < 256; ++c) {
      if (digits.find(static_cast<char>(c)) != std::string::npos) continue;
      for (size_t at = 0; at < good.size(); ++at) {
        std::string text = good;
        text[at] = static_cast<char>(c);
        CAPTURE(c);
        CAPTURE(at);
        CHECK_FALSE(ArenaId::parse(text));
      }
    }
  }
}

TEST_CASE("arena id: random ones come back from their text and sort as their text does") {
  Random random(test_seed());
  ArenaId previous;
  for (int i = 0; i < 20'000; ++i) {
    const ArenaId id{random() >> random.below(64), random() >> random.below(64)};
    const std::string text = id.text();
    if (ArenaId::parse(text) != id || (id < previous) != (text < previous.text())) {
      FAIL("id ", text, " after ", previous.text());
    }
    previous = id;
  }
}

TEST_CASE("arena id: made of a time and randomness, and sorted by time") {
  const ArenaId id = ArenaId::make(0x0000'1234'5678'9ABC, 0xFFFF'FFFF'FFFF'0001, 77);
  CHECK(id.high == 0x1234'5678'9ABC'0001);
  CHECK(id.low == 77);
  CHECK(ArenaId::make(1000, UINT64_MAX, UINT64_MAX) < ArenaId::make(1001, 0, 0));
  CHECK(ArenaId::make(1000, 1, UINT64_MAX) < ArenaId::make(1000, 2, 0));
  CHECK((ArenaId::make((1ull << 48) - 1, 0, 0).high >> 16) == (1ull << 48) - 1);
}

TEST_CASE("arena id: a key of hash tables") {
  std::unordered_set<ArenaId> ids;
  for (uint64_t i = 0; i < 100; ++i) {
    ids.insert({i, 5});
    ids.insert({5, i});
  }
  CHECK(ids.size() == 199);
  CHECK(ids.contains(ArenaId{5, 99}));
  CHECK_FALSE(ids.contains(ArenaId{5, 100}));
}

TEST_CASE("numbers count on and compare") {
  CHECK(Epoch{}.value == 0);
  CHECK(Epoch{1}.next() == Epoch{2});
  CHECK(FrameNumber{7} < FrameNumber{8});
  CHECK(FrameNumber{8} == FrameNumber{7}.next());
}
