// The tanks module as a worker sees it: driven through its C table by a host in this process, with
// bots for players that get what clients would get, and nothing else.
#include "examples/tanks/tanks_game.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <capnp/any.h>
#include <doctest/doctest.h>

#include "arenad/game.h"
#include "examples/tanks/bot_brain.h"
#include "examples/tanks/capture.h"
#include "examples/tanks/wire.h"
#include "tanks.capnp.h"

namespace {

using namespace tanks;
using Words = std::vector<uint64_t>;

constexpr uint32_t kPlayers = sim::kMaxTanks;
constexpr uint64_t kRecordHeaderBytes = 32;
constexpr uint64_t kTickNs = 50'000'000;
constexpr uint64_t kTeamSeats[] = {0x5555555555555555, 0xAAAAAAAAAAAAAAAA};

struct Message {
  uint64_t type;
  uint64_t party;  // an output's audience or a result's seat
  Words words;

  template <class T>
  [[nodiscard]] bool is() const {
    return type == capnp::typeId<T>();
  }
  [[nodiscard]] arenad::MessageView view() const { return {words.data(), words.size(), arenad::unbounded_reader_options()}; }
  [[nodiscard]] bool reaches(uint32_t seat) const { return party == ARENAD_EVERYONE || (party >> seat & 1) != 0; }
  bool operator==(const Message&) const = default;
};

template <class T>
size_t count(const std::vector<Message>& messages) {
  return static_cast<size_t>(std::count_if(messages.begin(), messages.end(), [](const Message& m) { return m.is<T>(); }));
}

// A worker's part of the interface, for one arena.
class Arena {
 public:
  using Params = std::vector<arenad_param>;

  Arena() {
    host_.abi_version = ARENAD_ABI_VERSION;
    host_.table_bytes = sizeof host_;
    host_.self = this;
    host_.output_reserve = [](void* self, size_t words) { return of(self).reserve(words); };
    host_.output_commit = [](void* self, uint64_t type, uint64_t audience, size_t words) {
      Arena& arena = of(self);
      arena.space_.resize(words);
      arena.outputs_.push_back({type, audience, std::move(arena.space_)});
    };
    host_.result = [](void* self, uint32_t seat, uint64_t type, const void* words, size_t count) {
      const auto* first = static_cast<const uint64_t*>(words);
      of(self).results_.push_back({type, seat, Words(first, first + count)});
      return 0;
    };
    host_.end = [](void* self) { of(self).ended_ = true; };
    host_.log = [](void* self, arenad_log_level, const char*, size_t) { ++of(self).logged_; };
    frame_.dt_ns = kTickNs;
    box_ = game_.create(&host_, &frame_);
  }
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { game_.destroy(box_); }

  arenad_verdict init(const Params& params) {
    options_ = game_.defaults;
    return game_.init(box_, params.data(), params.size(), &options_);
  }
  arenad_verdict restore(const Words& state, uint64_t frame) {
    frame_.number = frame;
    return game_.restore(box_, state.data(), state.size(), 2);
  }
  void begin_frame() {
    ++frame_.number;
    frame_.time_unix_ns = frame_.number * kTickNs;
    frame_.seed = frame_.number * 31;
    outputs_.clear();
  }
  void join(uint32_t seat, const std::string& name) { game_.join(box_, seat, name.data(), name.size()); }
  void leave(uint32_t seat) { game_.leave(box_, seat, ARENAD_LEFT); }
  void drain(uint64_t deadline_unix_ns) { game_.drain(box_, deadline_unix_ns); }
  arenad_verdict order(uint32_t seat, const sim::Order& order) {
    arenad::FlatWriter<Order> writer;
    fill(writer.fresh(), order);
    const arenad_event event{
        .type = capnp::typeId<Order>(), .words = writer.words(), .word_count = writer.word_count, .seat = seat};
    return game_.event(box_, &event);
  }
  void tick() { game_.tick(box_); }
  [[nodiscard]] Words state() const {
    Words words(game_.max_state_bytes / sizeof(uint64_t));
    const size_t used = game_.checkpoint(box_, words.data(), words.size());
    REQUIRE(used > 0);
    words.resize(used);
    return words;
  }

