// Messages where they lie: kept builders and readers of flat types, builders over given memory, and views that no message can hurt.
#include "arenad/message.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include <capnp/message.h>
#include <capnp/pretty-print.h>
#include <doctest/doctest.h>
#include <kj/exception.h>

#include "tests/support/random_tree.h"
#include "tests/support/seed.h"
#include "tests/support/test_messages.capnp.h"

namespace {

using namespace arenad;
using arenad::test::fill_tree;
using arenad::test::Random;
using arenad::test::test_seed;

static_assert(is_flat<test::Nothing> && is_flat<test::Point> && is_flat<test::Move>);
static_assert(!is_flat<test::Chat> && !is_flat<test::Tree>);
static_assert(flat_word_count<test::Nothing> == 1);
static_assert(flat_word_count<test::Point> == 2);
static_assert(FlatWriter<test::PointLater>::word_count == 3);

template <class T>
std::string text_of(const T& reader) {
  return kj::str(reader).cStr();
}

template <class T>
std::string text_in(const void* words, size_t count) {
  MessageView view(words, count, unbounded_reader_options());
  return text_of(view.root<T>());
}

template <class T>
bool refused(const std::vector<uint64_t>& words) {
  try {
    MessageView view(words.data(), words.size());
    (void)text_of(view.root<T>());
    return false;
  } catch (const kj::Exception&) {
    return true;
  }
}

uint64_t struct_pointer(int32_t offset, uint16_t data_words, uint16_t pointers) {
  return static_cast<uint32_t>(offset) << 2 | uint64_t{data_words} << 32 | uint64_t{pointers} << 48;
}

}  // namespace

TEST_CASE("flat messages: written and read with one builder and one reader") {
  FlatWriter<test::Move> writer;
  FlatReader<test::Move> reader;
  for (uint64_t i = 0; i < 100; ++i) {
    auto& move = writer.fresh();
    CHECK(move.getTick() == 0);
    CHECK(move.getAngle() == 1.5);
    CHECK(move.getMode() == test::Mode::FAST);
    CHECK(move.getGear() == -1);
    CHECK(move.getBrake());
    move.setTick(i);
    move.setAngle(static_cast<double>(i) / 3);
    move.setSpeed(-1);
    move.setMode(test::Mode::WILD);
    move.setFire(i % 2 == 0);
    move.setBrake(i % 3 == 0);
    move.setHorn(255);
    const auto* read = reader.read(writer.words(), writer.word_count);
    REQUIRE(read != nullptr);
    CHECK(read->getTick() == i);
    CHECK(read->getAngle() == static_cast<double>(i) / 3);
    CHECK(read->getSpeed() == -1);
    CHECK(read->getGear() == -1);
    CHECK(read->getMode() == test::Mode::WILD);
    CHECK(read->getFire() == (i % 2 == 0));
    CHECK(read->getBrake() == (i % 3 == 0));
    CHECK(read->getHorn() == 255);
    CHECK(text_in<test::Move>(writer.words(), writer.word_count) == text_of(*read));
  }
}

TEST_CASE("flat messages: what is read is a private copy") {
  FlatWriter<test::Point> writer;
  FlatReader<test::Point> reader;
  writer.fresh().setX(5);
  const auto* point = reader.read(writer.words(), writer.word_count);
  REQUIRE(point != nullptr);
  writer.fresh().setX(6);
  CHECK(point->getX() == 5);
}

TEST_CASE("flat messages: a message without a single word of data") {
  FlatWriter<test::Nothing> writer;
  writer.fresh();
  FlatReader<test::Nothing> reader;
  CHECK(reader.read(writer.words(), writer.word_count) != nullptr);
  CHECK(text_in<test::Nothing>(writer.words(), writer.word_count) == "()");
}

