// The judge of end-to-end runs, judged: a match that is as it should be, and every way in which one can be wrong. And what a run says
// of itself: summary, exit code, table.
#include "chaos/judge.h"

#include <cstring>

#include <doctest/doctest.h>

#include "chaos/code_history.h"
#include "chaos/replay_run.h"
#include "chaos/screen.h"
#include "chaos/summary.h"
#include "tests/support/seed.h"

namespace {

using namespace arenad;
using namespace arenad::chaos;
using Role = ClientLogWriter::Role;

constexpr uint64_t kOrderType = 0xA1;
constexpr uint64_t kViewType = 0xB1;
constexpr uint64_t kFinishedType = 0xB2;
constexpr uint64_t kEventBytes = record_bytes(2);

using Words = std::vector<uint64_t>;

// One record, as it lies in a stream.
Words record(uint64_t sequence, uint64_t type, uint64_t party, const Words& words) {
  const RecordHeader header{static_cast<uint32_t>(record_bytes(words.size())), 0, sequence, type, party};
  Words result(kRecordHeaderBytes / 8);
  std::memcpy(result.data(), &header, sizeof header);
  result.insert(result.end(), words.begin(), words.end());
  return result;
}

void append(Words& to, const Words& what) {
  to.insert(to.end(), what.begin(), what.end());
}

void append_entry(Words& log, ClientLogKind kind, const Words& content) {
  const ClientLogEntry entry{kind, static_cast<uint32_t>(content.size() * 8)};
  uint64_t word = 0;
  std::memcpy(&word, &entry, sizeof entry);
  log.push_back(word);
  append(log, content);
}

struct SentEvent {
  uint64_t sequence;
  Words words;
};

struct GotOutput {
  uint64_t sequence;
  uint64_t type;
  uint64_t audience;
  Words words;
};

// What a client's log holds, to be spoilt before it is made.
struct MadeUpClient {
  uint64_t channel = 1;
  Seat seat = 0;
  Role role = Role::player;
  std::vector<SentEvent> sent;
  std::vector<GotOutput> received;
  Words lags;
  Words rejections;
  bool closed = true;

  [[nodiscard]] Words log_words() const {
    const ClientLogHead head{kClientLogMagic, 1, 2, channel, seat, role == Role::observer ? 1u : 0u};
    Words words(sizeof head / 8);
    std::memcpy(words.data(), &head, sizeof head);
    for (const SentEvent& event : sent)
      append_entry(words, ClientLogKind::sent, record(event.sequence, kOrderType, 0, event.words));
    for (const GotOutput& output : received) {
      append_entry(words, ClientLogKind::received, record(output.sequence, output.type, output.audience, output.words));
    }
    for (const uint64_t bytes : lags) append_entry(words, ClientLogKind::lagged, {bytes});
    for (const uint64_t sequence : rejections) append_entry(words, ClientLogKind::rejected, {sequence});
    if (closed) append_entry(words, ClientLogKind::closed, {});
    return words;
  }
  [[nodiscard]] ClientLog log() const {
    auto log = parse_client_log(log_words());
    REQUIRE(log.ok());
    return std::move(*log);
  }
};

DecidedFrame decided(uint64_t number, uint64_t time = 0) {
  return {number, time, number * 7};
}

DecidedFrame done(DecidedFrame frame, const FrameEffects& effects) {
  if (frame.record().bytes == 0) frame.close();
  Words words(frame.words().begin(), frame.words().end());
  FrameRecord record{};
  std::memcpy(&record, words.data(), sizeof record);
  record.done = record.frame;
  record.outputs_end = effects.outputs_end;
  record.outputs_hash = effects.outputs_hash;
  std::memcpy(words.data(), &record, sizeof record);
  auto parsed = DecidedFrame::parse(words);
  REQUIRE(parsed.has_value());
  return *parsed;
}

// Two players and an observer. The observer joins in frame 1, player A in frame 2, player B in frame 3. From frame 2 on, A sends an
// event a frame, B from frame 3 on. Each frame gives an output for all, one for seat 0 and one for seat 1; the last gives the end too.
struct Match {
  static constexpr uint64_t kFrames = 6;

  Match() {
    a.channel = 11;
    b.channel = 12;
    b.seat = 1;
    observer.channel = 10;
    observer.seat = 64;
    observer.role = Role::observer;
    for (uint64_t number = 1; number <= kFrames; ++number) play_frame(number);
  }