  // Of this frame.
  [[nodiscard]] const std::vector<Message>& outputs() const { return outputs_; }
  template <class T>
  [[nodiscard]] const Message* output() const {
    const auto found = std::find_if(outputs_.begin(), outputs_.end(), [](const Message& m) { return m.is<T>(); });
    return found == outputs_.end() ? nullptr : &*found;
  }
  [[nodiscard]] uint64_t output_bytes() const {
    uint64_t sum = 0;
    for (const Message& output : outputs_) sum += kRecordHeaderBytes + 8 * output.words.size();
    return sum;
  }
  [[nodiscard]] const std::vector<Message>& results() const { return results_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] int logged() const { return logged_; }
  [[nodiscard]] uint64_t frame() const { return frame_.number; }
  [[nodiscard]] uint64_t now_unix_ns() const { return frame_.time_unix_ns; }
  [[nodiscard]] const arenad_arena_options& options() const { return options_; }
  [[nodiscard]] const arenad_game& game() const { return game_; }
  void fill_ring() { ring_is_full_ = true; }

 private:
  static Arena& of(void* self) { return *static_cast<Arena*>(self); }
  void* reserve(size_t words) {
    if (ring_is_full_) return nullptr;
    space_.assign(words, 0);
    return space_.data();
  }

  const arenad_game& game_ = *arenad::game_table<TanksGame>();
  arenad_host host_{};
  arenad_frame frame_{};
  arenad_arena_options options_{};
  void* box_ = nullptr;
  Words space_;
  std::vector<Message> outputs_;
  std::vector<Message> results_;
  bool ended_ = false;
  bool ring_is_full_ = false;
  int logged_ = 0;
};

// The players of an arena: bots in some of its seats.
class Players {
 public:
  explicit Players(uint64_t seed) {
    for (uint32_t seat = 0; seat < kPlayers; ++seat) bots_.emplace_back(seed * 1000 + seat);
  }
  void join(Arena& arena, uint32_t seat) {
    bots_[seat] = BotBrain(seat);
    present_ |= uint64_t{1} << seat;
    arena.join(seat, "player " + std::to_string(seat));
  }
  void join_all(Arena& arena) {
    for (uint32_t seat = 0; seat < arena.options().max_players; ++seat) join(arena, seat);
  }
  void give_orders(std::initializer_list<Arena*> arenas) {
    for (uint32_t seat = 0; seat < kPlayers; ++seat) {
      if (!is_present(seat)) continue;
      const sim::Order order = bots_[seat].decide();
      for (Arena* arena : arenas) REQUIRE(arena->order(seat, order) == ARENAD_OK);
    }
  }
  void receive(const Arena& arena) {
    for (const Message& output : arena.outputs()) {
      for (uint32_t seat = 0; seat < kPlayers; ++seat) {
        if (!is_present(seat) || !output.reaches(seat)) continue;
        ++received_[seat];
        output_to(bots_[seat], output);
      }
    }
  }
  [[nodiscard]] const BotBrain& bot(uint32_t seat) const { return bots_[seat]; }
  [[nodiscard]] size_t received(uint32_t seat) const { return received_[seat]; }

 private:
  [[nodiscard]] bool is_present(uint32_t seat) const { return (present_ >> seat & 1) != 0; }
  static void output_to(BotBrain& bot, const Message& output) {
    arenad::MessageView view = output.view();
    bot.hear(output.type, view.root<capnp::AnyPointer>());
  }

  std::vector<BotBrain> bots_;
  uint64_t present_ = 0;
  std::array<size_t, kPlayers> received_{};
};

void run_frame(Arena& arena, Players& players) {
  arena.begin_frame();
  players.give_orders({&arena});
  arena.tick();
  players.receive(arena);
}

void run_frames(Arena& arena, Players& players, int frames) {
  for (int i = 0; i < frames; ++i) run_frame(arena, players);
}

void start_battle(Arena& arena, Players& players, const Arena::Params& params) {
  REQUIRE(arena.init(params) == ARENAD_OK);
  arena.begin_frame();
  players.join_all(arena);
  arena.tick();
  players.receive(arena);
}

// Whether what a single team may know went to that team alone.
void check_audience(const Message& output) {
  if (output.is<TeamView>() || output.is<Contact>()) {
    CHECK(output.party != ARENAD_EVERYONE);
    CHECK(((output.party & kTeamSeats[0]) == 0 || (output.party & kTeamSeats[1]) == 0));
  }
  if (output.is<Assigned>() || output.is<Exposed>()) {
    CHECK(output.party != ARENAD_EVERYONE);
    CHECK((output.party & (output.party - 1)) == 0);
  }
  if (output.is<ShotFired>() || output.is<Field>()) CHECK(output.party != ARENAD_EVERYONE);
}

// The enemies of a team that its Contacts have told it of and not taken back.
class ContactBook {
 public:
  void check(const Message& output) {
    const auto team = static_cast<sim::Team>((output.party & kTeamSeats[0]) != 0 ? 0 : 1);
    arenad::MessageView view = output.view();
    if (output.is<Contact>()) note(team, view.root<Contact>());
    if (output.is<TeamView>()) check_view(team, view.root<TeamView>());
  }

