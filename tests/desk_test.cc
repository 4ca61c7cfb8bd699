// A game at its desk (arenad/desk.h): what is heard of it, what a restored one knows, and what is an error.
#include "arenad/desk.h"

#include <stdexcept>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/test_messages.capnp.h"

using namespace arenad;

namespace {

// Adds up what it is told, and says so; x is the sum, y the dice.
class Sum {
 public:
  using State = test::Point;
  using Events = arenad::Events<test::Chat, test::Move>;
  using Results = arenad::Results<test::Point>;
  static constexpr GameInfo info{.name = "sum", .version = "1.0", .tick_hz = 10, .max_players = 4, .max_state_bytes = 64};

  void on_init(Context& ctx, const Params& params) {
    sum_ = static_cast<int32_t>(params.number("from", 0, 0, 100));
    roll(ctx);
  }
  void on_join_attempt(Context&, Seat, std::string_view name) {
    if (name == "eve") throw Refused("not you");
  }
  void on_join(Context& ctx, Seat, std::string_view name) { ctx.log(ARENAD_LOG_INFO, name); }
  void on_leave(Context& ctx, Seat seat, arenad_leave_reason reason) {
    ctx.log(ARENAD_LOG_INFO, std::to_string(seat) + " left: " + std::to_string(reason));
  }
  std::string on_signal(Context& ctx, std::string_view name, std::string_view payload) {
    if (name != "kick") throw Refused("what is " + std::string(name) + "?");
    return ctx.kick(static_cast<Seat>(std::stoul(std::string(payload))), "go") ? "gone" : "nobody";
  }
  void on_event(Context& ctx, Seat seat, test::Chat::Reader chat) {
    if (chat.getText() == "throw") throw std::runtime_error("thrown");
    sum_ += static_cast<int32_t>(chat.getSender());
    forgotten_ += 1;
    ctx.send<test::Chat>(Audience::seat(seat), [&](test::Chat::Builder to) { to.setText(chat.getText()); });
  }
  void on_event(Context& ctx, Seat, test::Move::Reader) { roll(ctx); }
  void on_tick(Context& ctx) {
    ctx.send<test::Point>(Audience::everyone(), [&](test::Point::Builder to) { fill(to); });
    if (sum_ < 100) return;
    ctx.result<test::Point>(2, [&](test::Point::Builder to) { fill(to); });
    ctx.end();
  }
  void on_checkpoint(State::Builder state) const { fill(state); }
  void on_restore(Context&, State::Reader state) {
    sum_ = state.getX();
    dice_ = state.getY();
  }

 private:
  void roll(Context& ctx) { dice_ = static_cast<int32_t>(ctx.random().below(1'000'000)); }
  void fill(test::Point::Builder to) const {
    to.setX(sum_ + forgotten_);
    to.setY(dice_);
  }

  int32_t sum_ = 0;
  int32_t dice_ = 0;
  int32_t forgotten_ = 0;  // of this object alone, but for what it adds to the sum
};

void add(Desk<Sum>& desk, uint32_t number, const char* text = "") {
  desk.event<test::Chat>(1, [&](test::Chat::Builder chat) {
    chat.setSender(number);
    chat.setText(text);
  });
}

std::vector<int32_t> dice_of(uint64_t seed) {
  Desk<Sum> desk({}, seed);
  for (int i = 0; i < 3; ++i) {
    desk.event<test::Move>(0, [](test::Move::Builder) {});
    desk.tick();
  }
  std::vector<int32_t> dice;
  for (const auto& point : desk.outputs<test::Point>()) dice.push_back(point.read().getY());
  return dice;
}

}  // namespace

