// Which events an arena does not get (supervisor/quarantine.h), and how frames that are run again leave them out (worker/quarantine.h).
#include "supervisor/quarantine.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "ipc/frame_log.h"
#include "ipc/incarnation.h"
#include "worker/channel_set.h"
#include "worker/quarantine.h"

namespace {

using namespace arenad;
using Standing = Quarantine::Standing;
using Kind = FrameEntryKind;

constexpr EventRef kOne{{7}, 3};
constexpr EventRef kTwo{{8}, 3};
constexpr EventRef kThree{{7}, 4};

std::vector<EventRef> left_out_by(const Quarantine& quarantine) {
  std::vector<EventRef> events;
  for (const LeftOutEvent& one : quarantine.left_out()) {
    events.push_back(one.event);
    // Each with the number under which it is held.
    const auto held = std::ranges::find(quarantine.entries(), one.event, &Quarantine::Entry::event);
    REQUIRE(held != quarantine.entries().end());
    CHECK(one.entry == held->id);
  }
  return events;
}

}  // namespace

TEST_CASE("quarantine: held, it is left out") {
  Quarantine quarantine;
  CHECK(quarantine.left_out().empty());
  quarantine.hold(1, kOne);
  quarantine.hold(2, kTwo);
  quarantine.hold(3, kThree);
  CHECK(left_out_by(quarantine) == std::vector{kOne, kTwo, kThree});
  CHECK(quarantine.entries().size() == 3);
  REQUIRE(quarantine.find(2) != nullptr);
  CHECK(quarantine.find(2) == quarantine.find(kTwo));
  CHECK(quarantine.find(2)->event == kTwo);
  CHECK(quarantine.find(4) == nullptr);
  CHECK(quarantine.find(EventRef{{8}, 4}) == nullptr);
}

TEST_CASE("quarantine: what becomes of one that is tried again") {
  Quarantine quarantine;
  quarantine.hold(1, kOne);
  quarantine.hold(2, kTwo);
  quarantine.set(1, Standing::retrying);
  CHECK(left_out_by(quarantine) == std::vector{kTwo});
  REQUIRE(quarantine.find(kOne) != nullptr);
  CHECK((quarantine.find(kOne)->standing == Standing::retrying));
  SUBCASE("applied: gone") {
    quarantine.remove(1);
    CHECK(quarantine.find(kOne) == nullptr);
    CHECK(left_out_by(quarantine) == std::vector{kTwo});
    quarantine.hold(9, kOne);  // it may kill again later
    CHECK(quarantine.find(kOne)->id == 9);
    CHECK(left_out_by(quarantine) == std::vector{kTwo, kOne});
  }
  SUBCASE("not applied: held") {
    quarantine.set(1, Standing::held);
    CHECK(left_out_by(quarantine) == std::vector{kOne, kTwo});
  }
  SUBCASE("it killed the arena again: held, under the id that it has") {
    quarantine.hold(3, kOne);
    CHECK(left_out_by(quarantine) == std::vector{kOne, kTwo});
    CHECK(quarantine.find(kOne)->id == 1);
    CHECK(quarantine.find(3) == nullptr);
  }
  SUBCASE("once more") {
    quarantine.set(1, Standing::held);
    quarantine.set(1, Standing::retrying);
    CHECK(left_out_by(quarantine) == std::vector{kTwo});
  }
}

TEST_CASE("quarantine: held twice it is there once; an id that is not there changes nothing") {
  Quarantine quarantine;
  quarantine.hold(1, kOne);
  quarantine.hold(1, kOne);
  quarantine.hold(2, kOne);
  CHECK(quarantine.entries().size() == 1);
  quarantine.set(2, Standing::retrying);
  quarantine.remove(2);
  CHECK(left_out_by(quarantine) == std::vector{kOne});
  quarantine.remove(1);
  CHECK(quarantine.entries().empty());
  quarantine.remove(1);
  quarantine.set(1, Standing::retrying);
  CHECK(quarantine.entries().empty());
}

// ---- frames that are run again --------------------------------------------------------------------------------------------

