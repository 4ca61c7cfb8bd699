// The state that one arenad hands on to the next: what was written is read, and what is damaged is refused, in time.
#include "supervisor/handed_on.h"

#include <capnp/any.h>
#include <doctest/doctest.h>

namespace {

using namespace arenad;

constexpr ArenaId kArena{0x0190'0000'0000'1234, 0x5678};

wire::UpgradeState::Builder begun(capnp::MallocMessageBuilder& message) {
  auto state = message.initRoot<wire::UpgradeState>();
  begin_handed_on(state);
  state.setDirectoryLock(90);
  state.setWorkersListener(91);
  state.initControl().setListener(92);
  return state;
}

Result<HandedOn> handed_on(capnp::MallocMessageBuilder& message) {
  const auto file = HandedOn::write(message);
  REQUIRE(file.ok());
  return HandedOn::read(file.value());
}

}  // namespace

TEST_CASE("handed on: arenas are found by their ids") {
  capnp::MallocMessageBuilder message;
  auto arena = begun(message).initArenas(1)[0];
  write_arena_id(kArena, arena.initArena());
  arena.setName("duel");
  const auto read = handed_on(message);
  REQUIRE(read.ok());
  REQUIRE(read.value().find(kArena).has_value());
  CHECK(read.value().find(kArena)->getName() == "duel");
  CHECK_FALSE(read.value().find({1, 2}).has_value());
}

TEST_CASE("handed on: a few bytes that claim to be millions of arenas") {
  constexpr uint kArenasIndex = 6;  // of its pointers, as the layout of upgrade.capnp has it
  capnp::MallocMessageBuilder message;
  auto state = begun(message);
  auto any = message.getRoot<capnp::AnyStruct>();
  any.getPointerSection()[kArenasIndex].initAsListOfAnyStruct(0, 0, 5'000'000);
  REQUIRE(state.asReader().getArenas().size() == 5'000'000);
  const auto read = handed_on(message);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == ErrorCode::corrupt);
}