  void play_frame(uint64_t number) {
    DecidedFrame frame = decided(number);
    if (number == 1) frame.add(FrameEntryKind::join, 64, observer.channel, "observer");
    if (number == 2) frame.add(FrameEntryKind::join, 0, a.channel, "a");
    if (number == 3) frame.add(FrameEntryKind::join, 1, b.channel, "b");
    if (number >= 2) frame.add(FrameEntryKind::take, 0, send(a));
    if (number >= 3) frame.add(FrameEntryKind::take, 1, send(b));
    give(kViewType, 0, number);
    give(kViewType, 1, number);
    give(kViewType, 2, number);
    if (number == kFrames) give(kFinishedType, 0, number);
    frame.close();
    history.add(done(std::move(frame), {replay.outputs.size() * 8, number, 0, 0}));
    replay.last_frame = number;
  }

  uint64_t send(MadeUpClient& client) {
    const uint64_t sequence = client.sent.size() + 1;
    client.sent.push_back({sequence, {sequence * 100, client.channel}});
    ++replay.events_applied;
    ++events_applied;
    return sequence * kEventBytes;
  }

  void give(uint64_t type, uint64_t audience, uint64_t frame) {
    const GotOutput output{++replay.outputs_counted, type, audience, {frame, replay.outputs_counted}};
    append(replay.outputs, record(output.sequence, type, audience, output.words));
    observer.received.push_back(output);
    if (frame >= 2 && (audience == 0 || (audience & 1) != 0)) a.received.push_back(output);
    if (frame >= 3 && (audience == 0 || (audience & 2) != 0)) b.received.push_back(output);
  }

  [[nodiscard]] Findings judged() const {
    std::vector<ClientLog> logs;
    for (const MadeUpClient* client : {&a, &b, &observer}) logs.push_back(client->log());
    return judge({.arena = "arena",
                  .history = history,
                  .clients = logs,
                  .replay = replay,
                  .ending = ending,
                  .finishing_type = kFinishedType,
                  .events_applied = events_applied,
                  .events_rejected = events_rejected,
                  .divergences = divergences});
  }

  MadeUpClient a;
  MadeUpClient b;
  MadeUpClient observer;
  FrameHistory history;
  Replay replay;
  Ending ending = Ending::stopped;
  uint64_t events_applied = 0;
  uint64_t events_rejected = 0;
  uint64_t divergences = 0;
};

struct Counts {
  uint64_t lost = 0;
  uint64_t missing = 0;
  uint64_t repeated = 0;
  uint64_t different = 0;
};

void check_found(const Match& match, const Counts& counts) {
  const Findings findings = match.judged();
  CHECK(findings.lost == counts.lost);
  CHECK(findings.missing == counts.missing);
  CHECK(findings.repeated == counts.repeated);
  CHECK(findings.different == counts.different);
  CHECK_FALSE(findings.problems.empty());
  CHECK_FALSE(findings.clean());
}

}  // namespace

TEST_CASE("judge: a match that is as it should be") {
  const Findings findings = Match().judged();
  for (const std::string& problem : findings.problems) MESSAGE(problem);
  CHECK(findings.clean());
}

TEST_CASE("judge: lost events") {
  Match match;
  SUBCASE("sent behind the last frame's take") {
    match.a.sent.push_back({6, {600, 11}});
    check_found(match, {.lost = 1});
  }
  SUBCASE("several, of two clients") {
    match.a.sent.push_back({6, {600, 11}});
    match.b.sent.push_back({5, {500, 12}});
    match.b.sent.push_back({6, {600, 12}});
    check_found(match, {.lost = 3});
  }
  SUBCASE("in a frame and not applied") {
    --match.events_applied;
    check_found(match, {.lost = 1});
  }
  SUBCASE("of a client that never joined") {
    match.b.channel = 99;
    match.b.received.clear();
    // The events of the channel in its place are in frames, and are nobody's.
    const Findings findings = match.judged();
    CHECK(findings.lost == match.b.sent.size());
    CHECK_FALSE(findings.clean());
  }
  SUBCASE("sent too late for a match that is over") {
    match.a.sent.push_back({6, {600, 11}});
    match.ending = Ending::match_over;
    CHECK(match.judged().clean());
  }
}

