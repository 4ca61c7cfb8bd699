// Who sits where in an arena: first comers, those who come back, observers, and what is kept of those who left.
#include "supervisor/channel_roster.h"

#include <set>
#include <string>

#include <doctest/doctest.h>

#include "arenad/module_abi.h"
#include "ipc/limits.h"
#include "tests/support/seed.h"

namespace {

using namespace arenad;
using Kind = ChannelRoster::Kind;
using arenad::test::Random;
using arenad::test::test_seed;

constexpr uint32_t kGone = 1;

std::optional<Seat> place(const ChannelRoster& roster, Kind kind, const std::string& player,
                          uint32_t max_players = limits::kMaxSeats) {
  const auto seat = roster.find_place(kind, player, max_players);
  if (seat.ok()) return seat.value();
  CHECK(seat.error().code == ErrorCode::refused);
  return std::nullopt;
}

ChannelId come(ChannelRoster& roster, const std::string& player, Kind kind = Kind::player,
               uint32_t max_players = limits::kMaxSeats) {
  const auto seat = place(roster, kind, player, max_players);
  REQUIRE(seat.has_value());
  return roster.add(*seat, player, Fd()).id;
}

Seat seat_of(ChannelRoster& roster, ChannelId id) {
  const RosterChannel* channel = roster.find(id);
  REQUIRE(channel != nullptr);
  return channel->slot;
}

}  // namespace

TEST_CASE("channel roster: nobody") {
  ChannelRoster roster;
  CHECK(roster.all().empty());
  CHECK(roster.present(Kind::player) == 0);
  CHECK(roster.present(Kind::observer) == 0);
  CHECK(roster.present_at(0) == nullptr);
  CHECK(roster.find({1}) == nullptr);
  CHECK(place(roster, Kind::player, "ann") == Seat{0});
  CHECK(place(roster, Kind::observer, "ann") == Seat{limits::kMaxSeats});
  CHECK_FALSE(place(roster, Kind::player, "ann", 0).has_value());
  roster.leave({1}, kGone);
  roster.forget({1});
  CHECK(roster.all().empty());
}

TEST_CASE("channel roster: one comes, leaves and comes back to its seat") {
  ChannelRoster roster;
  const ChannelId first = come(roster, "ann");
  CHECK(seat_of(roster, first) == 0);
  CHECK(roster.present(Kind::player) == 1);
  CHECK(roster.present_at(0)->player == "ann");
  CHECK_FALSE(place(roster, Kind::player, "ann").has_value());  // there already
  CHECK(place(roster, Kind::observer, "ann") == Seat{limits::kMaxSeats});

  roster.leave(first, kGone);
  CHECK(roster.present(Kind::player) == 0);
  CHECK(roster.present_at(0) == nullptr);
  CHECK(roster.find(first)->gone_reason == kGone);  // kept: a recovery may need its records
  const ChannelId second = come(roster, "ann");
  CHECK(second != first);
  CHECK(seat_of(roster, second) == 0);
  CHECK(roster.present_at(0)->id == second);

  roster.forget(first);
  CHECK(roster.find(first) == nullptr);
  CHECK(roster.present_at(0)->id == second);
}

TEST_CASE("channel roster: the first reason for leaving stays") {
  ChannelRoster roster;
  const ChannelId id = come(roster, "ann");
  roster.leave(id, 2);
  roster.leave(id, 0);
  CHECK(roster.find(id)->gone_reason == 2u);
}

TEST_CASE("channel roster: seats that somebody had are given away last") {
  ChannelRoster roster;
  const ChannelId ann = come(roster, "ann", Kind::player, 3);
  come(roster, "bob", Kind::player, 3);
  roster.leave(ann, kGone);
  SUBCASE("a newcomer takes the untouched one") {
    CHECK(seat_of(roster, come(roster, "cid", Kind::player, 3)) == 2);
    CHECK(seat_of(roster, come(roster, "ann", Kind::player, 3)) == 0);
  }
  SUBCASE("with none untouched, the one that is free; its former owner is a newcomer then") {
    come(roster, "cid", Kind::player, 3);
    CHECK(seat_of(roster, come(roster, "dan", Kind::player, 3)) == 0);
    CHECK_FALSE(place(roster, Kind::player, "ann", 3).has_value());
    roster.leave(roster.present_at(1)->id, kGone);
    CHECK(seat_of(roster, come(roster, "ann", Kind::player, 3)) == 1);
    CHECK_FALSE(place(roster, Kind::player, "bob", 3).has_value());
  }
}