TEST_CASE("desk: outputs and results of a match") {
  Desk<Sum> desk({{"from", "7"}});
  CHECK(desk.frame().value == 0);
  desk.join(1, "anna");
  CHECK(desk.logged() == std::vector<std::string>{"anna"});
  add(desk, 10, "hello");
  CHECK(desk.frame().value == 1);
  desk.tick();
  CHECK(desk.frame().value == 1);
  REQUIRE(desk.outputs<test::Chat>().size() == 1);
  CHECK(std::string(desk.outputs<test::Chat>()[0].read().getText().cStr()) == "hello");
  CHECK(desk.outputs<test::Chat>()[0].audience() == 2);
  REQUIRE(desk.outputs<test::Point>().size() == 1);
  CHECK(desk.outputs<test::Point>()[0].read().getX() == 18);
  CHECK(desk.outputs<test::Point>()[0].audience() == ARENAD_EVERYONE);
  CHECK(desk.outputs<test::Move>().empty());
  desk.clear();
  CHECK(desk.outputs<test::Point>().empty());
  add(desk, 90);
  desk.tick(5);
  CHECK(desk.ended());
  CHECK(desk.frame().value == 2);
  REQUIRE(desk.results<test::Point>().size() == 1);
  CHECK(desk.results<test::Point>()[0].seat() == 2);
  CHECK(desk.results<test::Point>()[0].read().getX() == 109);
}

TEST_CASE("desk: a restored game has what its state has") {
  Desk<Sum> desk;
  add(desk, 10);
  desk.tick();
  desk.restore();
  desk.tick();
  CHECK(desk.outputs<test::Point>().back().read().getX() == 11);
  CHECK(desk.outputs<test::Point>()[0].read().getY() == desk.outputs<test::Point>()[1].read().getY());
}

TEST_CASE("desk: the same seed gives the same match, another seed another one") {
  CHECK(dice_of(1) == dice_of(1));
  CHECK(dice_of(1) != dice_of(2));
  CHECK(dice_of(1).size() == 3);
  CHECK(dice_of(1)[0] != dice_of(1)[1]);
}

TEST_CASE("desk: what would end a worker, or never come, is an error") {
  CHECK_THROWS_WITH(Desk<Sum>({{"from", "many"}}), "on_init: parameter from=many: expected a number from 0 to 100");
  Desk<Sum> desk;
  CHECK_THROWS_WITH(add(desk, 1, "throw"), doctest::Contains("thrown"));
  CHECK_THROWS_WITH(desk.event<test::Tree>(0, [](test::Tree::Builder) {}),
                    "on_event: the game has no such event: Events lists them");
  CHECK_THROWS_WITH(desk.restore(), "a game is restored between two frames: tick() first");
  desk.tick();
  add(desk, 100);
  desk.tick();
  CHECK(desk.ended());
  CHECK_THROWS_WITH(add(desk, 1), "the game has ended: nothing that comes later is applied");
}

TEST_CASE("desk: a game is told something, kicks and keeps out") {
  Desk<Sum> desk;
  CHECK_THROWS_WITH_AS(desk.join(0, "eve"), "not you", Refused);
  desk.join(1, "ann");
  CHECK(desk.signal("kick", "1") == "gone");
  CHECK(desk.signal("kick", "1") == "nobody");
  CHECK(desk.signal("kick", "0") == "nobody");
  CHECK_THROWS_WITH_AS(desk.signal("dance"), "what is dance?", Refused);
  CHECK_THROWS_WITH_AS(desk.signal("kick", "x"), "stoul", std::invalid_argument);
  CHECK(desk.logged() == std::vector<std::string>{"ann"});
  desk.tick(2);
  CHECK(desk.logged() == std::vector<std::string>{"ann", "1 left: 3"});
  CHECK(desk.kicked() == std::vector<std::pair<Seat, std::string>>{{1, "go"}});
  desk.clear();
  add(desk, 5);  // of seat 1, in vain
  CHECK(desk.outputs<test::Chat>().empty());
  desk.join(1, "ann");
  add(desk, 5);
  CHECK(desk.outputs<test::Chat>().size() == 1);
  // It leaves once, whoever is quicker; and before somebody else has the seat.
  desk.signal("kick", "1");
  desk.leave(1);
  desk.tick(2);
  CHECK(desk.logged().back() == "1 left: 0");
  desk.join(1, "ann");
  desk.signal("kick", "1");
  desk.join(1, "bob");
  add(desk, 5);
  CHECK(desk.outputs<test::Chat>().size() == 2);
  CHECK(std::vector<std::string>(desk.logged().end() - 3, desk.logged().end()) ==
        std::vector<std::string>{"ann", "1 left: 3", "bob"});
}