TEST_CASE("judge: missing outputs") {
  Match match;
  SUBCASE("one in the middle") {
    match.a.received.erase(match.a.received.begin() + 3);
    check_found(match, {.missing = 1});
  }
  SUBCASE("the last") {
    match.b.received.pop_back();
    check_found(match, {.missing = 1});
  }
  SUBCASE("the first of the frame in which the client joined") {
    match.a.received.erase(match.a.received.begin());
    check_found(match, {.missing = 1});
  }
  SUBCASE("all of them") {
    const uint64_t count = match.b.received.size();
    match.b.received.clear();
    check_found(match, {.missing = count});
  }
  SUBCASE("one that only the observer gets") {
    match.observer.received.erase(match.observer.received.begin() + 2);
    check_found(match, {.missing = 1});
  }
  SUBCASE("from the first one on that the client has received, also before it joined") {
    const GotOutput early = match.observer.received[0];
    match.a.received.insert(match.a.received.begin(), early);
    // Output 2 is for seat 0 too, and lies between.
    check_found(match, {.missing = 1});
  }
}

TEST_CASE("judge: repeated outputs") {
  Match match;
  SUBCASE("the same twice in a row") {
    match.a.received.insert(match.a.received.begin() + 2, match.a.received[2]);
    check_found(match, {.repeated = 1});
  }
  SUBCASE("all again, as if a reader had begun anew") {
    const auto once = match.a.received;
    match.a.received.insert(match.a.received.end(), once.begin(), once.end());
    check_found(match, {.repeated = once.size()});
  }
  SUBCASE("two in the wrong order") {
    std::swap(match.a.received[2], match.a.received[3]);
    check_found(match, {.missing = 1, .repeated = 1});
  }
  SUBCASE("an event that was applied twice") {
    ++match.events_applied;
    check_found(match, {.repeated = 1});
  }
}

TEST_CASE("judge: different outputs") {
  Match match;
  SUBCASE("another word") {
    match.a.received[3].words[1] ^= 1;
    check_found(match, {.different = 1});
  }
  SUBCASE("a word more") {
    match.a.received[3].words.push_back(0);
    check_found(match, {.different = 1});
  }
  SUBCASE("another type") {
    match.a.received[3].type = kFinishedType;
    check_found(match, {.different = 1});
  }
  SUBCASE("another audience") {
    match.a.received[3].audience ^= 4;
    check_found(match, {.different = 1});
  }
  SUBCASE("one that is another seat's") {
    const auto others =
        std::find_if(match.b.received.begin(), match.b.received.end(), [](const GotOutput& got) { return got.audience == 2; });
    const auto place = std::find_if(match.a.received.begin(), match.a.received.end(),
                                    [&](const GotOutput& got) { return got.sequence > others->sequence; });
    match.a.received.insert(place, *others);
    check_found(match, {.different = 1});
  }
  SUBCASE("one that was never given") {
    match.a.received.push_back({match.replay.outputs_counted + 1, kViewType, 0, {1, 2}});
    check_found(match, {.different = 1});
  }
  SUBCASE("frames that a successor found to give something else") {
    match.divergences = 2;
    check_found(match, {.different = 2});
  }
  SUBCASE("frames that gave something else in the replay") {
    match.replay.divergences = 3;
    check_found(match, {.different = 3});
  }
  SUBCASE("a frame that was decided twice, and not the same") {
    DecidedFrame other = decided(4, 1);
    other.close();
    CHECK(match.history.add(std::move(other)) == FrameHistory::Seen::different);
    check_found(match, {.different = 1});
  }
}

