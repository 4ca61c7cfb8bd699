// Names of kept descriptors: what is written is read again, and nothing else is taken for one.
#include "supervisor/kept_names.h"

#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace arenad;

const ArenaId kArena{0x0193'5b2c'11d0'1234, 0xfedc'ba98'7654'3210};

}  // namespace

TEST_CASE("kept names: what is written is read again") {
  std::string every_byte;
  for (int i = 0; i < 64; ++i) every_byte += static_cast<char>(i * 4 + 3);
  for (const KeptName& name : {KeptName{.arena = kArena, .kind = KeptKind::region, .epoch = {1}},
                               KeptName{.arena = kArena, .kind = KeptKind::process, .epoch = {UINT64_MAX}},
                               KeptName{.arena = kArena, .kind = KeptKind::channel, .channel = {7}, .slot = 0, .player = "ann"},
                               KeptName{.arena = kArena, .kind = KeptKind::channel, .channel = {UINT64_MAX}, .slot = 127},
                               KeptName{.arena = kArena, .kind = KeptKind::channel, .channel = {8}, .player = every_byte}}) {
    const std::string text = name.text();
    CAPTURE(text);
    CHECK(text.size() <= 255);
    CHECK(text.find(':') == std::string::npos);
    const auto read = KeptName::parse(text);
    REQUIRE(read.has_value());
    CHECK(*read == name);
  }
}

TEST_CASE("kept names: nothing else is taken for one") {
  const std::string head = "arena." + kArena.text();
  const std::vector<std::string> others = {std::string(),
                                           std::string("stored"),
                                           std::string("arena"),
                                           head,
                                           head + ".region",
                                           head + ".region.",
                                           head + ".region.0",
                                           head + ".region.1x",
                                           head + ".region.1.2",
                                           head + ".board.1",
                                           "arena.XYZ.region.1",
                                           "game." + kArena.text() + ".region.1",
                                           head + ".region.99999999999999999999",
                                           head + ".channel.1.2",
                                           head + ".channel.1.128.61",
                                           head + ".channel.1.2.6",
                                           head + ".channel.1.2.zz",
                                           head + ".channel.1.2.61.62",
                                           head + ".channel.x.2.61",
                                           head + ".channel.1.2." + std::string(130, '6')};
  for (const std::string& text : others) {
    CAPTURE(text);
    CHECK_FALSE(KeptName::parse(text).has_value());
  }
}