namespace {

constexpr uint64_t kMaxEventBytes = 1024;
constexpr ChannelId kAnn{31};
constexpr ChannelId kBob{32};
constexpr ChannelId kCat{33};

struct Entry {
  Kind kind;
  uint16_t slot;
  uint64_t value;
  std::string text;
  bool operator==(const Entry&) const = default;
};

std::string text_of(const ChannelId& id) {
  return {reinterpret_cast<const char*>(&id.value), sizeof id.value};
}
// Under which it is held here.
uint64_t number_of(const EventRef& event) {
  return 1000 * event.channel.value + event.sequence;
}
Entry skip_of(const EventRef& event) {
  const SkipText text{event.channel.value, number_of(event)};
  return {Kind::skip, 0, event.sequence, std::string(reinterpret_cast<const char*>(&text), sizeof text)};
}
// As workers of before wrote it.
Entry numberless_skip_of(const EventRef& event) {
  return {Kind::skip, 0, event.sequence, text_of(event.channel)};
}
Entry retry_of(uint64_t id, uint16_t slot, const EventRef& event, const std::string& message) {
  const RetryHead head{event.channel.value, event.sequence, 99};
  return {Kind::retry, slot, id, std::string(reinterpret_cast<const char*>(&head), sizeof head) + message};
}

DecidedFrame frame_of(const std::vector<Entry>& entries) {
  DecidedFrame frame(12, 1'000, 77);
  for (const Entry& entry : entries) REQUIRE(frame.add(entry.kind, entry.slot, entry.value, entry.text));
  frame.close();
  return frame;
}
// As the log has it once all of its effects are published.
DecidedFrame done(const DecidedFrame& frame) {
  std::vector<uint64_t> words(frame.words().begin(), frame.words().end());
  words[offsetof(FrameRecord, done) / 8] = frame.record().frame;
  words[offsetof(FrameRecord, outputs_end) / 8] = 555;
  auto parsed = DecidedFrame::parse(words);
  REQUIRE(parsed.has_value());
  REQUIRE(parsed->done());
  return std::move(*parsed);
}
std::vector<Entry> entries_of(const DecidedFrame& frame) {
  std::vector<Entry> entries;
  frame.for_each_entry([&](const FrameEntry& entry, std::string_view text) {
    entries.push_back({entry.kind, entry.slot, entry.value, std::string(text)});
  });
  return entries;
}
std::vector<Entry> without_skips(std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& entry) { return entry.kind == Kind::skip; });
  return entries;
}
std::vector<Entry> skips_of(std::vector<Entry> entries) {
  std::erase_if(entries, [](const Entry& entry) { return entry.kind != Kind::skip; });
  return entries;
}

bool is_same(const DecidedFrame& a, const DecidedFrame& b) {
  return std::ranges::equal(a.words(), b.words());
}

// The channels of an arena as they are before a frame, and their clients' ends.
class Channels {
 public:
  // A channel with so many events of one word, of which the frames before have taken some.
  ChannelWriter& attach(ChannelId id, Seat slot, uint64_t events) {
    auto writer = ChannelWriter::create(slot < limits::kMaxSeats ? limits::kMinChannelBytes : 0);
    REQUIRE(writer.ok());
    ChannelWriter& mine = writers_.emplace(id.value, std::move(*writer)).first->second;
    auto fd = mine.fd().duplicate();
    REQUIRE(fd.ok());
    auto view = ChannelView::map(std::move(*fd));
    REQUIRE(view.ok());
    set_.attach(id, slot, "player", std::move(*view));
    for (uint64_t i = 0; i < events; ++i) {
      void* words = mine.reserve(1);
      REQUIRE(words != nullptr);
      std::memset(words, 0, 8);
      mine.commit(99, 1);
    }
    mine.publish();
    return mine;
  }
  ChannelWriter& join(ChannelId id, Seat slot, uint64_t events, uint64_t taken) {
    ChannelWriter& writer = attach(id, slot, events);
    WorkerChannel& channel = *set_.find(id);
    set_.join(channel);
    channel.cursor = ChannelCursor(position_behind(taken), taken + 1);
    return writer;
  }
  static uint64_t position_behind(uint64_t events) { return events * record_bytes(1); }

  DecidedFrame run(const DecidedFrame& frame, const std::vector<EventRef>& quarantined) {
    const auto before = set_.positions();
    std::vector<LeftOutEvent> numbered;
    for (const EventRef& event : quarantined) numbered.push_back({event, number_of(event)});
    DecidedFrame now = without_quarantined(frame, set_, numbered, kMaxEventBytes);
    // It looks, and takes nothing.
    const auto after = set_.positions();
    REQUIRE(after.size() == before.size());
    for (size_t i = 0; i < after.size(); ++i) REQUIRE(after[i].position == before[i].position);
    // What it gives is a record.
    auto parsed = DecidedFrame::parse(now.words());
    REQUIRE(parsed.has_value());
    CHECK(now.record().frame == frame.record().frame);
    CHECK(now.record().time_unix_ns == frame.record().time_unix_ns);
    CHECK(now.record().seed == frame.record().seed);
    return now;
  }