TEST_CASE("flat messages: the kept builder writes what any other does") {
  FlatWriter<test::Move> writer;
  std::array<uint64_t, FlatWriter<test::Move>::word_count> words{};
  InPlaceBuilder builder(words.data(), words.size());
  for (auto move : {writer.fresh(), builder.initRoot<test::Move>()}) {
    move.setTick(77);
    move.setSpeed(2.5F);
  }
  REQUIRE(builder.fits());
  REQUIRE(builder.used_words() == words.size());
  CHECK(std::memcmp(words.data(), writer.words(), sizeof words) == 0);
  FlatReader<test::Move> reader;
  REQUIRE(reader.read(words.data(), words.size()) != nullptr);
  CHECK(reader.read(words.data(), words.size())->getTick() == 77);
}

TEST_CASE("flat messages: one of another layout is not taken, but can be looked at") {
  FlatWriter<test::Point> older;
  older.fresh().setX(3);
  FlatWriter<test::PointLater> later;
  later.fresh().setX(4);
  FlatReader<test::Point> reads_older;
  FlatReader<test::PointLater> reads_later;
  CHECK(reads_older.read(later.words(), later.word_count) == nullptr);
  CHECK(reads_later.read(older.words(), older.word_count) == nullptr);
  MessageView old_message(older.words(), older.word_count);
  CHECK(old_message.root<test::PointLater>().getX() == 3);
  CHECK(old_message.root<test::PointLater>().getZ() == 7);
  MessageView new_message(later.words(), later.word_count);
  CHECK(new_message.root<test::Point>().getX() == 4);

  SUBCASE("of another number of words") {
    const std::vector<uint64_t> words = {struct_pointer(0, 1, 0), 9, 9, 9};
    REQUIRE(reads_older.read(words.data(), 2) != nullptr);
    CHECK(reads_older.read(words.data(), 0) == nullptr);
    CHECK(reads_older.read(words.data(), 1) == nullptr);
    CHECK(reads_older.read(words.data(), 3) == nullptr);
    CHECK(reads_older.read(words.data(), SIZE_MAX) == nullptr);
  }
  SUBCASE("of another root") {
    for (const uint64_t root : {uint64_t{0}, struct_pointer(1, 1, 0), struct_pointer(-1, 1, 0), struct_pointer(0, 0, 0),
                                struct_pointer(0, 2, 0), struct_pointer(0, 1, 1), struct_pointer(0, 0, 1),
                                struct_pointer(0, 1, 0) | 1, struct_pointer(0, 1, 0) | 2, UINT64_MAX}) {
      CAPTURE(root);
      const std::array<uint64_t, 2> words = {root, 5};
      CHECK(reads_older.read(words.data(), words.size()) == nullptr);
    }
  }
  SUBCASE("and the last one that was taken stays what it was") {
    const auto* point = reads_older.read(older.words(), older.word_count);
    REQUIRE(point != nullptr);
    CHECK(reads_older.read(later.words(), later.word_count) == nullptr);
    CHECK(point->getX() == 3);
  }
}

TEST_CASE("in place: a message is built in the memory that it is given, and nowhere else") {
  std::vector<uint64_t> words(64);
  words.back() = 0xEEEE;
  InPlaceBuilder message(words.data(), words.size() - 1);
  auto chat = message.initRoot<test::Chat>();
  chat.setSender(9);
  chat.setText("hello");
  REQUIRE(message.fits());
  CHECK(message.used_words() == 4);  // root pointer, data, pointer, text
  CHECK(text_in<test::Chat>(words.data(), message.used_words()) == "(sender = 9, text = \"hello\")");
  CHECK(std::all_of(words.begin() + 4, words.end() - 1, [](uint64_t word) { return word == 0; }));
  CHECK(words.back() == 0xEEEE);
}

