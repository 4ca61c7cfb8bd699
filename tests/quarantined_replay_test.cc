// An arena that goes on without an event that kills it: in the frame that is run again, in every later replay of that frame, and when
// the event is tried once more.
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/replay_world.h"
#include "tests/support/test_messages.capnp.h"

namespace {

using namespace arenad;
using Point = arenad::test::Point;
using Chat = arenad::test::Chat;

// What the status block says while an event is applied.
struct Applying {
  EventRef event;
  Phase phase{};
  bool operator==(const Applying&) const = default;
};
const WorkerStatus* watched = nullptr;
std::vector<Applying> seen_applying;

// Its state is the list of what happened, for people.
class Diary {
 public:
  using State = arenad::test::Tree;
  using Events = arenad::Events<Point, Chat>;
  static constexpr GameInfo info{.name = "diary", .version = "1", .tick_hz = 20, .max_players = 8, .max_state_bytes = 8192};

  void on_init(Context&, const Params&) {}
  void on_event(Context& ctx, Seat seat, Point::Reader point) { note(ctx, seat, std::to_string(point.getX())); }
  void on_event(Context& ctx, Seat seat, Chat::Reader chat) {
    note(ctx, seat, std::to_string(chat.getText().size()) + "chars");
  }
  void on_tick(Context& ctx) {
    text_ += "| ";
    ctx.send<Chat>(
        Audience::everyone(), [&](auto to) { to.setText(text_.substr(text_.size() - std::min<size_t>(text_.size(), 40))); }, 8);
  }
  void on_checkpoint(State::Builder state) const { state.setName(text_); }
  void on_restore(Context&, State::Reader state) { text_ = state.getName(); }
  static void begun(const WorkerStatus& status) {
    watched = &status;
    seen_applying.clear();
  }

 private:
  void note(Context& ctx, Seat seat, const std::string& what) {
    seen_applying.push_back(
        {{{watched->applying_channel.load()}, watched->applying_sequence.load()}, static_cast<Phase>(watched->phase.load())});
    text_ += std::to_string(seat) + ":" + what + " ";
    ctx.send<Point>(Audience::everyone(), [&](auto to) { to.setX(static_cast<int32_t>(text_.size())); });
  }
  std::string text_;
};

constexpr uint64_t kMaxEventBytes = test::ReplayWorld<Diary>::kMaxEventBytes;
constexpr size_t kMaxEventWords = kMaxEventBytes / 8;

std::vector<uint64_t> point_words(int32_t x) {
  std::vector<uint64_t> words(8);
  InPlaceBuilder builder(words.data(), words.size());
  builder.initRoot<Point>().setX(x);
  words.resize(builder.used_words());
  return words;
}
// A message of exactly this size.
std::vector<uint64_t> chat_words(size_t count) {
  std::vector<uint64_t> words(count);
  InPlaceBuilder builder(words.data(), words.size());
  // The root pointer, one word of data, one pointer; the text, and the zero that ends it.
  builder.initRoot<Chat>().setText(std::string((count - 3) * 8 - 1, 'x'));
  REQUIRE(builder.fits());
  REQUIRE(builder.used_words() == count);
  return words;
}
std::string bytes_of(const std::vector<uint64_t>& words) {
  return {reinterpret_cast<const char*>(words.data()), words.size() * 8};
}

PendingRetry retry_of(uint64_t id, Seat slot, const EventRef& event, uint64_t type, const std::string& message) {
  return {id, slot, slot == 0 ? "ann" : "bob", {event.channel.value, event.sequence, type}, message};
}

struct Facts {
  uint64_t state_hash;
  uint64_t applied;
  uint64_t rejected;
  uint64_t outputs_count;
  bool operator==(const Facts&) const = default;
};

// An arena with ann in seat 0 and bob in seat 1.
class World : public test::ReplayWorld<Diary> {
 public:
  World() {
    attach(ann_, 0, "ann");
    attach(bob_, 1, "bob");
    frame();  // they join
  }
  ~World() { watched = nullptr; }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  using ReplayWorld::write;
  uint64_t write(const ChannelId& id, int32_t x) { return write(id, capnp::typeId<Point>(), point_words(x)); }
  void leave(const ChannelId& id) { runtime().channels().find(id)->gone_reason = ARENAD_LEFT; }