TEST_CASE("channel roster: full, with one less, and with one more") {
  for (const uint32_t max_players : {1u, 2u, limits::kMaxSeats}) {
    ChannelRoster roster;
    for (uint32_t i = 0; i + 1 < max_players; ++i) come(roster, "p" + std::to_string(i), Kind::player, max_players);
    const ChannelId last = come(roster, "last", Kind::player, max_players);
    CHECK(seat_of(roster, last) == max_players - 1);
    CHECK(roster.present(Kind::player) == max_players);
    CHECK_FALSE(place(roster, Kind::player, "one more", max_players).has_value());
    CHECK(place(roster, Kind::observer, "one more", max_players) == Seat{limits::kMaxSeats});
    roster.leave(last, kGone);
    CHECK(place(roster, Kind::player, "one more", max_players) == Seat(max_players - 1));
  }
  ChannelRoster roster;  // more than there are seats at all
  for (uint32_t i = 0; i < limits::kMaxSeats; ++i) come(roster, "p" + std::to_string(i), Kind::player, 1000);
  CHECK_FALSE(place(roster, Kind::player, "one more", 1000).has_value());
}

TEST_CASE("channel roster: observers take the lowest free slot behind the seats, may share a name, and have a limit") {
  ChannelRoster roster;
  ChannelId third;
  for (uint32_t i = limits::kMaxSeats; i < limits::kMaxSlots; ++i) {
    const ChannelId id = come(roster, "watcher", Kind::observer);
    CHECK(seat_of(roster, id) == i);
    if (i == limits::kMaxSeats + 2) third = id;
  }
  CHECK(roster.present(Kind::observer) == limits::kMaxSlots - limits::kMaxSeats);
  CHECK(roster.present(Kind::player) == 0);
  CHECK_FALSE(place(roster, Kind::observer, "one more").has_value());
  CHECK(place(roster, Kind::player, "watcher") == Seat{0});
  roster.leave(third, kGone);
  CHECK(place(roster, Kind::observer, "one more") == Seat{limits::kMaxSeats + 2});
}

TEST_CASE("channel roster: those of a snapshot are known, but not there") {
  ChannelRoster roster;
  roster.add_departed({7}, 3, "ann", Fd(), kGone);
  roster.add_departed({5}, limits::kMaxSeats, "watcher", Fd(), kGone);
  CHECK(roster.present(Kind::player) == 0);
  CHECK(roster.find({7})->gone_reason == kGone);
  CHECK(place(roster, Kind::player, "ann") == Seat{3});
  CHECK(place(roster, Kind::player, "bob") == Seat{0});
  CHECK(place(roster, Kind::observer, "watcher") == Seat{limits::kMaxSeats});
  CHECK(come(roster, "bob") == ChannelId{8});  // above every id that was given already
}

TEST_CASE("channel roster: cleared, it knows seats still and gives no id twice") {
  ChannelRoster roster;
  come(roster, "ann");
  const ChannelId bob = come(roster, "bob");
  roster.clear();
  CHECK(roster.all().empty());
  const ChannelId again = come(roster, "bob");
  CHECK(seat_of(roster, again) == 1);
  CHECK(again > bob);
}

TEST_CASE("channel roster: a random coming and going") {
  Random random(test_seed());
  constexpr uint32_t kSeats = 6;
  ChannelRoster roster;
  uint64_t last_id = 0;
  for (int i = 0; i < 5000; ++i) {
    const std::string player = "p" + std::to_string(random.below(12));
    const Kind kind = random.one_in(4) ? Kind::observer : Kind::player;
    const uint64_t what = random.below(4);
    if (what < 2) {
      bool there = false;
      for (const auto& [id, channel] : roster.all()) {
        there |= channel.player == player && !channel.gone_reason && channel.slot < limits::kMaxSeats;
      }
      const auto seat = roster.find_place(kind, player, kSeats);
      if (kind == Kind::player) REQUIRE(seat.ok() == (!there && roster.present(Kind::player) < kSeats));
      if (!seat.ok()) continue;
      REQUIRE(roster.present_at(seat.value()) == nullptr);
      const ChannelId id = roster.add(seat.value(), player, Fd()).id;
      REQUIRE(id.value > last_id);
      last_id = id.value;
    } else if (last_id != 0) {
      const ChannelId id{1 + random.below(last_id)};
      if (what == 2) {
        roster.leave(id, kGone);
      } else if (roster.find(id) != nullptr && roster.find(id)->gone_reason) {
        roster.forget(id);
      }
    }
    std::set<Seat> taken;
    for (const auto& [id, channel] : roster.all()) {
      REQUIRE(channel.id.value == id);
      if (!channel.gone_reason) REQUIRE(taken.insert(channel.slot).second);
    }
    REQUIRE(roster.present(Kind::player) <= kSeats);
    REQUIRE(taken.size() == roster.present(Kind::player) + roster.present(Kind::observer));
  }
}