TEST_CASE("in place: exact fit, one word too little, and far too little") {
  auto build = [](InPlaceBuilder& message) {
    auto chat = message.initRoot<test::Chat>();
    chat.setSender(9);
    chat.setText("exactly 23 characters..");  // and its zero: three words
    return text_of(chat.asReader());
  };
  constexpr size_t kNeeded = 6;
  for (size_t capacity = 0; capacity <= kNeeded + 2; ++capacity) {
    CAPTURE(capacity);
    std::vector<uint64_t> words(capacity + 1);
    words[capacity] = 0xEEEE;
    InPlaceBuilder message(words.data(), capacity);
    const std::string text = build(message);
    CHECK(text == "(sender = 9, text = \"exactly 23 characters..\")");  // whether it fits or not
    CHECK(message.fits() == (capacity >= kNeeded));
    CHECK(words[capacity] == 0xEEEE);
    if (!message.fits()) continue;
    CHECK(message.used_words() == kNeeded);
    CHECK(text_in<test::Chat>(words.data(), kNeeded) == text);
  }
}

TEST_CASE("in place: a message of one word") {
  for (const size_t capacity : {0, 1}) {
    CAPTURE(capacity);
    std::array<uint64_t, 2> words{};
    InPlaceBuilder message(words.data(), capacity);
    message.initRoot<test::Nothing>();
    CHECK(message.fits() == (capacity == 1));
    if (message.fits()) CHECK(message.used_words() == 1);
    CHECK(words[1] == 0);
  }
}

TEST_CASE("in place: nothing built is nothing used") {
  std::array<uint64_t, 4> words{};
  InPlaceBuilder message(words.data(), words.size());
  CHECK(message.fits());
  CHECK(message.used_words() == 0);
}

TEST_CASE("in place: what spills is large, and can be copied once into space of the right size") {
  Random random(test_seed());
  for (int round = 0; round < 300; ++round) {
    CAPTURE(round);
    std::vector<uint64_t> words(random.below(300));
    InPlaceBuilder message(words.data(), words.size());
    fill_tree(message.initRoot<test::Tree>(), random, 4);
    const auto root = message.getRoot<test::Tree>().asReader();
    const std::string text = text_of(root);
    if (message.fits()) {
      CHECK(text_in<test::Tree>(words.data(), message.used_words()) == text);
      continue;
    }
    const size_t exact = root.totalSize().wordCount + 1;
    std::vector<uint64_t> copy(exact);
    InPlaceBuilder fitted(copy.data(), copy.size());
    fitted.setRoot(root);
    REQUIRE(fitted.fits());
    CHECK(fitted.used_words() == exact);
    CHECK(text_in<test::Tree>(copy.data(), exact) == text);
  }
}

TEST_CASE("message view: a message in private memory") {
  capnp::MallocMessageBuilder message;
  auto tree = message.initRoot<test::Tree>();
  tree.setName("root");
  tree.initChildren(3)[2].setNumber(8);
  const auto segments = message.getSegmentsForOutput();
  REQUIRE(segments.size() == 1);
  MessageView view(segments[0].begin(), segments[0].size());
  CHECK(view.root<test::Tree>().getChildren()[2].getNumber() == 8);
  CHECK(view.root<test::Tree>().getName() == "root");
}

TEST_CASE("message view: an empty one has the defaults of its type") {
  const uint64_t null_root = 0;
  MessageView view(&null_root, 1);
  CHECK(view.root<test::Move>().getGear() == -1);
  CHECK(view.root<test::Tree>().getChildren().size() == 0);
}