TEST_CASE("judge: what is wrong without a count") {
  Match match;
  SUBCASE("a log that is cut off") {
    match.a.closed = false;
  }
  SUBCASE("events that are not numbered in order") {
    match.a.sent[1].sequence = 9;
  }
  SUBCASE("a client that was told that it is behind") {
    match.a.lags = {100};
  }
  SUBCASE("an event that was rejected, as its client says") {
    match.a.rejections = {1};
  }
  SUBCASE("an event that was rejected, as the arena says") {
    match.events_rejected = 1;
  }
  SUBCASE("a replay that took in another number of events") {
    ++match.replay.events_applied;
  }
  SUBCASE("a replay that did not come to the end") {
    --match.replay.last_frame;
  }
  SUBCASE("a replay whose outputs are no records") {
    match.replay.outputs.front() = 3;
  }
  SUBCASE("a replay that wrote fewer outputs than it counted") {
    ++match.replay.outputs_counted;
  }
  SUBCASE("frames that were not seen") {
    DecidedFrame far = decided(Match::kFrames + 2);
    far.close();
    CHECK(match.history.add(std::move(far)) == FrameHistory::Seen::gap);
  }
  SUBCASE("no frame at all") {
    match.history = FrameHistory();
    match.replay.last_frame = 0;
  }
  SUBCASE("a client that a frame put out") {
    DecidedFrame frame = decided(Match::kFrames + 1);
    frame.add(FrameEntryKind::leave, 1, 2);
    frame.close();
    match.history.add(std::move(frame));
    ++match.replay.last_frame;
  }
  SUBCASE("a match that is over and has no end") {
    match.ending = Ending::match_over;
    // The type of the last output, four words before its end and behind its sequence.
    match.replay.outputs[match.replay.outputs.size() - 4] = kViewType;
    match.a.received.back().type = match.b.received.back().type = match.observer.received.back().type = kViewType;
    const Findings findings = match.judged();
    CHECK(findings.missing + findings.repeated + findings.different == 0);
  }
  CHECK_FALSE(match.judged().clean());
}