  DecidedFrame decide(std::optional<PendingRetry> retry = {}) {
    FrameInputs next = inputs();
    next.retry = std::move(retry);
    return ReplayWorld::decide(next);
  }
  void frame(std::optional<PendingRetry> retry = {}) { run(decide(std::move(retry))); }
  // It dies of the frame: it is decided, and its effects are not there.
  void fatal_frame(std::optional<PendingRetry> retry = {}) { runtime().record(decide(std::move(retry))); }
  // The frame that would be decided, with more entries.
  DecidedFrame decide_with(const std::vector<std::pair<FrameEntry, std::string>>& more) {
    const DecidedFrame own = decide();
    DecidedFrame frame(own.record().frame, own.record().time_unix_ns, own.record().seed);
    for (const auto& [entry, text] : more) REQUIRE(frame.add(entry.kind, entry.slot, entry.value, text));
    own.for_each_entry(
        [&](const FrameEntry& entry, std::string_view text) { REQUIRE(frame.add(entry.kind, entry.slot, entry.value, text)); });
    frame.close();
    return frame;
  }

  Facts facts() {
    const WorkerStatus& s = runtime().status();
    return {runtime().state_hash(), s.events_applied, s.events_rejected, s.outputs_count};
  }
  // Everything that clients can have read, from where this incarnation's ring begins.
  std::string outputs() {
    const WorkerStatus& s = runtime().status();
    return {reinterpret_cast<const char*>(runtime().outputs().at(s.outputs_begin)), s.outputs_published - s.outputs_begin};
  }
  const ChannelEntry& entry(Seat slot) { return runtime().incarnation().channels()[slot]; }
  std::vector<std::pair<uint64_t, std::string>> retried() {
    std::vector<std::pair<uint64_t, std::string>> all;
    for (const auto& one : runtime().take_retried()) all.emplace_back(one.id, one.why_not);
    return all;
  }

  const ChannelId ann_{31};
  const ChannelId bob_{32};
};

using Retried = std::vector<std::pair<uint64_t, std::string>>;

FrameEntry entry_of(FrameEntryKind kind, uint16_t slot, uint64_t value) {
  return {kind, slot, 0, value};
}
std::string text_of(const ChannelId& id) {
  return {reinterpret_cast<const char*>(&id.value), sizeof id.value};
}

}  // namespace

TEST_CASE("quarantined replay: the event is not applied and counted as rejected, the others are applied") {
  World world;
  world.write(world.ann_, 11);
  const uint64_t poison = world.write(world.ann_, 12);
  world.write(world.ann_, 13);
  world.write(world.bob_, 14);
  world.write(world.bob_, 15);
  world.fatal_frame();
  const RecoveryReport report = world.die_and_recover({{world.ann_, poison}});
  CHECK(report.replayed_frames == 2);
  CHECK(report.replayed_events == 4);
  CHECK(report.divergences == 0);
  CHECK(world.diary() == "| 0:11 0:13 1:14 1:15 | ");
  CHECK(world.facts().applied == 4);
  CHECK(world.facts().rejected == 1);
  CHECK(world.entry(0).applied.load() == 2);
  CHECK(world.entry(0).rejected.load() == 1);
  CHECK(world.entry(0).last_rejected_sequence.load() == poison);
  CHECK(static_cast<RejectReason>(world.entry(0).last_reject_reason.load()) == RejectReason::quarantined);
  CHECK(world.entry(1).applied.load() == 2);
  CHECK(world.entry(1).rejected.load() == 0);
  // It goes on behind it.
  world.write(world.ann_, 16);
  world.frame();
  CHECK(world.diary() == "| 0:11 0:13 1:14 1:15 | 0:16 | ");
  CHECK(world.entry(0).rejected.load() == 1);
}

TEST_CASE("quarantined replay: whoever replays it later does the same, whether it is still in quarantine or not") {
  World world;
  world.write(world.ann_, 11);
  const EventRef first{world.ann_, world.write(world.ann_, 12)};
  const EventRef second{world.bob_, world.write(world.bob_, 13)};
  world.fatal_frame();
  world.die_and_recover({first, second});
  for (int32_t x = 20; x < 24; ++x) {
    world.write(world.ann_, x);
    world.frame();
  }
  const Facts facts = world.facts();
  const std::string diary = world.diary();
  const std::string outputs = world.outputs();
  CHECK(diary == "| 0:11 | 0:20 | 0:21 | 0:22 | 0:23 | ");
  std::vector<EventRef> quarantined;
  SUBCASE("both are") {
    quarantined = {first, second};
  }
  SUBCASE("one is") {
    quarantined = {second};
  }
  SUBCASE("none is") {}
  for (int generation = 0; generation < 3; ++generation) {
    CAPTURE(generation);
    const RecoveryReport report = world.die_and_recover(quarantined);
    CHECK(report.restored == FrameNumber{0});
    CHECK(report.replayed_frames == 6);
    CHECK(report.divergences == 0);
    CHECK(world.facts() == facts);
    CHECK(world.diary() == diary);
    CHECK(world.outputs() == outputs);
  }
}