  // The frame's own entries stay as they were, these are left out, and nothing else; it is not done any more.
  void check_skips(const std::vector<Entry>& entries, const std::vector<EventRef>& quarantined,
                   const std::vector<EventRef>& expected) {
    for (const DecidedFrame& frame : {frame_of(entries), done(frame_of(entries))}) {
      CAPTURE(frame.done());
      const DecidedFrame now = run(frame, quarantined);
      if (expected.empty()) {
        CHECK(is_same(now, frame));  // with its done mark
        continue;
      }
      CHECK_FALSE(now.done());
      CHECK(without_skips(entries_of(now)) == without_skips(entries));
      std::vector<Entry> skips = skips_of(entries);
      for (const EventRef& event : expected) skips.push_back(skip_of(event));
      CHECK(std::ranges::is_permutation(skips_of(entries_of(now)), skips));
      // Whoever runs it later finds nothing to change.
      CHECK(is_same(run(done(now), quarantined), done(now)));
    }
  }

 private:
  std::unique_ptr<std::array<ChannelEntry, limits::kMaxSlots>> table_ =
      std::make_unique<std::array<ChannelEntry, limits::kMaxSlots>>();
  std::atomic<uint64_t> newest_{0};
  ChannelSet set_{*table_, newest_};
  std::map<uint64_t, ChannelWriter> writers_;
};

uint64_t behind(uint64_t events) {
  return Channels::position_behind(events);
}

}  // namespace

TEST_CASE("without quarantined: nothing in quarantine, nothing changes") {
  Channels channels;
  channels.join(kAnn, 0, 5, 0);
  channels.check_skips({{Kind::take, 0, behind(5), ""}}, {}, {});
  channels.check_skips({}, {}, {});
  channels.check_skips({}, {{kAnn, 1}}, {});
}

TEST_CASE("without quarantined: before, inside and behind what the frame takes") {
  Channels channels;
  channels.join(kAnn, 0, 9, 3);
  const std::vector<Entry> frame{{Kind::drain, 0, 88, ""}, {Kind::take, 0, behind(6), ""}};
  for (uint64_t sequence = 0; sequence <= 11; ++sequence) {
    CAPTURE(sequence);
    const EventRef event{kAnn, sequence};
    const bool inside = sequence >= 4 && sequence <= 6;
    channels.check_skips(frame, {event}, inside ? std::vector{event} : std::vector<EventRef>{});
  }
  channels.check_skips(frame, {{kAnn, UINT64_MAX}}, {});
}

TEST_CASE("without quarantined: only of the channel that the frame takes it from") {
  Channels channels;
  channels.join(kAnn, 0, 5, 0);
  channels.join(kBob, 1, 5, 0);
  channels.attach(kCat, 2, 5);                                  // has not joined
  channels.join(ChannelId{34}, Seat(limits::kMaxSeats), 0, 0);  // an observer has no ring
  const std::vector<Entry> frame{{Kind::take, 0, behind(2), ""}, {Kind::take, 2, behind(2), ""}};
  channels.check_skips(frame, {{kAnn, 1}}, {{kAnn, 1}});
  channels.check_skips(frame, {{kBob, 1}}, {});  // nothing of his is taken
  channels.check_skips(frame, {{kCat, 1}}, {});
  channels.check_skips(frame, {{{34}, 1}}, {});
  channels.check_skips(frame, {{{99}, 1}}, {});
  channels.check_skips(frame, {{{0}, 1}}, {});
}

TEST_CASE("without quarantined: channels that join and leave in the frame") {
  Channels channels;
  SUBCASE("it joins") {
    channels.attach(kAnn, 0, 5);
    const std::vector<Entry> frame{{Kind::join, 0, kAnn.value, "ann"}, {Kind::take, 0, behind(3), ""}};
    channels.check_skips(frame, {{kAnn, 3}}, {{kAnn, 3}});
    channels.check_skips(frame, {{kAnn, 4}}, {});
  }
  SUBCASE("it joins and takes nothing") {
    channels.attach(kAnn, 0, 5);
    channels.check_skips({{Kind::join, 0, kAnn.value, "ann"}}, {{kAnn, 1}}, {});
  }
  SUBCASE("it leaves") {
    channels.join(kAnn, 0, 5, 1);
    const std::vector<Entry> frame{{Kind::take, 0, behind(3), ""}, {Kind::leave, 0, 1, ""}};
    channels.check_skips(frame, {{kAnn, 3}}, {{kAnn, 3}});
    channels.check_skips(frame, {{kAnn, 4}}, {});
  }
  SUBCASE("what is taken behind its leave is not its own") {
    channels.join(kAnn, 0, 5, 1);
    channels.check_skips({{Kind::leave, 0, 1, ""}, {Kind::take, 0, behind(3), ""}}, {{kAnn, 2}}, {});
  }
  SUBCASE("it comes and goes") {
    channels.attach(kAnn, 0, 5);
    const std::vector<Entry> frame{{Kind::join, 0, kAnn.value, "ann"}, {Kind::take, 0, behind(3), ""}, {Kind::leave, 0, 1, ""}};
    channels.check_skips(frame, {{kAnn, 1}}, {{kAnn, 1}});
  }
}

