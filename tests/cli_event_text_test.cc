// Events as text, and above all those that players or modules made so that they cannot be shown.
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <capnp/message.h>
#include <capnp/schema.capnp.h>
#include <capnp/schema.h>
#include <doctest/doctest.h>

#include "cli/event_text.h"
#include "tests/support/game_schema.h"
#include "tests/support/random_tree.h"
#include "tests/support/seed.h"

namespace {

using arenad::cli::event_text;
using arenad::test::Chat;
using arenad::test::fill_tree;
using arenad::test::game_schema;
using arenad::test::Move;
using arenad::test::Nothing;
using arenad::test::Random;
using arenad::test::segment_of;
using arenad::test::test_seed;
using arenad::test::Tree;

namespace wire = arenad::wire;

std::span<const unsigned char> bytes_of(const std::string& text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

const std::string& schema() {
  static const std::string bytes = game_schema<Tree, Move, Nothing>();
  return bytes;
}

template <class T>
auto text_of(const std::string& message) {
  return event_text(bytes_of(schema()), capnp::typeId<T>(), bytes_of(message));
}

std::string reason(const arenad::Result<arenad::cli::EventText>& read) {
  return read ? "" : read.error().text();
}

std::string why(const arenad::Result<arenad::cli::EventText>& read) {
  REQUIRE_FALSE(read);
  return read.error().text();
}

std::string stream_of(capnp::MessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().size()};
}

std::string random_tree(Random& random) {
  capnp::MallocMessageBuilder message;
  fill_tree(message.initRoot<Tree>(), random, 2);
  return segment_of(message);
}

void damage(std::string& bytes, Random& random) {
  for (uint64_t left = 1 + random.below(4); left > 0; --left) {
    char& byte = bytes[random.below(bytes.size())];
    byte = static_cast<char>(random.one_in(2) ? random() : static_cast<unsigned char>(byte) ^ 1u << random.below(8));
  }
}

std::string random_bytes(Random& random) {
  std::string bytes(8 * (1 + random.below(64)), '\0');
  for (char& byte : bytes) byte = static_cast<char>(random.one_in(3) ? random() : 0);
  return bytes;
}

// A struct whose only field is a group, which is this struct again.
std::string schema_of_endless_group(uint64_t id) {
  capnp::MallocMessageBuilder message;
  auto node = message.initRoot<wire::GameSchema>().initNodes(1)[0];
  node.setId(id);
  node.setDisplayName("endless");
  auto type = node.initStruct();
  type.setDataWordCount(0);
  type.setPreferredListEncoding(capnp::schema::ElementSize::EMPTY);
  auto field = type.initFields(1)[0];
  field.setName("again");
  field.initGroup().setTypeId(id);
  return stream_of(message);
}

}  // namespace

