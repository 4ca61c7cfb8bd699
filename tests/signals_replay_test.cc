// Whom a game kicks or keeps out, and what it is told, in the frames that a successor runs again.
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/replay_world.h"
#include "tests/support/test_messages.capnp.h"

namespace {

using namespace arenad;
using Point = arenad::test::Point;

// Its state is the list of what happened, for people. It kicks whoever says 7, and keeps out who is called eve.
class Doorman {
 public:
  using State = arenad::test::Tree;
  using Events = arenad::Events<Point>;
  static constexpr GameInfo info{.name = "doorman", .version = "1", .tick_hz = 20, .max_players = 8, .max_state_bytes = 8192};

  void on_init(Context&, const Params&) {}
  void on_join_attempt(Context&, Seat, std::string_view name) {
    if (name == "eve") throw Refused("not you");
  }
  void on_join(Context&, Seat seat, std::string_view name) { note("+" + std::to_string(seat) + std::string(name)); }
  void on_leave(Context&, Seat seat, arenad_leave_reason reason) {
    note("-" + std::to_string(seat) + "/" + std::to_string(reason));
  }
  void on_event(Context& ctx, Seat seat, Point::Reader point) {
    note(std::to_string(seat) + ":" + std::to_string(point.getX()));
    if (point.getX() == 7) note(ctx.kick(seat, "you said 7") && !ctx.kick(seat, "again") ? "kicked" : "?");
  }
  std::string on_signal(Context&, std::string_view name, std::string_view payload) {
    if (name == "no") throw Refused("no is no");
    note(std::string(name) + "=" + std::string(payload));
    return std::to_string(text_.size());
  }
  void on_tick(Context& ctx) {
    note("|");
    ctx.send<Point>(Audience::everyone(), [&](auto to) { to.setX(static_cast<int32_t>(text_.size())); });
  }
  void on_checkpoint(State::Builder state) const { state.setName(text_); }
  void on_restore(Context&, State::Reader state) { text_ = state.getName(); }
  static void begun(const WorkerStatus&) {}

 private:
  void note(const std::string& what) { text_ += what + " "; }
  std::string text_;
};

class World : public test::ReplayWorld<Doorman> {
 public:
  ChannelId attach(Seat slot, const std::string& player) {
    const ChannelId id{++last_};
    ReplayWorld::attach(id, slot, player);
    return id;
  }
  void say(const ChannelId& id, int32_t x) {
    std::vector<uint64_t> words(2);
    InPlaceBuilder builder(words.data(), words.size());
    builder.initRoot<Point>().setX(x);
    write(id, capnp::typeId<Point>(), words);
  }
  DecidedFrame decide(std::optional<PendingSignal> signal) {
    FrameInputs next = inputs();
    next.signal = std::move(signal);
    return ReplayWorld::decide(next);
  }
  void frame(std::optional<PendingSignal> signal = {}) { run(decide(std::move(signal))); }
  // It dies in the middle of the signal.
  void fatal_frame(PendingSignal signal, Stage stage) {
    const uint64_t number = signal.number;
    runtime().record(decide(std::move(signal)));
    runtime().incarnation().set_stage(stage);
    runtime().incarnation().set_phase(Phase::applying);
    runtime().status().applying_sequence = number;
    runtime().status().applying_channel = kApplyingSignal;
  }
  std::string kicked() {
    std::string all;
    for (const auto& one : runtime().take_kicked())
      all += std::to_string(one.channel.value) + (one.was_in ? " in: " : " out: ") + one.reason + ";";
    return all;
  }
  std::string signalled() {
    std::string all;
    for (auto& one : runtime().take_signalled())
      all += std::to_string(one.number) + (one.reply ? "=" + *one.reply : " not: " + one.reply.error().message) + ";";
    return all;
  }

 private:
  uint64_t last_ = 0;
};

}  // namespace