TEST_CASE("channel roster: an id that is used up is given to nobody") {
  ChannelRoster roster;
  CHECK(roster.add(0, "ann", Fd()).id == ChannelId{1});
  roster.use_up({5});
  CHECK(roster.add(1, "bob", Fd()).id == ChannelId{6});
  roster.use_up({3});
  CHECK(roster.add(2, "carl", Fd()).id == ChannelId{7});
}

TEST_CASE("channel roster: ids that an earlier arenad may have given out are not given out again") {
  ChannelRoster roster;
  roster.add_departed({7}, 0, "ada", Fd(), kGone);
  roster.use_up({40});
  CHECK(roster.add(0, "ada", Fd()).id == ChannelId{41});
  SUBCASE("what is known to be higher counts") {
    roster.use_up({12});
    CHECK(roster.add(1, "bob", Fd()).id == ChannelId{42});
  }
  SUBCASE("also after it was cleared") {
    roster.clear();
    CHECK(roster.add(1, "bob", Fd()).id == ChannelId{42});
  }
}

TEST_CASE("channel roster: of several channels at a seat only the newest has not left") {
  const auto channel = [](uint64_t id, Seat slot) { return RosterChannel{{id}, slot, "ada", Fd(), std::nullopt}; };
  std::vector<RosterChannel> channels;
  channels.push_back(channel(4, 0));
  channels.push_back(channel(9, 0));
  channels.push_back(channel(6, 0));
  channels.push_back(channel(5, 1));
  channels[2].gone_reason = kGone + 1;
  mark_those_that_left(channels, kGone);
  CHECK(channels[0].gone_reason == kGone);
  CHECK_FALSE(channels[1].gone_reason);
  CHECK(channels[2].gone_reason == kGone + 1);  // it was known why
  CHECK_FALSE(channels[3].gone_reason);
}

TEST_CASE("channel roster: who is not let in takes nobody's seat away") {
  ChannelRoster roster;
  roster.add(0, "ann", Fd());
  const ChannelId bob = roster.add(1, "bob", Fd()).id;
  roster.leave(bob, ARENAD_DROPPED);
  const ChannelId eve = roster.add(1, "eve", Fd()).id;
  CHECK(roster.player_at(1) == "eve");
  SUBCASE("denied") {
    roster.give_seat_back(eve);
    roster.leave(eve, ARENAD_KICKED);
    CHECK(roster.player_at(1) == "bob");
    CHECK(roster.find_place(ChannelRoster::Kind::player, "bob", 2).value() == 1);
    // Told twice.
    roster.give_seat_back(eve);
    CHECK(roster.player_at(1) == "bob");
  }
  SUBCASE("denied, and let in the next time") {
    roster.give_seat_back(eve);
    roster.leave(eve, ARENAD_KICKED);
    roster.add(1, "eve", Fd());
    roster.give_seat_back(eve);  // told twice
    CHECK(roster.player_at(1) == "eve");
  }
  SUBCASE("denied, when it has left already") {
    roster.leave(eve, ARENAD_LEFT);
    roster.give_seat_back(eve);
    CHECK(roster.find_place(ChannelRoster::Kind::player, "bob", 2).value() == 1);
  }
  SUBCASE("denied, after bob has taken another one") {
    roster.leave(eve, ARENAD_LEFT);
    roster.add(2, "bob", Fd());
    roster.give_seat_back(eve);
    CHECK(roster.player_at(2) == "bob");
    CHECK(roster.player_at(1) == "eve");
  }
}