TEST_SUITE("arenactl: events as text") {
  TEST_CASE("a flat event") {
    capnp::MallocMessageBuilder message;
    auto move = message.initRoot<Move>();
    move.setTick(7);
    move.setFire(true);
    const auto read = text_of<Move>(segment_of(message));
    REQUIRE_MESSAGE(read, reason(read));
    CHECK(read.value().type == "Move");
    CHECK(read.value().text ==
          "( tick = 7,\n  angle = 1.5,\n  speed = 0,\n  gear = -1,\n  mode = fast,\n  fire = true,\n  brake = true,\n  horn = "
          "0 )");
  }

  TEST_CASE("an event with pointers, whose text cannot do anything to a terminal") {
    capnp::MallocMessageBuilder message;
    auto tree = message.initRoot<Tree>();
    tree.setName("\x1b[2J\"\n");
    tree.initChat().setText("hello");
    const auto read = text_of<Tree>(segment_of(message));
    REQUIRE_MESSAGE(read, reason(read));
    CHECK(read.value().text.find('\x1b') == std::string::npos);
    CHECK(read.value().text.find("name = \"\\033[2J\\\"\\n\"") != std::string::npos);
    CHECK(read.value().text.find("text = \"hello\"") != std::string::npos);
  }

  TEST_CASE("an event without any field") {
    capnp::MallocMessageBuilder message;
    message.initRoot<Nothing>();
    const auto read = text_of<Nothing>(segment_of(message));
    REQUIRE_MESSAGE(read, reason(read));
    CHECK(read.value().text == "()");
  }

  TEST_CASE("every tree that is whole can be shown") {
    Random random(test_seed());
    for (int i = 0; i < 200; ++i) {
      const auto read = text_of<Tree>(random_tree(random));
      REQUIRE_MESSAGE(read, reason(read));
      CHECK(read.value().text.find("number = ") != std::string::npos);
    }
  }

  TEST_CASE("what cannot be shown says why") {
    const std::string whole(16, '\0');
    CHECK(why(text_of<Move>("")) == "the event: it is no whole number of words");
    CHECK(why(text_of<Move>("1234567")) == "the event: it is no whole number of words");
    CHECK(why(event_text(bytes_of(schema()), 0x1234, bytes_of(whole))) ==
          "the types of the game: 0x0000000000001234 is not among them");
    CHECK(why(event_text(bytes_of(schema()), capnp::typeId<arenad::test::Mode>(), bytes_of(whole))) ==
          "the types of the game: that of the event is no struct");
    CHECK(why(event_text({}, 1, bytes_of(whole))) == "the types of the game: their size is wrong");
    const std::string too_large(1024 * 1024 + 8, '\0');
    CHECK(why(event_text(bytes_of(too_large), 1, bytes_of(whole))) == "the types of the game: their size is wrong");
    const std::string pointer_to_nowhere("\xfc\xff\0\0\1\0\1\0", 8);
    CHECK(why(text_of<Chat>(pointer_to_nowhere)).starts_with("the event: "));
  }

  TEST_CASE("a few bytes that claim to be half a milliard of values") {
    // The root is a Tree whose list of points has 2^29-1 elements of no size.
    std::string message(8 * 11, '\0');
    const auto put = [&](size_t word, uint64_t value) { std::memcpy(message.data() + word * 8, &value, sizeof value); };
    put(0, uint64_t{7} << 48 | uint64_t{1} << 32);         // struct: one word, seven pointers
    put(2 + 4, uint64_t{0x1FFFFFFF} << 35 | uint64_t{1});  // points: a list of void
    CHECK(why(text_of<Tree>(message)).starts_with("the event: "));
    put(2 + 4, uint64_t{0});
    put(2 + 3, uint64_t{0x1FFFFFFF} << 35 | uint64_t{1} << 32 | 1);  // flags: bits that are not there
    CHECK(why(text_of<Tree>(message)).starts_with("the event: "));
  }

  TEST_CASE("more values than anybody reads, and deeper than anybody nests") {
    capnp::MallocMessageBuilder wide;
    wide.initRoot<Tree>().initFlags(200'000);
    CHECK(why(text_of<Tree>(segment_of(wide))) == "the event: it has more than 100000 values");
    capnp::MallocMessageBuilder deep;
    auto tree = deep.initRoot<Tree>();
    for (int depth = 0; depth < 40; ++depth) tree = tree.initChildren(1)[0];
    CHECK_FALSE(text_of<Tree>(segment_of(deep)));
  }

  TEST_CASE("a type that contains itself") {
    const std::string types = schema_of_endless_group(0xfedcba9876543210);
    const std::string message(16, '\0');
    CHECK_FALSE(event_text(bytes_of(types), 0xfedcba9876543210, bytes_of(message)));
  }

  // The library calls itself until the stack ends when it wants to say which field it is at.
  TEST_CASE("a type with a field whose name cannot be read") {
    std::string types = schema();
    const std::string name("gear\0", 5);
    const size_t at = types.find(name);
    REQUIRE(at != std::string::npos);
    types[at + 4] = 'x';  // texts end with a zero
    const std::string message(16, '\0');
    CHECK(why(event_text(bytes_of(types), capnp::typeId<Move>(), bytes_of(message))).starts_with("the types of the game: "));
  }

  TEST_CASE("a type whose name is said to be longer than it is") {
    capnp::MallocMessageBuilder message;
    auto node = message.initRoot<wire::GameSchema>().initNodes(1)[0];
    node.setId(0xfedcba9876543210);
    node.setDisplayName("game.capnp:Order");
    node.setDisplayNamePrefixLength(UINT32_MAX);
    node.initStruct().setPreferredListEncoding(capnp::schema::ElementSize::EMPTY);
    const std::string types = stream_of(message);
    const auto read = event_text(bytes_of(types), 0xfedcba9876543210, bytes_of(std::string(8, '\0')));
    REQUIRE_MESSAGE(read, reason(read));
    CHECK(read.value().type == "Order");
  }

  TEST_CASE("damaged events") {
    Random random(test_seed());
    int shown = 0;
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
      std::string message = random_tree(random);
      damage(message, random);
      const auto read = text_of<Tree>(message);
      ++(read ? shown : refused);
      if (!read) CHECK_FALSE(read.error().text().empty());
    }
    CHECK(shown > 0);
    CHECK(refused > 0);
  }

  TEST_CASE("random bytes as events") {
    Random random(test_seed());
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
      if (!text_of<Tree>(random_bytes(random))) ++refused;
    }
    CHECK(refused > 0);
  }

  TEST_CASE("damaged and random types") {
    Random random(test_seed());
    const std::string message = random_tree(random);
    int shown = 0;
    int refused = 0;
    for (int i = 0; i < 3000; ++i) {
      std::string types = random.one_in(10) ? random_bytes(random) : schema();
      damage(types, random);
      const auto read = event_text(bytes_of(types), capnp::typeId<Tree>(), bytes_of(message));
      ++(read ? shown : refused);
    }
    CHECK(shown > 0);
    CHECK(refused > 0);
  }
}

TEST_CASE("event text: a type whose fields lie outside of their struct is not read by") {
  // All bits set: libcapnp's own check adds 1 to it, and nothing is left.
  const auto spoilt = [](auto spoil) {
    const std::string bytes = game_schema<Tree, Move, Nothing>();
    auto words = kj::heapArray<capnp::word>(bytes.size() / sizeof(capnp::word));
    std::memcpy(words.begin(), bytes.data(), bytes.size());
    capnp::FlatArrayMessageReader reader(words);
    capnp::MallocMessageBuilder copy;
    copy.setRoot(reader.getRoot<wire::GameSchema>());
    for (auto node : copy.getRoot<wire::GameSchema>().getNodes()) {
      if (node.isStruct()) spoil(node.getStruct());
    }
    return stream_of(copy);
  };
  const std::string event(8, '\0');
  const std::string outside = "a field lies outside of its struct";
  const std::string unions = spoilt([](auto type) {
    type.setDiscriminantCount(2);
    type.setDiscriminantOffset(UINT32_MAX);
  });
  CHECK(why(event_text(bytes_of(unions), capnp::typeId<Move>(), bytes_of(event))).find(outside) != std::string::npos);
  const std::string slots = spoilt([](auto type) {
    for (auto field : type.getFields()) {
      if (field.isSlot()) field.getSlot().setOffset(UINT32_MAX);
    }
  });
  CHECK(why(event_text(bytes_of(slots), capnp::typeId<Move>(), bytes_of(event))).find(outside) != std::string::npos);
}