 private:
  void note(sim::Team team, Contact::Reader contact) {
    CHECK(sim::team_of(contact.getSeat()) != team);
    if (contact.getSpotter() == sim::kNobody) {
      known_[team].erase(contact.getSeat());
    } else {
      known_[team].insert(contact.getSeat());
    }
  }
  void check_view(sim::Team team, TeamView::Reader view) {
    for (const auto tank : view.getTanks()) {
      if (sim::team_of(tank.getSeat()) == team) continue;
      CHECK(known_[team].contains(tank.getSeat()));
      CHECK(tank.getReloadTicks() == 0);
    }
  }
  std::array<std::set<sim::Seat>, 2> known_;
};

struct Sums {
  uint32_t dealt = 0;
  uint32_t received = 0;
  uint32_t kills = 0;
  uint32_t destroyed = 0;
  uint32_t won = 0;
  uint32_t lost = 0;
};

Sums sum_of(const std::vector<Message>& results) {
  Sums sums;
  for (const Message& message : results) {
    arenad::MessageView view = message.view();
    const auto result = view.root<Result>();
    CHECK(result.getTeam() == message.party % 2);
    CHECK(result.getShots() >= result.getHits());
    CHECK(result.getHits() >= result.getPenetrations());
    sums.dealt += result.getDamageDealt();
    sums.received += result.getDamageReceived();
    sums.kills += result.getKills();
    sums.destroyed += result.getSurvived() ? 0 : 1;
    sums.won += result.getStanding() == Standing::WON ? 1 : 0;
    sums.lost += result.getStanding() == Standing::LOST ? 1 : 0;
  }
  return sums;
}

TEST_CASE("bots fight a whole battle, and each team learns only what it may") {
  Arena arena;
  Players players(2);
  start_battle(arena, players, {{"seed", "2"}});
  ContactBook contacts;
  uint64_t most_output_bytes = 0;
  uint64_t most_state_bytes = 0;
  while (!arena.ended()) {
    run_frame(arena, players);
    most_output_bytes = std::max(most_output_bytes, arena.output_bytes());
    if (arena.frame() % 20 == 0) {
      most_state_bytes = std::max<uint64_t>(most_state_bytes, 8 * arena.state().size());
    }
    for (const Message& output : arena.outputs()) {
      check_audience(output);
      contacts.check(output);
    }
  }
  CHECK(arena.frame() <= 300 * sim::kTicksPerSecond);
  CHECK(arena.output<Finished>() != nullptr);
  CHECK(most_output_bytes <= arena.game().max_frame_output_bytes);
  CHECK(most_state_bytes <= arena.game().max_state_bytes);
  CHECK(arena.logged() == 0);

  REQUIRE(arena.results().size() == kPlayers);
  for (uint32_t seat = 0; seat < kPlayers; ++seat) CHECK(arena.results()[seat].party == seat);
  const Sums sums = sum_of(arena.results());
  CHECK(sums.won == kPlayers / 2);
  CHECK(sums.lost == kPlayers / 2);
  CHECK(sums.dealt == sums.received);
  CHECK(sums.kills == sums.destroyed);
  CHECK(sums.kills >= 10);
  for (uint32_t seat = 0; seat < kPlayers; ++seat) {
    CHECK(players.received(seat) > 5'000);
    CHECK(players.received(seat) < 20'000);
  }
}

TEST_CASE("bots beat a team that stands still") {
  Arena arena;
  Players players(5);
  REQUIRE(arena.init({{"seed", "5"}}) == ARENAD_OK);
  arena.begin_frame();
  for (uint32_t seat = 0; seat < kPlayers; seat += 2) players.join(arena, seat);
  arena.tick();
  players.receive(arena);
  while (!arena.ended()) {
    run_frame(arena, players);
    for (const Message& output : arena.outputs()) check_audience(output);
  }
  arenad::MessageView view = arena.output<Finished>()->view();
  CHECK(view.root<Finished>().getWinner() == 0);
  CHECK(view.root<Finished>().getReason() != EndReason::TIME_OVER);
  REQUIRE(arena.results().size() == kPlayers);
  CHECK(sum_of(arena.results()).won == kPlayers / 2);
}

TEST_CASE("an arena that is restored from any state gives the same outputs") {
  Arena arena;
  Players players(3);
  start_battle(arena, players, {{"seed", "3"}});
  for (int restart = 0; restart < 8; ++restart) {
    run_frames(arena, players, 250);
    Arena next;
    REQUIRE(next.restore(arena.state(), arena.frame()) == ARENAD_OK);
    for (int i = 0; i < 50; ++i) {
      arena.begin_frame();
      next.begin_frame();
      players.give_orders({&arena, &next});
      if (i == 20) {
        for (Arena* each : {&arena, &next}) each->leave(4);
      }
      if (i == 30) {
        for (Arena* each : {&arena, &next}) each->join(4, "player 4");
      }
      arena.tick();
      next.tick();
      REQUIRE(next.outputs() == arena.outputs());
      players.receive(arena);
    }
    CHECK(arena.state() == next.state());
  }
}

TEST_CASE("the same seed gives the same battle") {
  const auto play = [] {
    Arena arena;
    Players players(9);
    start_battle(arena, players, {{"seed", "9"}});
    run_frames(arena, players, 1200);
    return arena.state();
  };
  CHECK(play() == play());
}

TEST_CASE("who joins is told all that the later outputs build upon") {
  Arena arena;
  REQUIRE(arena.init({{"seed", "1"}}) == ARENAD_OK);
  arena.begin_frame();
  arena.join(7, "Ada");
  arena.tick();
  const Message* assigned = arena.output<Assigned>();
  REQUIRE(assigned != nullptr);
  CHECK(assigned->party == 1u << 7);
  arenad::MessageView assigned_view = assigned->view();
  CHECK(assigned_view.root<Assigned>().getSeat() == 7);
  CHECK(assigned_view.root<Assigned>().getTeam() == 1);

  const Message* field = arena.output<Field>();
  REQUIRE(field != nullptr);
  CHECK(field->party == 1u << 7);
  arenad::MessageView field_view = field->view();
  CHECK(field_view.root<Field>().getObstacles().size() >= 30);
  CHECK(field_view.root<Field>().getKinds().size() == kPlayers);
  CHECK(field_view.root<Field>().getEndTick() == 300 * sim::kTicksPerSecond);

  const Message* roster = arena.output<Roster>();
  REQUIRE(roster != nullptr);
  arenad::MessageView roster_view = roster->view();
  const auto players = roster_view.root<Roster>().getPlayers();
  CHECK(players[7].getName() == "Ada");
  CHECK(players[7].getPresent());
  CHECK_FALSE(players[6].getPresent());

  arena.begin_frame();
  arena.tick();
  REQUIRE(arena.outputs().size() == 1);
  CHECK(arena.outputs()[0].is<TeamView>());
  CHECK(arena.outputs()[0].party == 1u << 7);
}

TEST_CASE("without clients a battle runs silently to its end") {
  Arena arena;
  REQUIRE(arena.init({{"seed", "1"}, {"seconds", "2"}}) == ARENAD_OK);
  size_t outputs = 0;
  while (!arena.ended()) {
    arena.begin_frame();
    arena.tick();
    outputs += arena.outputs().size();
  }
  CHECK(arena.frame() == 2 * sim::kTicksPerSecond);
  CHECK(outputs == 1);
  CHECK(arena.output<Finished>() != nullptr);
  CHECK(arena.results().size() == kPlayers);
}

TEST_CASE("a tank whose client left stands, and its client goes on with it") {
  Arena arena;
  Players players(1);
  start_battle(arena, players, {{"seed", "1"}});
  run_frames(arena, players, 100);
  const sim::Vec before = players.bot(0).memory().me().position;

  arena.begin_frame();
  arena.leave(0);
  CHECK(arena.order(0, {.throttle_percent = 100}) == ARENAD_OK);
  arena.tick();
  REQUIRE(arena.output<Roster>() != nullptr);
  for (int i = 0; i < 100; ++i) {
    arena.begin_frame();
    arena.tick();
    for (const Message& output : arena.outputs()) {
      if (output.party != ARENAD_EVERYONE) CHECK_FALSE(output.reaches(0));
    }
  }

  arena.begin_frame();
  players.join(arena, 0);
  arena.tick();
  players.receive(arena);
  REQUIRE(arena.output<Field>() != nullptr);
  CHECK(arena.output<Field>()->party == 1);
  const sim::Vec after = players.bot(0).memory().me().position;
  CHECK(within(before, after, 15));
  run_frames(arena, players, 40);
  CHECK_FALSE(within(after, players.bot(0).memory().me().position, 1));
}

TEST_CASE("who comes late is told of the wrecks") {
  Arena arena;
  Players players(4);
  start_battle(arena, players, {{"seed", "4"}});
  size_t destroyed = 0;
  while (destroyed < 3) {
    run_frame(arena, players);
    destroyed += count<Destroyed>(arena.outputs());
  }
  arena.begin_frame();
  players.join(arena, 1);
  arena.tick();
  players.receive(arena);
  const auto& tanks = players.bot(1).memory().tanks();
  CHECK(std::count_if(tanks.begin(), tanks.end(), [](const KnownTank& tank) { return tank.fate == KnownTank::Fate::wreck; }) >=
        3);
}

TEST_CASE("the busiest frame fits: all join with the longest names") {
  Arena arena;
  REQUIRE(arena.init({{"seed", "1"}}) == ARENAD_OK);
  arena.begin_frame();
  for (uint32_t seat = 0; seat < kPlayers; ++seat) arena.join(seat, std::string(64, 'x'));
  arena.tick();
  // What else a frame can have at most: every tank fires, hits, is destroyed, found and warned.
  const uint64_t small_outputs = kPlayers * 5 * (kRecordHeaderBytes + 4 * sizeof(uint64_t));
  CHECK(arena.output_bytes() + small_outputs <= arena.game().max_frame_output_bytes);
  CHECK(8 * arena.state().size() <= arena.game().max_state_bytes);
  CHECK(count<Field>(arena.outputs()) == 1);
  CHECK(count<Roster>(arena.outputs()) == 1);
}

TEST_CASE("parameters are checked") {
  for (const auto& [key, value] :
       {std::pair{"seconds", "0"}, {"seconds", "soon"}, {"players", "1"}, {"players", "31"}, {"seed", "-1"}}) {
    Arena arena;
    CHECK(arena.init({{key, value}}) == ARENAD_REFUSED);
  }
  Arena small;
  CHECK(small.init({{"players", "6"}}) == ARENAD_OK);
  CHECK(small.options().max_players == 6);
}

TEST_CASE("without a seed each battle has its own map") {
  const auto map_of = [](uint64_t frames_before) {
    Arena arena;
    for (uint64_t i = 0; i < frames_before; ++i) arena.begin_frame();
    REQUIRE(arena.init({}) == ARENAD_OK);
    return arena.state();
  };
  CHECK(map_of(1) == map_of(1));
  CHECK_FALSE(map_of(1) == map_of(2));
}

TEST_CASE("a drained arena ends before the deadline") {
  Arena arena;
  Players players(1);
  start_battle(arena, players, {{"seed", "1"}});
  arena.begin_frame();
  const uint64_t deadline = arena.now_unix_ns() + 2'000'000'000;
  arena.drain(deadline);
  arena.tick();
  REQUIRE(arena.output<Clock>() != nullptr);
  while (!arena.ended()) run_frame(arena, players);
  CHECK(arena.now_unix_ns() <= deadline);
  CHECK(arena.now_unix_ns() + 2 * kTickNs > deadline);
  SUBCASE("but a deadline after its end changes nothing") {
    Arena other;
    Players others(1);
    start_battle(other, others, {{"seed", "1"}, {"seconds", "10"}});
    other.begin_frame();
    other.drain(other.now_unix_ns() + 20'000'000'000);
    other.tick();
    CHECK(other.output<Clock>() == nullptr);
  }
}

TEST_CASE("a full ring is logged, and the battle goes on") {
  Arena arena;
  Players players(1);
  start_battle(arena, players, {{"seed", "1"}, {"seconds", "1"}});
  arena.fill_ring();
  while (!arena.ended()) {
    arena.begin_frame();
    arena.tick();
  }
  CHECK(arena.logged() > 0);
  CHECK(arena.results().size() == kPlayers);
}

TEST_CASE("a state that no battle has is refused") {
  Arena arena;
  const Words empty(1);
  CHECK(arena.restore(empty, 1) == ARENAD_REFUSED);
  capnp::MallocMessageBuilder message;
  auto state = message.initRoot<State>();
  state.initBattle().initTanks(2);
  state.initPlayers(3);
  const auto segments = message.getSegmentsForOutput();
  REQUIRE(segments.size() == 1);
  const auto* first = reinterpret_cast<const uint64_t*>(segments[0].begin());
  CHECK(arena.restore(Words(first, first + segments[0].size()), 1) == ARENAD_REFUSED);
}

}  // namespace
