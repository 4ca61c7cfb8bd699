// Whether one version's state can be read by another: each kind of change, and schemas that are damaged.
#include "worker/state_compatibility.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "arenad/game_schema.h"
#include "tests/support/seed.h"
#include "tests/support/state_versions.capnp.h"

namespace {

using namespace arenad;
using namespace arenad::test::versions;
using arenad::test::Random;
using arenad::test::test_seed;

struct Version {
  std::vector<unsigned char> bytes;
  uint64_t state_type = 0;
  [[nodiscard]] StateSchema schema() const { return {bytes, state_type}; }
};

template <class T>
Version version_of() {
  detail::SchemaNodes nodes;
  detail::add_type<T>(nodes);
  const auto message = nodes.message();
  const auto bytes = message.asBytes();
  return {{bytes.begin(), bytes.end()}, capnp::Schema::from<T>().getProto().getId()};
}

// Empty if it fits.
std::string misfit(const Version& written, const Version& read) {
  const auto fits = state_fits(written.schema(), read.schema());
  if (fits.ok()) return {};
  CHECK(fits.error().code == ErrorCode::refused);
  CHECK_FALSE(fits.error().message.empty());
  return fits.error().message;
}

template <class Written, class Read>
std::string misfit() {
  return misfit(version_of<typename Written::State>(), version_of<typename Read::State>());
}

// In both directions.
template <class A, class B>
bool fit() {
  return misfit<A, B>().empty() && misfit<B, A>().empty();
}

// Made by hand: as many numbers as there are offsets, in units of their own size.
Version numbers(const std::vector<uint32_t>& offsets) {
  constexpr uint64_t kState = 0x9123456789abcdef;
  capnp::MallocMessageBuilder message;
  auto node = message.initRoot<capnp::schema::CodeGeneratorRequest>().initNodes(1)[0];
  node.setId(kState);
  node.setDisplayName("game.capnp:State");
  node.setDisplayNamePrefixLength(11);
  auto fields = node.initStruct().initFields(static_cast<unsigned>(offsets.size()));
  for (unsigned i = 0; i < fields.size(); ++i) {
    fields[i].setName("f" + std::to_string(i));
    fields[i].getOrdinal().setExplicit(static_cast<uint16_t>(i));
    fields[i].initSlot().setOffset(offsets[i]);
    fields[i].getSlot().initType().setUint32();
    fields[i].getSlot().initDefaultValue().setUint32(0);
  }
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  return {{bytes.begin(), bytes.end()}, kState};
}

bool names(const std::string& message, const std::string& field) {
  INFO(message);
  const bool found = message.find(field) != std::string::npos;
  CHECK(found);
  return found;
}

bool is_corrupt(const StateSchema& written, const StateSchema& read) {
  const auto fits = state_fits(written, read);
  return !fits.ok() && fits.error().code == ErrorCode::corrupt && !fits.error().message.empty();
}

}  // namespace

TEST_CASE("state compatibility: a version fits itself") {
  CHECK(fit<Base, Base>());
  CHECK(fit<Two, Two>());
  CHECK(fit<Union, Union>());
  CHECK(fit<Nested, Nested>());
  CHECK(fit<Tree, Tree>());
  CHECK(fit<TreeTwofold, TreeTwofold>());
}

TEST_CASE("state compatibility: fields that only one has") {
  CHECK(misfit<Two, Three>().empty());  // added
  CHECK(misfit<Three, Two>().empty());  // not known to the older one
  CHECK(fit<Union, UnionMore>());
  CHECK(fit<Nested, NestedMore>());
  CHECK(fit<Tree, TreeMore>());
}

TEST_CASE("state compatibility: names are free") {
  CHECK(fit<Two, TwoOtherNames>());
  CHECK(fit<Two, TwoSwapped>());  // of one type, the ordinals count
  CHECK(fit<Nested, NestedRenamed>());
  CHECK(fit<UnionNamed, UnionOtherName>());
  CHECK(fit<Union, UnionNamed>());
  CHECK(fit<Two, TwoInGroup>());
  CHECK(fit<TwoInGroup, TwoInOtherGroup>());
}