TEST_CASE(
    "signals replay: who is kicked leaves with the next frame, and nothing more of it is applied, whatever is run again") {
  World world;
  const ChannelId ann = world.attach(0, "ann");
  const ChannelId bob = world.attach(1, "bob");
  world.frame();
  world.say(ann, 7);
  world.say(ann, 8);
  world.say(bob, 1);
  world.frame();
  CHECK(world.kicked() == "1 in: you said 7;");
  world.say(ann, 9);
  bool is_run_again = false;
  bool is_reason_lost = false;
  SUBCASE("nobody dies") {}
  SUBCASE("the frame is run again") {
    is_run_again = true;
    const RecoveryReport report = world.die_and_recover();
    CHECK(report.replayed_frames == 2);
    CHECK(report.divergences == 0);
  }
  SUBCASE("the snapshot is of after it") {
    REQUIRE(world.runtime().take_snapshot());
    is_reason_lost = true;
    CHECK(world.die_and_recover().replayed_frames == 0);
  }
  CHECK(world.kicked() == (is_run_again ? "1 in: you said 7;" : ""));
  world.frame();
  // Told again with the leave, for an arenad that has not heard of it.
  CHECK(world.kicked() == (is_reason_lost ? "1 in: ;" : "1 in: you said 7;"));
  CHECK(world.diary() == "+0ann +1bob | 0:7 kicked 0:8 1:1 | -0/3 | ");
  CHECK(world.runtime().channels().at(0) == nullptr);
  world.attach(0, "ann");  // again
  world.frame();
  CHECK(world.diary() == "+0ann +1bob | 0:7 kicked 0:8 1:1 | -0/3 | +0ann | ");
}

TEST_CASE("signals replay: who is not let in is never heard of, whatever is run again") {
  World world;
  const ChannelId eve = world.attach(0, "eve");
  world.say(eve, 7);  // in the frame in which it would have joined
  world.frame();
  CHECK(world.kicked() == "1 out: not you;");
  SUBCASE("nobody dies") {}
  SUBCASE("the frame is run again") {
    CHECK(world.die_and_recover().divergences == 0);
    CHECK(world.kicked() == "1 out: not you;");
  }
  SUBCASE("the snapshot is of after it") {
    REQUIRE(world.runtime().take_snapshot());
    CHECK(world.die_and_recover().replayed_frames == 0);
  }
  world.say(eve, 8);
  world.frame();
  world.frame();
  CHECK(world.diary() == "| | | ");
  CHECK(world.runtime().channels().at(0) == nullptr);
  CHECK(world.runtime().status().events_applied.load() == 0);
}

TEST_CASE("signals replay: a signal is applied behind the events of its frame, and again by a replay") {
  World world;
  const ChannelId ann = world.attach(0, "ann");
  world.frame();
  world.say(ann, 1);
  world.frame(PendingSignal{17, "zone", "a\nb"});
  world.frame(PendingSignal{18, "no", ""});
  world.frame(PendingSignal{19, "zone", ""});
  const std::string told = "+0ann | 0:1 zone=a\nb | | zone= | ";
  const std::string answers = "17=21;18 not: no is no;19=31;";
  CHECK(world.diary() == told);
  CHECK(world.signalled() == answers);
  CHECK(world.die_and_recover().divergences == 0);
  CHECK(world.diary() == told);
  CHECK(world.signalled() == answers);
}

TEST_CASE("signals replay: one that its worker died of is left out; one that it was running again is not") {
  World world;
  world.frame();
  std::string told = "| | ";
  std::string answers = "17 not: " + std::string(ArenaRuntime::kDiedOfIt) + ";";
  SUBCASE("a frame that was new") {
    world.fatal_frame(PendingSignal{17, "zone", ""}, Stage::live);
  }
  SUBCASE("a frame that was run again") {
    world.fatal_frame(PendingSignal{17, "zone", ""}, Stage::recovering);
    told = "| zone= | ";
    answers = "17=8;";
  }
  CHECK(world.die_and_recover().divergences == 0);
  CHECK(world.diary() == told);
  CHECK(world.signalled() == answers);
  // Whoever comes later finds the frame as it was run at last.
  CHECK(world.die_and_recover().divergences == 0);
  CHECK(world.diary() == told);
}
