// Whom a game kicks or keeps out, and what it is told, in the frames that a successor runs again.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include <doctest/doctest.h>

#include "arenad/game.h"
#include "tests/support/test_messages.capnp.h"
#include "worker/arena_runtime.h"
#include "worker/recorder.h"
#include "worker/recovery.h"

namespace {

using namespace arenad;
using Point = arenad::test::Point;

constexpr ArenaId kArena = {0x0190'0000'0000'1234, 0x5678};
constexpr uint64_t kMaxEventBytes = 1024;

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

 private:
  void note(const std::string& what) { text_ += what + " "; }
  std::string text_;
};

Fd copy_of(const Fd& fd) {
  auto copy = fd.duplicate();
  REQUIRE(copy.ok());
  return std::move(*copy);
}

// An arena, and what outlives its incarnations.
class World {
 public:
  World() {
    begin();
    REQUIRE(runtime_->init({}).ok());
    REQUIRE(runtime_->take_snapshot());
  }

  ChannelId attach(Seat slot, const std::string& player) {
    auto writer = ChannelWriter::create(limits::kMinChannelBytes);
    REQUIRE(writer.ok());
    const ChannelId id{++last_};
    attach_view(id, clients_.emplace(id.value, Client{slot, player, std::move(*writer)}).first->second);
    return id;
  }
  void say(const ChannelId& id, int32_t x) {
    ChannelWriter& writer = clients_.at(id.value).writer;
    auto* space = static_cast<uint64_t*>(writer.reserve(2));
    REQUIRE(space != nullptr);
    InPlaceBuilder builder(space, 2);
    builder.initRoot<Point>().setX(x);
    writer.commit(capnp::typeId<Point>(), 2);
    writer.publish();
  }
  DecidedFrame decide(std::optional<PendingSignal> signal = {}) {
    FrameInputs inputs;
    inputs.frame = runtime_->frame().next();
    inputs.time_unix_ns = 1'700'000'000'000'000'000 + inputs.frame.value;
    inputs.signal = std::move(signal);
    return decide_frame(inputs, runtime_->channels());
  }
  void frame(std::optional<PendingSignal> signal = {}) {
    const DecidedFrame frame = decide(std::move(signal));
    runtime_->record(frame);
    auto effects = runtime_->run(frame);
    REQUIRE(effects.ok());
    runtime_->publish(*effects);
  }
  // It dies in the middle of the signal.
  void fatal_frame(PendingSignal signal, Stage stage) {
    const uint64_t number = signal.number;
    runtime_->record(decide(std::move(signal)));
    runtime_->incarnation().set_stage(stage);
    runtime_->incarnation().set_phase(Phase::applying);
    runtime_->status().applying_sequence = number;
    runtime_->status().applying_channel = kApplyingSignal;
  }
  RecoveryReport die_and_recover() {
    const Fd region = copy_of(runtime_->incarnation().fd());
    runtime_.reset();
    begin();
    for (const auto& [id, client] : clients_) attach_view({id}, client);
    auto view = IncarnationView::map(copy_of(region));
    REQUIRE(view.ok());
    RecoverySources sources;
    sources.predecessor = std::move(*view);
    const auto result = recover(*runtime_, sources);
    const auto* failure = std::get_if<RecoveryFailure>(&result);
    CAPTURE((failure != nullptr ? failure->message : ""));
    REQUIRE(failure == nullptr);
    return std::get<RecoveryReport>(result);
  }
  // The state itself.
  std::string told() {
    std::vector<std::byte> words(Doorman::info.max_state_bytes);
    const size_t used = runtime_->host().checkpoint(words);
    MessageView view(words.data(), used, unbounded_reader_options());
    return view.root<Doorman::State>().getName();
  }
  std::string kicked() {
    std::string all;
    for (const auto& one : runtime_->take_kicked())
      all += std::to_string(one.channel.value) + (one.was_in ? " in: " : " out: ") + one.reason + ";";
    return all;
  }
  std::string signalled() {
    std::string all;
    for (auto& one : runtime_->take_signalled())
      all += std::to_string(one.number) + (one.reply ? "=" + *one.reply : " not: " + one.reply.error().message) + ";";
    return all;
  }
  ArenaRuntime& runtime() { return *runtime_; }

 private:
  struct Client {
    Seat slot;
    std::string player;
    ChannelWriter writer;
  };
  void begin() {
    auto incarnation = Incarnation::create({.slot_bytes = slot_bytes_for(Doorman::info.max_state_bytes)});
    REQUIRE(incarnation.ok());
    epoch_ = epoch_.next();
    incarnation->assign(kArena, epoch_, {}, game_table<Doorman>()->schema_hash, 1);
    runtime_ = std::make_unique<ArenaRuntime>(*game_table<Doorman>(), std::move(*incarnation),
                                              ArenaIdentity{kArena, epoch_, "doorman"}, kMaxEventBytes, [] {});
  }
  void attach_view(const ChannelId& id, const Client& client) {
    auto view = ChannelView::map(copy_of(client.writer.fd()));
    REQUIRE(view.ok());
    runtime_->channels().attach(id, client.slot, client.player, std::move(*view));
  }

  Epoch epoch_;
  uint64_t last_ = 0;
  std::map<uint64_t, Client> clients_;
  std::unique_ptr<ArenaRuntime> runtime_;
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
  SUBCASE("nobody dies") {}
  SUBCASE("the frame is run again") {
    is_run_again = true;
    const RecoveryReport report = world.die_and_recover();
    CHECK(report.replayed_frames == 2);
    CHECK(report.divergences == 0);
  }
  SUBCASE("the snapshot is of after it") {
    REQUIRE(world.runtime().take_snapshot());
    CHECK(world.die_and_recover().replayed_frames == 0);
  }
  CHECK(world.kicked() == (is_run_again ? "1 in: you said 7;" : ""));
  world.frame();
  CHECK(world.told() == "+0ann +1bob | 0:7 kicked 0:8 1:1 | -0/3 | ");
  CHECK(world.runtime().channels().at(0) == nullptr);
  world.attach(0, "ann");  // again
  world.frame();
  CHECK(world.told() == "+0ann +1bob | 0:7 kicked 0:8 1:1 | -0/3 | +0ann | ");
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
  CHECK(world.told() == "| | | ");
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
  CHECK(world.told() == told);
  CHECK(world.signalled() == answers);
  CHECK(world.die_and_recover().divergences == 0);
  CHECK(world.told() == told);
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
  CHECK(world.told() == told);
  CHECK(world.signalled() == answers);
  // Whoever comes later finds the frame as it was run at last.
  CHECK(world.die_and_recover().divergences == 0);
  CHECK(world.told() == told);
}