TEST_CASE("without quarantined: another channel takes the slot over in the same frame") {
  Channels channels;
  channels.join(kAnn, 0, 5, 1);
  channels.attach(kBob, 0, 5);
  SUBCASE("both are taken from") {
    const std::vector<Entry> frame{{Kind::take, 0, behind(2), ""},
                                   {Kind::leave, 0, 1, ""},
                                   {Kind::join, 0, kBob.value, "bob"},
                                   {Kind::take, 0, behind(4), ""}};
    channels.check_skips(frame, {{kAnn, 2}}, {{kAnn, 2}});
    channels.check_skips(frame, {{kAnn, 3}}, {});  // the take that would reach it is bob's
    channels.check_skips(frame, {{kBob, 1}}, {{kBob, 1}});
    channels.check_skips(frame, {{kBob, 4}}, {{kBob, 4}});
    channels.check_skips(frame, {{kBob, 5}}, {});
    channels.check_skips(frame, {{kAnn, 2}, {kBob, 2}}, {{kAnn, 2}, {kBob, 2}});
  }
  SUBCASE("only from the new one") {
    const std::vector<Entry> frame{{Kind::leave, 0, 1, ""}, {Kind::join, 0, kBob.value, "bob"}, {Kind::take, 0, behind(4), ""}};
    channels.check_skips(frame, {{kAnn, 2}}, {});
    channels.check_skips(frame, {{kBob, 2}}, {{kBob, 2}});
  }
  SUBCASE("only from the old one") {
    const std::vector<Entry> frame{{Kind::take, 0, behind(4), ""}, {Kind::leave, 0, 1, ""}, {Kind::join, 0, kBob.value, "bob"}};
    channels.check_skips(frame, {{kAnn, 2}}, {{kAnn, 2}});
    channels.check_skips(frame, {{kBob, 2}}, {});
  }
}

TEST_CASE("without quarantined: several events, and some that the frame skips already") {
  Channels channels;
  channels.join(kAnn, 0, 9, 0);
  channels.join(kBob, 1, 9, 0);
  const Entry ann{Kind::take, 0, behind(5), ""};
  const Entry bob{Kind::take, 1, behind(5), ""};
  const std::vector<EventRef> all{{kAnn, 1}, {kAnn, 5}, {kBob, 1}};
  channels.check_skips({ann, bob}, all, all);
  channels.check_skips({skip_of(all[1]), ann, bob}, all, {all[0], all[2]});
  channels.check_skips({ann, bob, skip_of(all[0]), skip_of(all[1]), skip_of(all[2])}, all, {});
  channels.check_skips({ann, bob, numberless_skip_of(all[0]), skip_of(all[1])}, all, {all[2]});
  // A skip stays when the event is let go: the frame did run without it.
  channels.check_skips({skip_of(all[0]), ann, bob}, {}, {});
  channels.check_skips({skip_of(all[0]), ann, bob}, {all[1]}, {all[1]});
  // Of the same number in another channel.
  channels.check_skips({skip_of({kBob, 5}), ann, bob}, {all[1]}, {all[1]});
  // Not the id of a channel, nor of an entry: it skips nothing.
  channels.check_skips({{Kind::skip, 0, 5, text_of(kAnn) + "x"}, ann, bob}, {all[1]}, {all[1]});
  channels.check_skips({{Kind::skip, 0, 5, skip_of(all[1]).text + "x"}, ann, bob}, {all[1]}, {all[1]});
  channels.check_skips({{Kind::skip, 0, 5, ""}, ann, bob}, {all[1]}, {all[1]});
}

TEST_CASE("without quarantined: a broken ring, before and behind the break") {
  Channels channels;
  ChannelWriter& writer = channels.attach(kAnn, 0, 2);
  void* words = writer.reserve(1);
  REQUIRE(words != nullptr);
  writer.commit(99, 1);
  reinterpret_cast<RecordHeader*>(static_cast<std::byte*>(words) - kRecordHeaderBytes)->bytes = 3;
  words = writer.reserve(1);
  REQUIRE(words != nullptr);
  writer.commit(99, 1);
  writer.publish();
  const std::vector<Entry> frame{{Kind::join, 0, kAnn.value, "ann"}, {Kind::take, 0, behind(4), ""}};
  channels.check_skips(frame, {{kAnn, 2}}, {{kAnn, 2}});
  channels.check_skips(frame, {{kAnn, 3}}, {});
  channels.check_skips(frame, {{kAnn, 4}}, {});
}