TEST_CASE("hostile message: pointers that lead nowhere, in circles, or to the same place many times") {
  SUBCASE("out of the message") {
    CHECK(refused<test::Tree>({}));
    CHECK(refused<test::Tree>({struct_pointer(0, 1, 0)}));
    CHECK(refused<test::Tree>({struct_pointer(-2, 1, 0), 0}));
    CHECK(refused<test::Tree>({struct_pointer(1000, 1, 0), 0}));
    CHECK(refused<test::Tree>({struct_pointer(0, 2, 0), 0}));
    CHECK(refused<test::Tree>({struct_pointer(0, UINT16_MAX, UINT16_MAX), 0}));
  }
  SUBCASE("of a kind that a root cannot be") {
    CHECK(refused<test::Tree>({0x0000000200000001, 0, 0}));  // a list
    CHECK(refused<test::Tree>({0x0000000100000002, 0}));     // far, into a segment that there is not
    CHECK(refused<test::Tree>({0x0000000000000003, 0}));     // a capability
  }
  SUBCASE("in a circle: a tree that is its own child") {
    // root -> {number, 7 pointers}; its list of children is a composite list of one struct, whose children are the same list.
    std::vector<uint64_t> words(18);
    words[0] = struct_pointer(0, 1, 7);
    constexpr size_t kChildrenOfRoot = 1 + 1 + 5;
    constexpr size_t kTag = 9;
    constexpr size_t kChildrenOfChild = kTag + 1 + 1 + 5;
    auto list_pointer = [&](size_t at) {
      const auto offset = static_cast<uint32_t>(static_cast<int32_t>(kTag) - static_cast<int32_t>(at) - 1);
      return uint64_t{offset << 2 | 1} | uint64_t{7} << 32 | uint64_t{8} << 35;
    };
    words[kTag] = uint64_t{1} << 2 | uint64_t{1} << 32 | uint64_t{7} << 48;
    words[kChildrenOfRoot] = list_pointer(kChildrenOfRoot);
    words[kChildrenOfChild] = list_pointer(kChildrenOfChild);
    MessageView once(words.data(), words.size());
    REQUIRE(once.root<test::Tree>().getChildren().size() == 1);
    REQUIRE(once.root<test::Tree>().getChildren()[0].getChildren().size() == 1);
    CHECK(refused<test::Tree>(words));
  }
  SUBCASE("deeper than any message of ours") {
    auto chain = [](int depth) {
      std::vector<uint64_t> words(1000);
      InPlaceBuilder message(words.data(), words.size());
      auto tree = message.initRoot<test::Tree>();
      for (int i = 0; i < depth; ++i) tree = tree.initChildren(1)[0];
      REQUIRE(message.fits());
      words.resize(message.used_words());
      return words;
    };
    CHECK_FALSE(refused<test::Tree>(chain(10)));
    CHECK_FALSE(refused<test::Tree>(chain(15)));  // a list and its struct are two levels
    CHECK(refused<test::Tree>(chain(17)));
    CHECK(refused<test::Tree>(chain(60)));
  }
  SUBCASE("a list of half a billion elements of nothing") {
    // Tree.points: a composite list of structs without a word, as many as there can be.
    std::vector<uint64_t> words(10);
    words[0] = struct_pointer(0, 1, 7);
    words[6] = uint64_t{2} << 2 | 1 | uint64_t{7} << 32;
    words[9] = uint64_t{0x1FFFFFFF} << 2;
    CHECK(refused<test::Tree>(words));
  }
}

TEST_CASE("hostile message: garbage of every kind is refused or read, without harm") {
  Random random(test_seed());
  capnp::MallocMessageBuilder message;
  fill_tree(message.initRoot<test::Tree>(), random, 3);
  std::vector<uint64_t> good(message.getRoot<test::Tree>().totalSize().wordCount + 1);
  InPlaceBuilder flat(good.data(), good.size());
  flat.setRoot(message.getRoot<test::Tree>().asReader());
  REQUIRE_FALSE(refused<test::Tree>(good));
  for (int round = 0; round < 3000; ++round) {
    std::vector<uint64_t> words = good;
    for (uint64_t n = 1 + random.below(4); n > 0; --n) {
      uint64_t& word = words[random.below(words.size())];
      word = random.one_in(2) ? word ^ uint64_t { 1 } << random.below(64) : random() >> random.below(64);
    }
    if (random.one_in(4)) words.resize(random.below(words.size()));
    (void)refused<test::Tree>(words);
    (void)refused<test::Chat>(words);
    FlatReader<test::Move> reader;
    (void)reader.read(words.data(), words.size());
  }
}