TEST_CASE("quarantined replay: a skip is for its frame, its channel and its number") {
  World world;
  world.write(world.ann_, 11);
  world.write(world.bob_, 12);
  SUBCASE("of this frame's event") {
    world.run(world.decide_with({{entry_of(FrameEntryKind::skip, 0, 1), text_of(world.bob_)}}));
    CHECK(world.diary() == "| 0:11 | ");
  }
  SUBCASE("wherever it stands") {
    const DecidedFrame own = world.decide();
    DecidedFrame frame(own.record().frame, own.record().time_unix_ns, own.record().seed);
    own.for_each_entry(
        [&](const FrameEntry& entry, std::string_view text) { frame.add(entry.kind, entry.slot, entry.value, text); });
    frame.add(FrameEntryKind::skip, 0, 1, text_of(world.ann_));
    frame.close();
    world.run(frame);
    CHECK(world.diary() == "| 1:12 | ");
  }
  SUBCASE("two") {
    world.run(world.decide_with({{entry_of(FrameEntryKind::skip, 0, 1), text_of(world.bob_)},
                                 {entry_of(FrameEntryKind::skip, 0, 1), text_of(world.ann_)}}));
    CHECK(world.diary() == "| | ");
    CHECK(world.facts().rejected == 2);
  }
  SUBCASE("of an event that comes later: that one is applied") {
    world.run(world.decide_with({{entry_of(FrameEntryKind::skip, 0, 2), text_of(world.bob_)}}));
    world.write(world.bob_, 13);
    world.frame();
    CHECK(world.diary() == "| 0:11 1:12 | 1:13 | ");
    CHECK(world.facts().rejected == 0);
  }
  SUBCASE("of a channel that there is not, or of none") {
    world.run(world.decide_with({{entry_of(FrameEntryKind::skip, 0, 1), text_of({99})},
                                 {entry_of(FrameEntryKind::skip, 0, 1), ""},
                                 {entry_of(FrameEntryKind::skip, 0, 1), text_of(world.ann_) + "x"}}));
    CHECK(world.diary() == "| 0:11 1:12 | ");
    CHECK(world.facts().rejected == 0);
  }
}

TEST_CASE("quarantined replay: tried again, an event is applied once, at the end of the frame, and named while it is") {
  World world;
  const EventRef old{world.ann_, 1};
  world.write(world.ann_, 11);
  world.write(world.bob_, 12);
  seen_applying.clear();
  world.frame(retry_of(17, 0, old, capnp::typeId<Point>(), bytes_of(point_words(99))));
  CHECK(world.diary() == "| 0:11 1:12 0:99 | ");
  REQUIRE(seen_applying.size() == 3);
  CHECK(seen_applying[0] == Applying{{world.ann_, 1}, Phase::applying});
  CHECK(seen_applying[1] == Applying{{world.bob_, 1}, Phase::applying});
  CHECK(seen_applying[2] == Applying{old, Phase::applying});
  CHECK(world.runtime().status().applying_channel.load() == 0);
  CHECK(world.facts().applied == 3);
  CHECK(world.retried() == Retried{{17, ""}});
  CHECK(world.retried().empty());
  world.frame();
  CHECK(world.retried().empty());
  CHECK(world.diary() == "| 0:11 1:12 0:99 | | ");

  const Facts facts = world.facts();
  const std::string outputs = world.outputs();
  std::vector<EventRef> quarantined;
  SUBCASE("a replay does and tells the same") {}
  SUBCASE("also if arenad still has it in quarantine: the frame is done") {
    quarantined = {{world.ann_, 99}, old};
  }
  if (!quarantined.empty()) {
    // The event came first in a frame that is run again too: there it would be left out. So this one was another's.
    quarantined[1] = EventRef{{30}, 5};
    world.frame(retry_of(18, 1, quarantined[1], capnp::typeId<Point>(), bytes_of(point_words(98))));
    CHECK(world.retried() == Retried{{18, ""}});
  }
  const Facts before = quarantined.empty() ? facts : world.facts();
  const std::string outputs_before = quarantined.empty() ? outputs : world.outputs();
  for (int generation = 0; generation < 2; ++generation) {
    const RecoveryReport report = world.die_and_recover(quarantined);
    CHECK(report.divergences == 0);
    CHECK(world.facts() == before);
    CHECK(world.outputs() == outputs_before);
    CHECK(world.retried() == (quarantined.empty() ? Retried{{17, ""}} : Retried{{17, ""}, {18, ""}}));
  }
}