TEST_CASE("judge: one damage anywhere is found") {
  const uint64_t seed = test::test_seed();
  test::Random random(seed);
  for (int round = 0; round < 2000; ++round) {
    Match match;
    MadeUpClient* const clients[] = {&match.a, &match.b, &match.observer};
    MadeUpClient& client = *clients[random.below(3)];
    const size_t at = random.below(client.received.size());
    switch (random.below(5)) {
      case 0:
        client.received.erase(client.received.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      case 1:
        client.received.push_back(client.received[at]);
        break;
      case 2:
        client.received[at].words[random.below(2)] ^= uint64_t{1} << random.below(64);
        break;
      case 3:
        client.received[at].sequence += 1 + random.below(3);
        break;
      case 4:
        client.role == Role::observer ? client.lags.push_back(8) : client.sent.push_back({client.sent.size() + 1, {1, 2}});
        break;
    }
    CAPTURE(round);
    CHECK_FALSE(match.judged().clean());
  }
}

TEST_CASE("frame history: fresh, again, different, gap") {
  FrameHistory history;
  auto closed = [](DecidedFrame frame) {
    frame.close();
    return frame;
  };
  CHECK(history.add(closed(decided(2))) == FrameHistory::Seen::gap);
  CHECK(history.add(closed(decided(0))) == FrameHistory::Seen::gap);
  CHECK(history.add(closed(decided(1))) == FrameHistory::Seen::fresh);
  CHECK(history.add(closed(decided(1))) == FrameHistory::Seen::again);
  CHECK(history.add(closed(decided(1, 5))) == FrameHistory::Seen::different);
  CHECK(history.add(closed(decided(3))) == FrameHistory::Seen::gap);
  CHECK(history.last() == 1);
  CHECK(history.gaps() == 3);
  CHECK(history.different() == 1);

  SUBCASE("an entry more is another decision") {
    DecidedFrame frame = decided(1);
    frame.add(FrameEntryKind::drain, 0, 1);
    CHECK(history.add(closed(std::move(frame))) == FrameHistory::Seen::different);
  }
  SUBCASE("what a frame left behind is learnt later, and must stay the same") {
    CHECK_FALSE(history.outputs_end(1).has_value());
    CHECK(history.add(done(decided(1), {64, 7, 0, 0})) == FrameHistory::Seen::again);
    CHECK(history.outputs_end(0) == 0);
    CHECK(history.outputs_end(1) == 64);
    CHECK(history.add(closed(decided(1))) == FrameHistory::Seen::again);
    CHECK(history.outputs_end(1) == 64);
    CHECK(history.add(done(decided(1), {64, 8, 0, 0})) == FrameHistory::Seen::different);
  }
}

TEST_CASE("frame history: a slot that changes hands") {
  FrameHistory history;
  auto frame = [&](uint64_t number, auto fill) {
    DecidedFrame decision = decided(number);
    fill(decision);
    decision.close();
    REQUIRE(history.add(std::move(decision)) == FrameHistory::Seen::fresh);
  };
  frame(1, [](DecidedFrame& f) { f.add(FrameEntryKind::join, 3, 21, "first"); });
  frame(2, [](DecidedFrame& f) {
    f.add(FrameEntryKind::take, 3, 48);
    f.add(FrameEntryKind::leave, 3, 0);
    f.add(FrameEntryKind::join, 3, 22, "second");
    f.add(FrameEntryKind::take, 3, 96);
    f.add(FrameEntryKind::take, 4, 7);  // nobody's
  });
  REQUIRE(history.part({21}) != nullptr);
  REQUIRE(history.part({22}) != nullptr);
  CHECK(history.part({21})->taken == 48);
  CHECK(history.part({21})->left == 2);
  CHECK(history.part({22})->taken == 96);
  CHECK(history.part({22})->joined == 2);
  CHECK_FALSE(history.part({22})->left.has_value());
  CHECK(history.part({23}) == nullptr);
}

TEST_CASE("client log: what was written is read, and a log that is cut anywhere is no whole one") {
  const MadeUpClient client = Match().a;
  const ClientLog whole = client.log();
  CHECK(whole.closed);
  CHECK(whole.sent.size() == client.sent.size());
  CHECK(whole.received.size() == client.received.size());
  CHECK(whole.sent_bytes().size() == client.sent.size() * kEventBytes);

  const Words words = client.log_words();
  for (size_t count = 0; count < words.size(); ++count) {
    CAPTURE(count);
    const auto cut = parse_client_log(Words(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(count)));
    if (cut) CHECK_FALSE(cut.value().closed);
  }
  Words longer = words;
  longer.push_back(0);
  CHECK_FALSE(parse_client_log(longer).ok());
  Words other = words;
  other.front() ^= 1;
  CHECK_FALSE(parse_client_log(other).ok());
}

TEST_CASE("records: only what tiles its bytes is taken apart") {
  Words two = record(1, kViewType, 0, {1});
  append(two, record(2, kViewType, 0, {2, 3}));
  REQUIRE(split_records(two).has_value());
  CHECK(split_records(two)->size() == 2);
  CHECK(split_records(two)->back().words[1] == 3);
  CHECK(split_records({})->empty());
  for (size_t count = 1; count < two.size(); ++count) {
    CHECK(split_records(std::span(two).first(count)).has_value() == (count == kRecordHeaderBytes / 8 + 1));
  }
}

TEST_CASE("untaken events: by where they end") {
  const MadeUpClient client = Match().a;
  const ClientLog log = client.log();
  const uint64_t count = log.sent.size();
  CHECK(count_untaken({}, 0) == 0);
  CHECK(count_untaken(log.sent, 0) == count);
  CHECK(count_untaken(log.sent, kEventBytes - 1) == count);
  CHECK(count_untaken(log.sent, kEventBytes) == count - 1);
  CHECK(count_untaken(log.sent, count * kEventBytes) == 0);
}

TEST_CASE("recording: a channel that is no client's is refused") {
  const Match match;
  std::vector<ClientLog> logs;
  logs.push_back(match.a.log());
  logs.push_back(match.observer.log());
  const StartedArena arena{{1, 2}, "arena", {{"seconds", "60"}}};
  CHECK_FALSE(make_recording(arena, match.history, logs).ok());
  logs.push_back(match.b.log());
  auto recording = make_recording(arena, match.history, logs);
  REQUIRE(recording.ok());
  CHECK(recording->snapshot.empty());
  CHECK(recording->frames.size() == Match::kFrames);
  CHECK(recording->channels.size() == 3);
  CHECK(recording->params == arena.params);
}

TEST_CASE("replay summary: the last line of arena-worker --replay") {
  const auto replay = parse_replay_summary("replayed tanks-1 to frame 164: 644 events, 332 outputs, 1 divergences\n");
  REQUIRE(replay.has_value());
  CHECK(replay->last_frame == 164);
  CHECK(replay->events_applied == 644);
  CHECK(replay->outputs_counted == 332);
  CHECK(replay->divergences == 1);
  CHECK_FALSE(parse_replay_summary("").has_value());
  CHECK_FALSE(parse_replay_summary("arena-worker: cannot read x").has_value());
}

TEST_CASE("code history: versions that stay count from the frame that they took over, others not at all") {
  const std::map<std::string, std::filesystem::path> versions = {{"1.0", "a.so"}, {"2.0", "b.so"}};
  const auto life = [](const char* version, uint64_t restored) {
    return Life{.live_since_unix_ns = 1, .version = version, .restored_frame = restored};
  };
  const auto history = [&](const std::vector<Life>& lives) { return code_history(lives, versions); };
  using Stretches = std::vector<Stretch>;
  CHECK(history({}).empty());
  CHECK(history({life("1.0", 0)}) == Stretches{{0, "1.0"}});
  CHECK(history({life("1.0", 0), life("1.0", 7)}) == Stretches{{0, "1.0"}});
  CHECK(history({life("1.0", 0), life("2.0", 9), life("1.0", 20)}) == Stretches{{0, "1.0"}, {9, "2.0"}, {20, "1.0"}});
  // One that is bad is taken back, or was the last when all ended.
  CHECK(history({life("2.0", 0), life("3.0-bad", 9), life("2.0", 9)}) == Stretches{{0, "2.0"}});
  CHECK(history({life("2.0", 0), life("3.0-bad", 9)}) == Stretches{{0, "2.0"}});
  // One that never ran a frame.
  Life unborn = life("2.0", 0);
  unborn.live_since_unix_ns = 0;
  CHECK(history({life("1.0", 0), unborn, life("1.0", 5)}) == Stretches{{0, "1.0"}});
  // A run that changes no code knows no versions: the game's module runs all.
  CHECK(code_history(std::vector<Life>{life("1.0", 0)}, {}).empty());
}

TEST_CASE("durations: quantiles by nearest rank") {
  CHECK(Durations({}).quantile(0.5) == 0);
  CHECK(Durations({3}).quantile(0.5) == 3);
  CHECK(Durations({3}).max() == 3);
  CHECK(Durations({4, 1, 3, 2}).quantile(0.5) == 2);
  CHECK(Durations({4, 1, 3, 2}).quantile(0.99) == 4);
  std::vector<double> hundred;
  for (int i = 100; i > 0; --i) hundred.push_back(i);
  CHECK(Durations(hundred).quantile(0.99) == 99);
  CHECK(Durations(hundred).max() == 100);
}

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

RunSummary whole_summary() {
  RunSummary summary;
  summary.seconds = 30;
  summary.kills = 12;
  summary.to_frame = Durations({1, 2.5, 40});
  summary.to_live = Durations({1, 2, 3});
  summary.judged = true;
  return summary;
}

}  // namespace