TEST_CASE("without quarantined: an event that is tried again stays in a frame that is done, and only there") {
  Channels channels;
  channels.join(kAnn, 0, 9, 5);
  const Entry take{Kind::take, 0, behind(8), ""};
  const EventRef old{kAnn, 3};
  const Entry retry = retry_of(17, 0, old, "12345678");
  const DecidedFrame frame = frame_of({take, retry, {Kind::drain, 0, 88, ""}});
  SUBCASE("done") {
    CHECK(is_same(channels.run(done(frame), {old}), done(frame)));
  }
  SUBCASE("not done") {
    const DecidedFrame now = channels.run(frame, {old});
    CHECK(entries_of(now) == std::vector<Entry>{take, {Kind::drain, 0, 88, ""}});
    CHECK(is_same(channels.run(now, {old}), now));
  }
  SUBCASE("not done, and it is another that is in quarantine") {
    for (const EventRef& other : {EventRef{kAnn, 2}, EventRef{kBob, 3}, EventRef{{17}, 17}}) {
      CHECK(is_same(channels.run(frame, {other}), frame));
    }
  }
  SUBCASE("two, and one of them goes") {
    const Entry other = retry_of(18, 0, {kAnn, 4}, "");
    CHECK(entries_of(channels.run(frame_of({retry, other}), {old})) == std::vector{other});
  }
  SUBCASE("it goes, and another event is skipped") {
    const DecidedFrame now = channels.run(frame, {old, {kAnn, 7}});
    CHECK(without_skips(entries_of(now)) == std::vector<Entry>{take, {Kind::drain, 0, 88, ""}});
    CHECK(skips_of(entries_of(now)) == std::vector{skip_of({kAnn, 7})});
  }
  SUBCASE("done, and another event is skipped: it stays, and the frame is not done any more") {
    const DecidedFrame now = channels.run(done(frame), {old, {kAnn, 7}});
    CHECK_FALSE(now.done());
    CHECK(without_skips(entries_of(now)) == entries_of(frame));
    CHECK(skips_of(entries_of(now)) == std::vector{skip_of({kAnn, 7})});
  }
  SUBCASE("without a head it is of no event") {
    const DecidedFrame headless = frame_of({take, {Kind::retry, 0, 17, retry.text.substr(0, sizeof(RetryHead) - 1)}});
    CHECK(is_same(channels.run(headless, {old}), headless));
  }
}

TEST_CASE("without quarantined: a record at its limit loses nothing of its own") {
  Channels channels;
  channels.join(kAnn, 0, 5, 0);
  constexpr uint64_t kSkipBytes = sizeof(FrameEntry) + sizeof(SkipText);
  const Entry take{Kind::take, 0, behind(5), ""};
  const std::vector<EventRef> quarantined{{kAnn, 1}, {kAnn, 2}, {kAnn, 3}};
  for (uint64_t room = 0; room <= 4 * kSkipBytes; room += 8) {
    CAPTURE(room);
    const uint64_t others = sizeof(FrameRecord) + 2 * sizeof(FrameEntry) + sizeof(RetryHead);
    const Entry large = retry_of(17, 0, {kBob, 1}, std::string(kMaxFrameRecordBytes - room - others, 'm'));
    const DecidedFrame frame = frame_of({large, take});
    REQUIRE(frame.record().bytes == kMaxFrameRecordBytes - room);
    const DecidedFrame now = channels.run(frame, quarantined);
    CHECK(now.record().bytes <= kMaxFrameRecordBytes);
    CHECK(without_skips(entries_of(now)) == entries_of(frame));
    CHECK(skips_of(entries_of(now)).size() == std::min<uint64_t>(room / kSkipBytes, quarantined.size()));
  }
  // What goes makes room.
  const uint64_t others = sizeof(FrameRecord) + 2 * sizeof(FrameEntry) + sizeof(RetryHead);
  const Entry large = retry_of(17, 0, {kBob, 1}, std::string(kMaxFrameRecordBytes - others, 'm'));
  const DecidedFrame now = channels.run(frame_of({large, take}), {{kBob, 1}, {kAnn, 1}});
  CHECK(without_skips(entries_of(now)) == std::vector{take});
  CHECK(skips_of(entries_of(now)) == std::vector{skip_of({kAnn, 1})});
}