TEST_CASE("quarantined replay: tried again in a frame that was not finished") {
  World world;
  const EventRef old{{30}, 5};
  world.write(world.ann_, 11);
  world.fatal_frame(retry_of(17, 0, old, capnp::typeId<Point>(), bytes_of(point_words(99))));
  SUBCASE("it is still to be tried: it is, and that is told") {
    world.die_and_recover({});
    CHECK(world.diary() == "| 0:11 0:99 | ");
    CHECK(world.retried() == Retried{{17, ""}});
  }
  SUBCASE("it is held again: it is left out, and nothing is told, also later") {
    world.die_and_recover({old});
    CHECK(world.diary() == "| 0:11 | ");
    CHECK(world.retried().empty());
    world.frame();
    world.die_and_recover({});
    CHECK(world.diary() == "| 0:11 | | ");
    CHECK(world.retried().empty());
  }
}

TEST_CASE("quarantined replay: an event that cannot be tried again does nothing, and it is told why") {
  World world;
  const EventRef old{{30}, 5};
  const uint64_t point = capnp::typeId<Point>();
  const std::string good = bytes_of(point_words(99));
  std::optional<PendingRetry> retry;
  std::string diary = "| 0:11 | ";
  std::string why = "not a message";
  SUBCASE("its player never came") {
    why = "not in the arena";
    retry = retry_of(17, 2, old, point, good);
  }
  SUBCASE("another player has its seat") {
    why = "not in the arena";
    retry = retry_of(17, 1, old, point, good);
    retry->player = "eve";
  }
  SUBCASE("its player leaves in this frame") {
    why = "not in the arena";
    world.leave(world.bob_);
    retry = retry_of(17, 1, old, point, good);
  }
  SUBCASE("a type that the game does not know") {
    why = "no such event";
    retry = retry_of(17, 0, old, capnp::typeId<arenad::test::Move>(), good);
  }
  SUBCASE("not a message of its type") {
    retry = retry_of(17, 0, old, capnp::typeId<Chat>(), bytes_of({0x7FFF'FFFF'FFFF'FFFC, 1, 2}));
  }
  SUBCASE("nothing of it was kept") {
    retry = retry_of(17, 0, old, point, "");
  }
  SUBCASE("not whole words") {
    retry = retry_of(17, 0, old, point, good + "x");
  }
  SUBCASE("a word too large") {
    why = "max_event_bytes";
    retry = retry_of(17, 0, old, capnp::typeId<Chat>(), bytes_of(chat_words(kMaxEventWords + 1)));
  }
  world.write(world.ann_, 11);
  world.frame(retry);
  CHECK(world.diary() == diary);
  CHECK(world.facts().applied == 1);
  CHECK(world.runtime().status().applying_channel.load() == 0);
  const Retried told = world.retried();
  REQUIRE(told.size() == 1);
  CHECK(told[0].first == 17);
  CHECK(told[0].second.find(why) != std::string::npos);
  const Facts facts = world.facts();
  CHECK(world.die_and_recover({}).divergences == 0);
  CHECK(world.facts() == facts);
  CHECK(world.retried() == told);
}

TEST_CASE("quarantined replay: what can have come as an event can be tried again") {
  World world;
  // The largest one that the arena takes has a header beside it.
  const std::vector<uint64_t> largest = chat_words((kMaxEventBytes - kRecordHeaderBytes) / 8);
  world.write(world.ann_, capnp::typeId<Chat>(), largest);
  world.frame();
  CHECK(world.facts().applied == 1);
  world.frame(retry_of(17, 0, {world.ann_, 1}, capnp::typeId<Chat>(), bytes_of(largest)));
  CHECK(world.facts().applied == 2);
  CHECK(world.retried() == Retried{{17, ""}});
}

TEST_CASE("quarantined replay: a retry without a head is told as one that cannot be tried") {
  World world;
  world.run(world.decide_with({{entry_of(FrameEntryKind::retry, 0, 17), std::string(sizeof(RetryHead) - 1, 'h')}}));
  CHECK(world.diary() == "| | ");
  const Retried told = world.retried();
  REQUIRE(told.size() == 1);
  CHECK(told[0].first == 17);
  CHECK_FALSE(told[0].second.empty());
}