TEST_CASE("result line: exactly as it is documented") {
  RunSummary summary = whole_summary();
  CHECK(result_line(summary) ==
        "result: ok kills=12 lost=0 missing=0 repeated=0 different=0 recovery_p50_ms=2.50 recovery_p99_ms=40.00");
  summary.findings.missing = 1;
  CHECK(result_line(summary) ==
        "result: failed kills=12 lost=0 missing=1 repeated=0 different=0 recovery_p50_ms=2.50 recovery_p99_ms=40.00");
  summary.findings.missing = 0;
  summary.vacuous.emplace_back("no worker was killed");
  CHECK(result_line(summary).starts_with("result: failed"));
}

TEST_CASE("summary: a run that changes code tells of that instead of kills") {
  RunSummary summary = whole_summary();
  summary.options.subject = Subject::changes_of_code;
  summary.reload = {.steps = 10, .made = 9, .as_expected = 8, .refused = 4, .taken_over = 7, .taken_back = 3};
  CHECK(result_line(summary) == "result: ok commands=9 as_expected=8 lost=0 missing=0 repeated=0 different=0");
  CHECK(contains(summary_text(summary), "commands          9 of 10 given, 8 came to what they must\n"));
  CHECK(contains(summary_text(summary), "changed 7 times; 4 versions were refused before anything happened, 3 taken back"));
  CHECK_FALSE(contains(summary_text(summary), "kill"));
  CHECK(contains(summary_json(summary), "\"reload_steps\": 10, \"reload_made\": 9, \"reload_as_expected\": 8"));
  summary.cut_short = true;
  CHECK(contains(summary_text(summary), "cut short         after 9 of 10 commands; that much is judged\n"));
}

