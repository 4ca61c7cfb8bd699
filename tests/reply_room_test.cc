#include "supervisor/reply_room.h"

#include <algorithm>

#include <doctest/doctest.h>

#include "arenad/module_abi.h"

namespace {

using namespace arenad;

constexpr size_t kArenasOfALargeStudio = 2000;

}  // namespace

TEST_CASE("reply room: what fits is told as it is") {
  const std::string longest(8, 'a');
  CHECK(*reply_within(8, longest) == longest);
  const auto refused = reply_within(8, make_error(ErrorCode::refused, longest));
  CHECK(refused.error().code == ErrorCode::refused);
  CHECK(refused.error().message == longest);
}

TEST_CASE("reply room: of what does not fit it is told whether it was done") {
  auto done = reply_within(8, std::string(9, 'a'));
  REQUIRE(done.ok());
  CHECK(*done == "done; its reply of 9 bytes is too long to be told with those of so many arenas");
  const auto refused = reply_within(8, make_error(ErrorCode::failed, std::string(9, 'a')));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::failed);
  CHECK(refused.error().message == "its refusal is too long to be told with those of so many arenas");
}

TEST_CASE("reply room: one arena may say all that a game can say, and thousands fit into the message together") {
  CHECK(room_of_each_reply(1) >= ARENAD_MAX_REPLY_BYTES);
  for (const size_t arenas : {size_t{2}, size_t{100}, kArenasOfALargeStudio}) {
    const size_t room = room_of_each_reply(arenas);
    auto reply = reply_within(room, std::string(ARENAD_MAX_REPLY_BYTES, 'a'));
    auto refusal = reply_within(room, make_error(ErrorCode::refused, std::string(limits::kMaxRefusalBytes, 'a')));
    CHECK(arenas * std::max(reply->size(), refusal.error().message.size()) < limits::kMaxControlMessageBytes);
  }
}