TEST_CASE("state compatibility: another type") {
  const std::string message = misfit<Two, TwoOtherType>();
  CHECK(names(message, "State.b @1"));
  CHECK(names(message, "was UInt32 and is Int32 now"));
  CHECK(names(misfit<TwoOtherType, Two>(), "was Int32 and is UInt32 now"));
  CHECK(names(misfit<Two, TwoWiderType>(), "State.b @1"));
  CHECK(names(misfit<Two, TwoPointer>(), "was UInt32 and is Text now"));
  CHECK(names(misfit<TwoPointer, TwoData>(), "was Text and is Data now"));
}

TEST_CASE("state compatibility: another place") {
  CHECK(names(misfit(numbers({0, 1, 2}), numbers({0, 2, 1})), "State.f1 @1 lies in another place"));
  CHECK(names(misfit<Union, Two>(), "State.a @0"));
  CHECK(names(misfit<Two, Union>(), "State.a @0"));
  CHECK(names(misfit<UnionNamed, Two>(), "a @0"));
  CHECK(names(misfit<TagLate, TagEarly>(), "@0"));
  CHECK(names(misfit<TagEarly, TagLate>(), "@0"));
}

TEST_CASE("state compatibility: a state of very many fields") {
  std::vector<uint32_t> offsets(10'000);
  for (uint32_t i = 0; i < offsets.size(); ++i) offsets[i] = i;
  const Version written = numbers(offsets);
  CHECK(misfit(written, written).empty());
  ++offsets.back();
  CHECK(names(misfit(written, numbers(offsets)), "State.f9999 @9999"));
}

TEST_CASE("state compatibility: another default, with which a number is stored") {
  CHECK(names(misfit<Two, TwoOtherDefault>(), "State.b @1"));
  CHECK(names(misfit<TwoOtherDefault, Two>(), "State.b @1"));
  CHECK(fit<Two, TwoZeroDefault>());
  CHECK(fit<TwoOtherDefault, TwoOtherDefault>());
}

TEST_CASE("state compatibility: in groups and unions, whatever they are called") {
  CHECK(names(misfit<TwoInGroup, TwoInGroupOtherType>(), "b @1"));
  CHECK(names(misfit<TwoInGroup, TwoInOtherGroupOtherType>(), "b @1"));
  CHECK(names(misfit<TwoInGroup, TwoInDeepGroupOtherType>(), "b @1"));
  CHECK(names(misfit<Two, TwoInGroupOtherType>(), "b @1"));
  CHECK(names(misfit<TwoInGroupOtherType, Two>(), "b @1"));
  CHECK(names(misfit<UnionNamed, UnionOtherNameOtherType>(), "b @1"));
  CHECK(names(misfit<Union, UnionOtherNameOtherType>(), "b @1"));
}

TEST_CASE("state compatibility: in a nested struct, which is named") {
  CHECK(names(misfit<Nested, NestedOther>(), "Inner.y @1"));
  CHECK(names(misfit<NestedOther, Nested>(), "was Float32 and is Int32 now"));
  CHECK(names(misfit<OnlyDeep, OnlyDeepOther>(), "Inner.x @0"));
}

TEST_CASE("state compatibility: elements of a list") {
  CHECK(names(misfit<Lists, ListsOther>(), "State.scores @0"));
  CHECK(names(misfit<Lists, ListsDeeper>(), "State.scores @0"));
  CHECK(names(misfit<Lists, ListsStruct>(), "State.scores @0"));
  CHECK(names(misfit<ListsStruct, Lists>(), "State.scores @0"));
}

TEST_CASE("state compatibility: types that contain themselves") {
  CHECK(names(misfit<Tree, TreeOther>(), "State.value @0"));
  CHECK(fit<Tree, TreeTwofold>());
  CHECK(names(misfit<Tree, TreeTwofoldOther>(), "Other.value @0"));
  CHECK(names(misfit<TreeTwofoldOther, Tree>(), "State.value @0"));
}

TEST_CASE("state compatibility: the numbers of an enum are taken over as they are") {
  CHECK(fit<Enums, EnumsMore>());
  CHECK(names(misfit<Enums, EnumsNumber>(), "was Mood and is UInt16 now"));
}

TEST_CASE("state compatibility: what is no schema") {
  const Version good = version_of<Base::State>();
  const auto both = [&](const StateSchema& bad) { return is_corrupt(bad, good.schema()) && is_corrupt(good.schema(), bad); };
  CHECK(both({{}, good.state_type}));
  CHECK(both({good.schema().schema, 0}));
  CHECK(both({good.schema().schema, good.state_type + 1}));
  CHECK(both({good.schema().schema, capnp::Schema::from<Base::Mood>().getProto().getId()}));  // an enum is no state
  for (size_t bytes = 1; bytes <= 64; ++bytes) CHECK(both({good.schema().schema.first(bytes), good.state_type}));
  for (const unsigned char byte : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
    for (const size_t size : {1, 7, 8, 9, 16, 64, 4096}) {
      const std::vector<unsigned char> garbage(size, byte);
      CHECK(both({garbage, good.state_type}));
    }
  }
}

TEST_CASE("state compatibility: a few bytes that claim to be millions of types") {
  // One segment of three words: the root has one pointer, to a list of five million structs without anything in them.
  constexpr uint64_t kCount = 5'000'000;
  const uint64_t words[] = {uint64_t{3} << 32, uint64_t{1} << 48, uint64_t{7} << 32 | 1, kCount << 2};
  Version vast{std::vector<unsigned char>(sizeof words), 0};
  std::memcpy(vast.bytes.data(), words, sizeof words);
  const auto fits = state_fits(vast.schema(), vast.schema());
  REQUIRE_FALSE(fits.ok());
  CHECK(fits.error().code == ErrorCode::corrupt);
  CHECK(fits.error().message.find("cannot be read") != std::string::npos);
}

TEST_CASE("state compatibility: every shortened schema") {
  const Version good = version_of<Base::State>();
  for (size_t bytes = 0; bytes < good.bytes.size(); ++bytes) {
    const StateSchema cut{good.schema().schema.first(bytes), good.state_type};
    CAPTURE(bytes);
    REQUIRE(is_corrupt(cut, good.schema()));
    REQUIRE(is_corrupt(good.schema(), cut));
  }
}

TEST_CASE("state compatibility: damaged schemas give an answer") {
  Random random(test_seed());
  const Version good = version_of<Base::State>();
  size_t told = 0;
  for (int round = 0; round < 20'000; ++round) {
    Version bad = good;
    for (uint64_t i = 1 + random.below(8); i > 0; --i) {
      unsigned char& byte = bad.bytes[random.below(bad.bytes.size())];
      byte =
          random.one_in(2) ? static_cast<unsigned char>(random()) : static_cast<unsigned char>(byte ^ (1u << random.below(8)));
    }
    if (random.one_in(3)) bad.bytes.resize(random.below(bad.bytes.size()));
    using Pair = std::pair<const Version*, const Version*>;
    for (const auto& [written, read] : {Pair(&good, &bad), Pair(&bad, &good), Pair(&bad, &bad)}) {
      const auto fits = state_fits(written->schema(), read->schema());
      if (fits.ok()) continue;
      ++told;
      REQUIRE((fits.error().code == ErrorCode::corrupt || fits.error().code == ErrorCode::refused));
      REQUIRE_FALSE(fits.error().message.empty());
    }
  }
  CHECK(told > 0);
}

TEST_CASE("state compatibility: random bytes give an error") {
  Random random(test_seed());
  const Version good = version_of<Two::State>();
  for (int round = 0; round < 5000; ++round) {
    std::vector<unsigned char> garbage(random.below(2000));
    for (unsigned char& byte : garbage) byte = static_cast<unsigned char>(random());
    REQUIRE(is_corrupt({garbage, good.state_type}, good.schema()));
    REQUIRE(is_corrupt(good.schema(), {garbage, good.state_type}));
  }
}