TEST_CASE("summary: a run that was cut short says so, and is no failure if what was played is right") {
  RunSummary summary = whole_summary();
  CHECK(exit_code(summary) == 0);
  CHECK_FALSE(contains(summary_text(summary), "cut short"));
  CHECK(contains(summary_text(summary), "kill to frame     p50 2.50 ms, p99 40.00 ms, max 40.00 ms (ticks come every 50 ms)"));

  summary.cut_short = true;
  summary.seconds = 3.25;
  SUBCASE("of so many seconds") {
    CHECK(contains(summary_text(summary), "cut short         after 3.2 of 30.0 s; that much is judged\n"));
    CHECK(result_line(summary).starts_with("result: ok"));
    CHECK(contains(summary_json(summary), "\"judged\": true, \"cut_short\": true"));
    CHECK(exit_code(summary) == kExitCutShort);
  }
  SUBCASE("of so many kills") {
    summary.options.kills = 200;
    CHECK(contains(summary_text(summary), "cut short         after 12 of 200 kills; that much is judged\n"));
    CHECK(exit_code(summary) == kExitCutShort);
  }
  SUBCASE("and was not judged") {
    summary.judged = false;
    CHECK(contains(summary_text(summary), "cut short         after 3.2 of 30.0 s\n  not judged\n"));
    CHECK_FALSE(contains(summary_text(summary), "missing"));
    CHECK_FALSE(contains(summary_text(summary), "sent"));
    CHECK(result_line(summary).starts_with("result: failed"));
    CHECK(exit_code(summary) == kExitCutShort);
  }
  SUBCASE("before anything was played") {
    summary = RunSummary();
    summary.cut_short = true;
    CHECK(summary_text(summary) == "\nnothing was played\n  cut short         before the play began\n  not judged\n");
    CHECK(exit_code(summary) == kExitCutShort);
  }
  SUBCASE("and something is wrong") {
    summary.findings.lost = 1;
    CHECK(result_line(summary).starts_with("result: failed"));
    CHECK(exit_code(summary) == kExitFailed);
  }
}

TEST_CASE("summary: a whole run fails if it is wrong, proves nothing, or is not judged") {
  RunSummary summary = whole_summary();
  SUBCASE("wrong") {
    summary.findings.problem("something");
  }
  SUBCASE("proves nothing") {
    summary.vacuous.emplace_back("no worker was killed");
  }
  SUBCASE("not judged") {
    summary.judged = false;
  }
  CHECK(exit_code(summary) == kExitFailed);
  CHECK(result_line(summary).starts_with("result: failed"));
}

TEST_CASE("table: never more columns or rows than the screen has, and only whole columns") {
  Picture picture{.seconds = 12.34, .bots = 240, .kills = 7};
  for (size_t i = 0; i < 8; ++i) {
    picture.arenas.push_back({.name = "tanks-" + std::to_string(i + 1), .state = "running", .frame = 100, .epoch = 2});
  }
  picture.arenas[3].last_recovery_ms = 48.6;
  const std::vector<std::string> roomy = table_lines(picture, {80, 24});
  CHECK(roomy.size() == 11);
  CHECK(roomy.front() == "12.3 s, 240 bots");
  CHECK(roomy.back().starts_with("all         8 running"));
  CHECK(roomy.back().ends_with("48.6 ms"));
  CHECK(table_lines(picture, {80, 12}) == roomy);

  const std::vector<std::string> low = table_lines(picture, {80, 11});
  CHECK(low.size() == 10);
  CHECK(low[7].starts_with("tanks-6"));
  CHECK(low[8] == "... and 2 more");
  CHECK(low[9] == roomy.back());

  const std::vector<std::string> narrow = table_lines(picture, {78, 24});
  CHECK(narrow[1] == "ARENA       STATE          FRAME    EVENTS   OUTPUTS  KILLS     RECOVERY");
  CHECK(table_lines(picture, {40, 24})[1] == "ARENA       STATE            RECOVERY");

  Picture changes = picture;
  changes.subject = Subject::changes_of_code;
  changes.arenas[3].version = "3.0-first-frame";
  const std::vector<std::string> with_versions = table_lines(changes, {80, 24});
  CHECK(with_versions[1] == "ARENA       STATE          FRAME  EPOCH    EVENTS   OUTPUTS          VERSION");
  CHECK(with_versions[5].ends_with("  3.0-first-frame"));

  for (size_t columns = 1; columns < 90; ++columns) {
    for (size_t rows = 1; rows < 15; ++rows) {
      CAPTURE(columns);
      CAPTURE(rows);
      const std::vector<std::string> lines = table_lines(picture, {columns, rows});
      CHECK(lines.size() < rows + (rows == 1 ? 1 : 0));
      CHECK(std::all_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.size() <= columns; }));
    }
  }
}
