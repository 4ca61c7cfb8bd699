// Hashes of code as text.
#include "arenad/code_hash.h"

#include <string>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

using namespace arenad;

TEST_CASE("code hash: as text, the high half first, with all zeros") {
  CHECK(CodeHash{}.text() == "00000000000000000000000000000000");
  CHECK(CodeHash{1, 2}.text() == "00000000000000010000000000000002");
  CHECK(CodeHash{0x0123456789abcdef, 0xfedcba9876543210}.text() == "0123456789abcdeffedcba9876543210");
  CHECK(CodeHash{UINT64_MAX, UINT64_MAX}.text() == std::string(32, 'f'));
}

TEST_CASE("code hash: what text() gives is read back") {
  test::Random random(test::test_seed());
  for (int i = 0; i < 1000; ++i) {
    // Small ones too.
    const CodeHash hash{random() >> random.below(64), random() >> random.below(64)};
    REQUIRE(hash.text().size() == 32);
    REQUIRE(CodeHash::parse(hash.text()) == hash);
  }
  CHECK(CodeHash::parse("0123456789ABCDEFfedcba9876543210") == CodeHash{0x0123456789abcdef, 0xfedcba9876543210});
}

TEST_CASE("code hash: what is none") {
  const std::string good = "0123456789abcdeffedcba9876543210";
  REQUIRE(CodeHash::parse(good));
  CHECK_FALSE(CodeHash::parse(""));
  CHECK_FALSE(CodeHash::parse(good.substr(1)));
  CHECK_FALSE(CodeHash::parse(good + "0"));
  CHECK_FALSE(CodeHash::parse(good.substr(0, 16)));
  CHECK_FALSE(CodeHash::parse(std::string(1000, '0')));
  CHECK_FALSE(CodeHash::parse("0x" + good.substr(2)));
  // One bad character, at every place.
  for (const char bad : {'g', 'G', '-', '+', ' ', '/', ':', '@', '`', '.', 'x', '\n', '\0', '\xff'}) {
    for (size_t i = 0; i < good.size(); ++i) {
      std::string text = good;
      text[i] = bad;
      CAPTURE(text);
      CHECK_FALSE(CodeHash::parse(text));
    }
  }
}

TEST_CASE("code hash: null and order") {
  CHECK(CodeHash{}.is_null());
  CHECK_FALSE(CodeHash{1, 0}.is_null());
  CHECK_FALSE(CodeHash{0, 1}.is_null());
  CHECK(CodeHash{1, 2} == CodeHash{1, 2});
  CHECK(CodeHash{1, 2} != CodeHash{2, 1});
  CHECK(CodeHash{0, UINT64_MAX} < CodeHash{1, 0});
}
