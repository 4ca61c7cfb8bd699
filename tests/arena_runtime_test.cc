// Recovery: whatever an incarnation dies of, and whenever, the arena goes on as if nothing had happened. The oracle is the same
// arena with the same clients, run once without an interruption.
#include "worker/arena_runtime.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <xxhash.h>

#include "arenad/game.h"
#include "tests/support/seed.h"
#include "tests/support/test_messages.capnp.h"
#include "worker/recorder.h"
#include "worker/recovery.h"

namespace {

using namespace arenad;
using arenad::test::mix;
using arenad::test::test_seed;
using SeededRandom = arenad::test::Random;

// Its state is a hash of everything that happened, in the order in which it happened.
class Ledger {
 public:
  using State = arenad::test::Tree;
  using Events = arenad::Events<arenad::test::Point, arenad::test::Chat>;
  static constexpr GameInfo info{.name = "ledger", .version = "1", .tick_hz = 20, .max_players = 8, .max_state_bytes = 4096};

  static constexpr int32_t kEnd = -999;  // Point.x: ends the arena

  void on_init(Context& ctx, const Params& params) {
    note(1, static_cast<uint64_t>(params.number("start", 3, 0, 100)));
    note(2, ctx.time_unix_ns());
    note(3, ctx.random().next());
    tell(ctx, Audience::everyone());
  }
  void on_join(Context& ctx, Seat seat, std::string_view name) {
    note(4 + seat, XXH3_64bits(name.data(), name.size()));
    names_ += std::string(name) + "+" + std::to_string(seat) + " ";
    tell(ctx, Audience::everyone());
  }
  void on_leave(Context& ctx, Seat seat, arenad_leave_reason reason) {
    note(5 + seat, reason);
    names_ += "-" + std::to_string(seat) + ":" + std::to_string(reason) + " ";
    if (names_.size() > 400) names_.erase(0, 200);
    tell(ctx, Audience::everyone());
  }
  void on_event(Context& ctx, Seat seat, arenad::test::Point::Reader point) {
    note(6 + seat, mix(static_cast<uint32_t>(point.getX()), static_cast<uint32_t>(point.getY())));
    ++events_;
    if (point.getX() == kEnd) ctx.end();
    if (point.getX() % 3 == 0) tell(ctx, Audience::seat(seat));
    if (point.getX() % 5 == 0) {
      ctx.result<arenad::test::Point>(seat, [&](auto to) {
        to.setX(static_cast<int32_t>(hash_));
        to.setY(static_cast<int32_t>(ctx.frame().value));
      });
    }
  }
  void on_event(Context& ctx, Seat seat, arenad::test::Chat::Reader chat) {
    note(7 + seat, XXH3_64bits(chat.getText().begin(), chat.getText().size()));
    note(ctx.random().next(), chat.getSender());
    ++events_;
    ctx.send<arenad::test::Chat>(
        Audience::everyone(),
        [&](auto to) {
          to.setSender(seat);
          to.setText(chat.getText());
        },
        4);
  }
  void on_tick(Context& ctx) {
    note(8, ctx.frame().value);
    note(9, ctx.time_unix_ns());
    note(10, ctx.random().next());
    ++ticks_;
    tell(ctx, Audience::everyone());
  }
  void on_drain(Context& ctx, uint64_t deadline_unix_ns) {
    note(11, deadline_unix_ns);
    tell(ctx, Audience::everyone());
  }
  void on_checkpoint(State::Builder state) const {
    state.setNumber(hash_);
    state.setName(names_);
    auto numbers = state.initNumbers(2);
    numbers.set(0, events_);
    numbers.set(1, ticks_);
  }
  void on_restore(Context&, State::Reader state) {
    hash_ = state.getNumber();
    names_ = state.getName();
    events_ = state.getNumbers()[0];
    ticks_ = state.getNumbers()[1];
  }

 protected:
  void note(uint64_t what, uint64_t value) { hash_ = mix(mix(hash_, what), value); }
  void tell(Context& ctx, Audience audience) {
    ctx.send<arenad::test::Move>(audience, [&](auto move) { move.setTick(hash_); });
  }

 private:
  uint64_t hash_ = 0;
  std::string names_;
  uint64_t events_ = 0;
  uint64_t ticks_ = 0;
};

// What a game may not do: from some frame on, it depends on something that is not in its state.
uint64_t outside = 0;
constexpr uint64_t kCarelessFrom = 14;

class Careless : public Ledger {
 public:
  void on_tick(Context& ctx) {
    if (ctx.frame().value >= kCarelessFrom) note(12, ++outside);
    Ledger::on_tick(ctx);
  }
};

constexpr ArenaId kArena = {0x0190'0000'0000'1234, 0x5678};
constexpr uint64_t kMaxEventBytes = 1024;
constexpr IncarnationSizes kSizes = {
    .frame_log_bytes = 16 * kPageBytes, .output_bytes = 16 * kPageBytes, .system_bytes = 4 * kPageBytes, .slot_bytes = 0};

IncarnationSizes sizes() {
  IncarnationSizes result = kSizes;
  result.slot_bytes = slot_bytes_for(Ledger::info.max_state_bytes);
  return result;
}

Fd copy_of(const Fd& fd) {
  auto copy = fd.duplicate();
  REQUIRE(copy.ok());
  return std::move(*copy);
}

IncarnationView view_of(const Fd& fd) {
  auto view = IncarnationView::map(copy_of(fd));
  REQUIRE(view.ok());
  return std::move(*view);
}

// The clients of an arena and what arenad knows of them. They outlive its incarnations; everything that they do in a frame follows
// from the seed and the frame's number.
struct Client {
  ChannelId id;
  Seat slot = 0;
  std::string player;
  ChannelWriter writer;
  std::optional<uint32_t> gone_reason;
  bool is_broken = false;
};

void write_words(ChannelWriter& writer, uint64_t type, const std::vector<uint64_t>& words) {
  void* space = writer.reserve(words.size());
  REQUIRE(space != nullptr);
  std::memcpy(space, words.data(), words.size() * 8);
  writer.commit(type, words.size());
}

template <class T, class Fill>
std::vector<uint64_t> message_of(Fill&& fill) {
  std::vector<uint64_t> words(64);
  InPlaceBuilder builder(words.data(), words.size());
  fill(builder.initRoot<T>());
  REQUIRE(builder.fits());
  words.resize(builder.used_words());
  return words;
}

template <class T, class Fill>
void write_event(ChannelWriter& writer, Fill&& fill) {
  write_words(writer, capnp::typeId<T>(), message_of<T>(fill));
}

void write_point(ChannelWriter& writer, int32_t x, int32_t y = 0) {
  write_event<arenad::test::Point>(writer, [&](auto point) {
    point.setX(x);
    point.setY(y);
  });
}

// The header of a record whose words lie here.
RecordHeader* header_before(void* words) {
  return reinterpret_cast<RecordHeader*>(static_cast<std::byte*>(words) - kRecordHeaderBytes);
}

struct FrameFacts {
  uint64_t state_hash = 0;
  uint64_t outputs_end = 0;
  uint64_t outputs_count = 0;
  uint64_t system_end = 0;
  uint64_t system_count = 0;
  uint64_t applied = 0;
  uint64_t rejected = 0;
  bool ended = false;
  bool operator==(const FrameFacts&) const = default;
};

// Reads a stream as clients and arenad do: on and on, from whichever incarnation there is.
class Consumer {
 public:
  explicit Consumer(std::string& all) : reader_(limits::kMaxEventBytes), all_(all) {}
  void read(const StreamView& stream) {
    for (;;) {
      const auto step = reader_.next(stream);
      if (step != OutboxReader::Step::record) {
        REQUIRE(step == OutboxReader::Step::end);
        return;
      }
      REQUIRE(reader_.header().sequence == ++sequence_);
      all_.append(static_cast<const char*>(reader_.record()), reader_.header().bytes);
    }
  }

 private:
  OutboxReader reader_;
  std::string& all_;
  uint64_t sequence_ = 0;
};

class World {
 public:
  using Script = void (*)(World& world, uint64_t frame);

  explicit World(Script script, uint64_t seed = 0, const arenad_game* game = game_table<Ledger>())
      : script_(script), seed_(seed), game_(game) {
    make_runtime();
    REQUIRE(runtime_->init({{"start", "7"}}).ok());
    REQUIRE(runtime_->take_snapshot());
    consume();
  }

  // One frame, as the live loop runs it. Dies in it if told to.
  enum class Death { none, before_record, after_record, after_run, after_outputs, after_results, after_done };
  void frame(Death death = Death::none) {
    const uint64_t number = runtime_->frame().value + 1;
    if (number > scripted_) {
      script_(*this, number);
      scripted_ = number;
    }
    FrameInputs inputs;
    inputs.frame = {number};
    inputs.time_unix_ns = 1'700'000'000'000'000'000 + number * 50'000'000;
    inputs.seed = frame_seed(kArena, inputs.frame);
    if (number % 17 == 5) inputs.drain_deadline_unix_ns = inputs.time_unix_ns + 99;
    const DecidedFrame decided = decide_frame(inputs, runtime_->channels());
    if (death == Death::before_record) return;
    runtime_->record(decided);
    if (death == Death::after_record) return;
    auto effects = runtime_->run(decided);
    REQUIRE(effects.ok());
    if (death == Death::after_run) return;
    if (death == Death::after_outputs || death == Death::after_results) {
      runtime_->outputs().publish();
      if (death == Death::after_results) runtime_->system().publish();
      consume();
      return;
    }
    runtime_->publish(*effects);
    consume();
    tell_expelled();
  }
  void frames_to(uint64_t last) {
    while (runtime_->frame().value < last) frame();
  }

  // The worker is gone; only its region is left.
  Fd die() {
    Fd region = copy_of(runtime_->incarnation().fd());
    runtime_.reset();
    return region;
  }

  std::variant<RecoveryReport, RecoveryFailure> recover_from(const RecoverySources& sources, ArenaId arena = kArena) {
    make_runtime(arena);
    auto result = recover(*runtime_, sources);
    for (auto& [id, channel] : runtime_->channels().all()) {
      if (channel.gone_reason && !channel.joined) channel.left = runtime_->frame();
    }
    if (std::holds_alternative<RecoveryReport>(result)) consume();
    tell_expelled();
    return result;
  }
  RecoveryReport recovered_from(const Fd& region) {
    RecoverySources sources;
    sources.predecessor = view_of(region);
    sources.checkpoint = checkpoint();
    sources.durable = durable_;
    const auto result = recover_from(sources);
    const auto* failure = std::get_if<RecoveryFailure>(&result);
    CAPTURE((failure != nullptr ? failure->message : ""));
    REQUIRE(failure == nullptr);
    return std::get<RecoveryReport>(result);
  }
  RecoveryReport die_and_recover() { return recovered_from(die()); }

  // What the database would get now; and it is durable.
  void save() {
    std::optional<Snapshot> newest;
    for (int slot = 0; slot < 2; ++slot) {
      if (!published_frame(runtime_->incarnation().slot(slot))) continue;
      auto snapshot = Snapshot::read_slot(runtime_->incarnation().slot(slot));
      REQUIRE(snapshot.ok());
      if (!newest || snapshot->facts().frame > newest->facts().frame) newest = std::move(*snapshot);
    }
    REQUIRE(newest.has_value());
    saved_ = std::string(newest->bytes());
    durable_ = newest->facts().frame;
  }
  [[nodiscard]] std::optional<Snapshot> checkpoint() const {
    if (saved_.empty()) return std::nullopt;
    auto snapshot = Snapshot::parse(saved_);
    REQUIRE(snapshot.ok());
    return std::move(*snapshot);
  }
  void release() {
    for (const ChannelId id :
         runtime_->release(retention_floor(durable_, runtime_->older_slot_frame(), runtime_->fullness()))) {
      REQUIRE(clients_.at(id.value).gone_reason.has_value());
      clients_.erase(id.value);
    }
    for (const ChannelEntry& entry : runtime_->incarnation().channels()) {
      const auto client = clients_.find(entry.channel_id.load());
      if (client != clients_.end()) client->second.writer.set_released(entry.released.load());
    }
    runtime_->results_committed(runtime_->system().count());
  }

  // For scripts.
  Client& come(Seat slot, const std::string& player) {
    auto writer = ChannelWriter::create(slot < limits::kMaxSeats ? limits::kMinChannelBytes : 0);
    REQUIRE(writer.ok());
    const ChannelId id{++last_client_};
    Client& client = clients_[id.value];
    client = Client{id, slot, player, std::move(*writer), std::nullopt, false};
    attach(client);
    return client;
  }
  void leave(Client& client, uint32_t reason) {
    client.gone_reason = reason;
    WorkerChannel* channel = runtime_->channels().find(client.id);
    REQUIRE(channel != nullptr);
    if (!channel->gone_reason) channel->gone_reason = reason;
  }
  Client* at(Seat slot) {
    for (auto& [id, client] : clients_) {
      if (client.slot == slot && !client.gone_reason) return &client;
    }
    return nullptr;
  }
  Client& client(uint64_t id) { return clients_.at(id); }
  std::map<uint64_t, Client>& clients() { return clients_; }
  [[nodiscard]] SeededRandom random(uint64_t frame) const { return SeededRandom(mix(seed_, frame)); }

  ArenaRuntime& runtime() { return *runtime_; }
  [[nodiscard]] Epoch epoch() const { return epoch_; }
  [[nodiscard]] FrameNumber durable() const { return durable_; }
  FrameFacts facts() {
    const WorkerStatus& s = runtime_->status();
    return {runtime_->state_hash(), s.outputs_published, s.outputs_count,   s.system_published,
            s.system_count,         s.events_applied,    s.events_rejected, runtime_->host().ended()};
  }
  [[nodiscard]] const std::string& outputs() const { return outputs_; }
  [[nodiscard]] const std::string& results() const { return results_; }

 private:
  void make_runtime(ArenaId arena = kArena) {
    auto incarnation = Incarnation::create(sizes());
    REQUIRE(incarnation.ok());
    epoch_ = epoch_.next();
    incarnation->assign(arena, epoch_, {}, game_->schema_hash, 1);
    runtime_ =
        std::make_unique<ArenaRuntime>(*game_, std::move(*incarnation), ArenaIdentity{arena, epoch_, "ledger"}, kMaxEventBytes,
                                       [this] { runtime_->results_committed(runtime_->system().count()); });
    for (auto& [id, client] : clients_) attach(client);
  }
  void attach(const Client& client) {
    auto view = ChannelView::map(copy_of(client.writer.fd()));
    REQUIRE(view.ok());
    runtime_->channels().attach(client.id, client.slot, client.player, std::move(*view)).gone_reason = client.gone_reason;
  }
  // What the worker tells arenad: that a client is not there any more, though nobody has said so.
  void tell_expelled() {
    for (auto& [id, channel] : runtime_->channels().all()) {
      Client& client = clients_.at(id);
      if (channel.left && !client.gone_reason) client.gone_reason = ARENAD_EXPELLED;
    }
  }
  void consume() {
    Incarnation& in = runtime_->incarnation();
    WorkerStatus& s = in.status();
    clients_reader_.read({in.output_ring(), in.sizes().output_bytes, s.outputs_published, s.outputs_begin, s.outputs_reserved});
    arenad_reader_.read({in.system_ring(), in.sizes().system_bytes, s.system_published, s.system_begin, s.system_reserved});
  }

  Script script_;
  uint64_t seed_;
  const arenad_game* game_;
  std::map<uint64_t, Client> clients_;
  uint64_t last_client_ = 0;
  uint64_t scripted_ = 0;
  Epoch epoch_;
  FrameNumber durable_;
  std::string saved_;
  std::string outputs_;
  std::string results_;
  Consumer clients_reader_{outputs_};
  Consumer arenad_reader_{results_};
  std::unique_ptr<ArenaRuntime> runtime_;
};

// Eight seats and two observers; they come, write a little of everything, and go.
void busy(World& world, uint64_t frame) {
  SeededRandom random = world.random(frame);
  for (Seat slot = 0; slot < 10; ++slot) {
    const Seat seat = slot < 8 ? slot : Seat(limits::kMaxSeats + slot - 8);
    Client* client = world.at(seat);
    if (client == nullptr) {
      if (random.one_in(3)) world.come(seat, "p" + std::to_string(random.below(100)));
      continue;
    }
    if (random.one_in(12)) {
      world.leave(*client, random.one_in(2) ? ARENAD_LEFT : ARENAD_DROPPED);
      continue;
    }
    if (seat >= limits::kMaxSeats || client->is_broken) continue;
    ChannelWriter& writer = client->writer;
    for (uint64_t i = random.below(3); i > 0; --i) {
      switch (random.below(8)) {
        case 0:
          write_event<arenad::test::Chat>(writer, [&](auto chat) {
            chat.setSender(seat);
            chat.setText(std::string(random.below(60), 'x'));
          });
          break;
        case 1:
          write_event<arenad::test::Nothing>(writer, [](auto) {});
          break;  // unknown to the game
        case 2:
          write_words(writer, capnp::typeId<arenad::test::Chat>(), {random(), random(), random()});
          break;
        default:
          write_point(writer, static_cast<int32_t>(random.below(100)), static_cast<int32_t>(frame));
      }
    }
    if (random.one_in(60)) {  // a client that breaks its ring
      void* words = writer.reserve(1);
      REQUIRE(words != nullptr);
      std::memset(words, 0, 8);
      writer.commit(1, 1);
      header_before(words)->bytes = random.one_in(2) ? 3 : 0;
      client->is_broken = true;
    }
    writer.publish();
  }
}

// Two seats, from the first frame on; one plain event each in every frame.
void calm(World& world, uint64_t frame) {
  for (Seat seat = 0; seat < 2; ++seat) {
    if (frame == 1) world.come(seat, seat == 0 ? "ann" : "bob");
    write_point(world.at(seat)->writer, static_cast<int32_t>(frame), seat);
    world.at(seat)->writer.publish();
  }
}

struct Oracle {
  std::vector<FrameFacts> frames;  // [0] is the state after init
  std::string outputs;
  std::string results;

  Oracle(World::Script script, uint64_t last, uint64_t seed = 0) {
    World world(script, seed);
    frames.push_back(world.facts());
    for (uint64_t frame = 1; frame <= last; ++frame) {
      world.frame();
      frames.push_back(world.facts());
      // Only to make room.
      if (frame % 4 == 0) REQUIRE(world.runtime().take_snapshot());
      if (frame % 4 == 0) world.save();
      world.release();
    }
    outputs = world.outputs();
    results = world.results();
  }
};

void check_frame(World& world, const Oracle& oracle) {
  const uint64_t frame = world.runtime().frame().value;
  CAPTURE(frame);
  const FrameFacts facts = world.facts();
  const FrameFacts& expected = oracle.frames.at(frame);
  REQUIRE(facts.state_hash == expected.state_hash);
  REQUIRE(facts.outputs_end == expected.outputs_end);
  REQUIRE(facts.outputs_count == expected.outputs_count);
  REQUIRE(facts.system_end == expected.system_end);
  REQUIRE(facts.system_count == expected.system_count);
  REQUIRE(facts.applied == expected.applied);
  REQUIRE(facts.rejected == expected.rejected);
  REQUIRE(facts.ended == expected.ended);
  REQUIRE(world.runtime().status().frame_decided.load() == frame);
  REQUIRE(world.runtime().status().frame_done.load() == frame);
  REQUIRE(world.outputs() == oracle.outputs.substr(0, expected.outputs_end));
  REQUIRE(world.results() == oracle.results.substr(0, expected.system_end));
  // What this incarnation has published, and what it has taken over from earlier ones, lies where it lay for everyone else.
  const WorkerStatus& s = world.runtime().status();
  const uint64_t overwritten = s.outputs_reserved - std::min(s.outputs_reserved.load(), kSizes.output_bytes);
  for (uint64_t at = std::max(s.outputs_begin.load(), overwritten); at < s.outputs_published; at += 8) {
    REQUIRE(std::memcmp(world.runtime().outputs().at(at), oracle.outputs.data() + at, 8) == 0);
  }
}

void go_on(World& world, const Oracle& oracle, uint64_t last) {
  check_frame(world, oracle);
  while (world.runtime().frame().value < last) {
    world.frame();
    check_frame(world, oracle);
  }
}

// A dead region with other bytes in it; the original cannot be written any more.
Fd altered(const Fd& region, const std::function<void(std::byte* bytes)>& alter) {
  const auto original = RegionView::map(copy_of(region), 1);
  REQUIRE(original.ok());
  auto copy = Region::create("arenad-test", original.value().bytes());
  REQUIRE(copy.ok());
  std::memcpy(copy->data(), original.value().data(), original.value().bytes());
  alter(copy->data());
  REQUIRE(copy->seal().ok());
  return copy_of(copy->fd());
}

uint64_t slot_offset(int slot) {
  const IncarnationSizes s = sizes();
  return kFirstPartOffset + s.frame_log_bytes + s.output_bytes + s.system_bytes + static_cast<uint64_t>(slot) * s.slot_bytes;
}

void flip(std::byte& byte) {
  byte ^= std::byte{0x40};
}

void damage_slot(std::byte* bytes, int slot) {
  flip(bytes[slot_offset(slot) + sizeof(SlotHeader) + sizeof(SnapshotHeader) + 5]);
}

int newest_slot(const Fd& region) {
  const IncarnationView view = view_of(region);
  return published_frame(view.slot(0)) > published_frame(view.slot(1)) ? 0 : 1;
}

// Where the record of a frame lies in a region. The logs here do not wrap.
uint64_t record_offset(const Fd& region, uint64_t frame) {
  const IncarnationView view = view_of(region);
  for (uint64_t at = view.status().log_begin; at < view.status().log_published;) {
    const auto record = load_shared<FrameRecord>(view.log_ring() + at);
    if (record.frame == frame) return kFirstPartOffset + at;
    at += record.bytes;
  }
  FAIL("no such record");
  return 0;
}

RecoverySources sources_of(const Fd& region, const World& world) {
  RecoverySources sources;
  sources.predecessor = view_of(region);
  sources.durable = world.durable();
  return sources;
}

const RecoveryReport& report_of(const std::variant<RecoveryReport, RecoveryFailure>& result) {
  const auto* failure = std::get_if<RecoveryFailure>(&result);
  CAPTURE((failure != nullptr ? failure->message : ""));
  REQUIRE(failure == nullptr);
  return std::get<RecoveryReport>(result);
}

void check_fault(const std::variant<RecoveryReport, RecoveryFailure>& result, RecoveryFault fault) {
  const auto* failure = std::get_if<RecoveryFailure>(&result);
  REQUIRE(failure != nullptr);
  CHECK(failure->fault == fault);
  CHECK_FALSE(failure->message.empty());
}

}  // namespace

TEST_CASE("arena runtime: recovered after any number of frames, it goes on like the oracle") {
  constexpr uint64_t kLast = 40;
  const uint64_t seed = test_seed();
  const Oracle oracle(busy, kLast, seed);
  CHECK(oracle.frames.back().applied > 0);
  CHECK(oracle.frames.back().rejected > 0);
  CHECK(oracle.frames.back().system_count > 0);
  for (uint64_t dies_after = 0; dies_after <= kLast; ++dies_after) {
    CAPTURE(dies_after);
    World world(busy, seed);
    uint64_t snapshot = 0;
    for (uint64_t frame = 1; frame <= dies_after; ++frame) {
      world.frame();
      if (frame % 7 != 0) continue;
      REQUIRE(world.runtime().take_snapshot());
      snapshot = frame;
    }
    const RecoveryReport report = world.die_and_recover();
    CHECK(report.rung == Rung::newest_slot);
    CHECK(report.restored == FrameNumber{snapshot});
    CHECK(report.replayed_frames == dies_after - snapshot);
    CHECK(report.replayed_events == oracle.frames[dies_after].applied - oracle.frames[snapshot].applied);
    CHECK(report.divergences == 0);
    go_on(world, oracle, kLast);
  }
}

TEST_CASE("arena runtime: it dies inside a frame, at every step of it") {
  constexpr uint64_t kLast = 24;
  const uint64_t seed = test_seed();
  const Oracle oracle(busy, kLast, seed);
  using Death = World::Death;
  for (const Death death : {Death::before_record, Death::after_record, Death::after_run, Death::after_outputs,
                            Death::after_results, Death::after_done}) {
    for (uint64_t dies_in = 1; dies_in <= kLast; ++dies_in) {
      CAPTURE(static_cast<int>(death));
      CAPTURE(dies_in);
      World world(busy, seed);
      for (uint64_t frame = 1; frame < dies_in; ++frame) {
        world.frame();
        if (frame % 5 == 0) REQUIRE(world.runtime().take_snapshot());
      }
      world.frame(death);
      const RecoveryReport report = world.die_and_recover();
      CHECK(report.divergences == 0);
      CHECK(world.runtime().frame() == FrameNumber{death == Death::before_record ? dies_in - 1 : dies_in});
      go_on(world, oracle, std::min(kLast, dies_in + 6));
    }
  }
}

TEST_CASE("arena runtime: chains of deaths, in every place, with and without a frame between them") {
  constexpr uint64_t kLast = 300;
  const uint64_t seed = test_seed();
  const Oracle oracle(busy, kLast, seed);
  SeededRandom random(mix(seed, 1));
  for (int chain = 0; chain < 10; ++chain) {
    World world(busy, seed);
    uint64_t deaths = 0;
    while (world.runtime().frame().value < kLast) {
      if (random.one_in(6)) {
        const auto death = static_cast<World::Death>(1 + random.below(6));
        world.frame(death);
        const Fd region = world.die();
        ++deaths;
        // Those that die while they recover leave no trace: the next one begins with the same predecessor.
        for (uint64_t again = random.below(3); again > 0; --again) {
          CHECK(world.recovered_from(region).divergences == 0);
          world.die();
        }
        CHECK(world.recovered_from(region).divergences == 0);
        // Right after it is live, and its own region must do.
        for (uint64_t again = random.below(3); again > 0; --again) CHECK(world.die_and_recover().divergences == 0);
      } else {
        world.frame();
      }
      check_frame(world, oracle);
      if (random.one_in(5)) REQUIRE(world.runtime().take_snapshot());
      if (random.one_in(8)) world.save();
      world.release();
    }
    CHECK(deaths > 10);
  }
}

TEST_CASE("arena runtime: it may die after every single frame") {
  constexpr uint64_t kLast = 60;
  const uint64_t seed = test_seed();
  const Oracle oracle(busy, kLast, seed);
  World world(busy, seed);
  for (uint64_t frame = 1; frame <= kLast; ++frame) {
    world.frame();
    const RecoveryReport report = world.die_and_recover();
    CHECK(report.replayed_frames == frame);  // none of them lived long enough for a snapshot
    CHECK(report.divergences == 0);
    check_frame(world, oracle);
  }
}

namespace {

// 21 frames, snapshots of 10 and 20 in its slots, and of 5 in the database.
struct Dead {
  World world{calm};
  std::optional<Snapshot> checkpoint;  // of frame 5
  Fd region;

  Dead() {
    world.frames_to(5);
    REQUIRE(world.runtime().take_snapshot());
    world.save();
    checkpoint = world.checkpoint();
    world.frames_to(10);
    REQUIRE(world.runtime().take_snapshot());
    world.frames_to(20);
    REQUIRE(world.runtime().take_snapshot());
    world.release();
    world.frame();
    region = world.die();
  }
  int newest() { return newest_slot(region); }
};

}  // namespace

TEST_CASE("arena runtime: the rungs of the ladder") {
  const Oracle oracle(calm, 30);
  Dead dead;
  const int newest = dead.newest();
  Fd region;
  Rung rung = Rung::none;
  uint64_t restored = 0;
  std::optional<Snapshot> checkpoint;
  SUBCASE("both slots are whole") {
    region = copy_of(dead.region);
    rung = Rung::newest_slot;
    restored = 20;
  }
  SUBCASE("the newest is damaged") {
    region = altered(dead.region, [&](std::byte* bytes) { damage_slot(bytes, newest); });
    rung = Rung::older_slot;
    restored = 10;
  }
  SUBCASE("the newest was being written") {
    region = altered(dead.region, [&](std::byte* bytes) { std::memset(bytes + slot_offset(newest), 0, 8); });
    rung = Rung::newest_slot;  // of those that were ever whole
    restored = 10;
  }
  SUBCASE("the older is damaged") {
    region = altered(dead.region, [&](std::byte* bytes) { damage_slot(bytes, 1 - newest); });
    rung = Rung::older_slot;  // which of them was the newer cannot be known any more
    restored = 20;
  }
  SUBCASE("both are damaged, and there is a checkpoint") {
    region = altered(dead.region, [&](std::byte* bytes) {
      damage_slot(bytes, 0);
      damage_slot(bytes, 1);
    });
    checkpoint = std::move(dead.checkpoint);
    rung = Rung::checkpoint;
    restored = 5;
  }
  SUBCASE("a slot says another frame than its snapshot") {
    region = altered(dead.region, [&](std::byte* bytes) { flip(bytes[slot_offset(newest)]); });
    rung = Rung::older_slot;
    restored = 10;
  }
  SUBCASE("a checkpoint does not come before a whole slot") {
    region = copy_of(dead.region);
    checkpoint = std::move(dead.checkpoint);
    rung = Rung::newest_slot;
    restored = 20;
  }
  RecoverySources sources = sources_of(region, dead.world);
  sources.checkpoint = std::move(checkpoint);
  const RecoveryReport report = report_of(dead.world.recover_from(sources));
  CHECK(report.rung == rung);
  CHECK(report.restored == FrameNumber{restored});
  CHECK(report.replayed_frames == 21 - restored);
  CHECK(report.divergences == 0);
  go_on(dead.world, oracle, 30);
}

TEST_CASE("arena runtime: no rung holds") {
  Dead dead;
  auto ruined = [&] {
    return altered(dead.region, [](std::byte* bytes) {
      damage_slot(bytes, 0);
      damage_slot(bytes, 1);
    });
  };
  SUBCASE("both slots damaged, no checkpoint") {
    check_fault(dead.world.recover_from(sources_of(ruined(), dead.world)), RecoveryFault::no_snapshot);
  }
  SUBCASE("both slots damaged, the checkpoint is older than what was released") {
    World other(calm);
    other.save();  // frame 0; the log begins behind 5
    RecoverySources sources = sources_of(ruined(), dead.world);
    sources.checkpoint = other.checkpoint();
    check_fault(dead.world.recover_from(sources), RecoveryFault::no_snapshot);
  }
  SUBCASE("everything is another arena's") {
    RecoverySources sources = sources_of(dead.region, dead.world);
    sources.checkpoint = std::move(dead.checkpoint);
    check_fault(dead.world.recover_from(sources, {kArena.high, kArena.low + 1}), RecoveryFault::no_snapshot);
  }
  SUBCASE("it claims to come from a later incarnation") {
    // World counts epochs up from 1: the first one that recovers is 2.
    World older(calm);
    older.die();
    World later(calm);
    later.frames_to(3);
    for (int i = 0; i < 5; ++i) later.die_and_recover();
    check_fault(older.recover_from(sources_of(later.die(), older)), RecoveryFault::no_snapshot);
  }
  SUBCASE("nothing at all") {
    check_fault(dead.world.recover_from({}), RecoveryFault::no_snapshot);
  }
}

TEST_CASE("arena runtime: nothing is set back silently when the log is empty") {
  // Everything up to the newest snapshot is durable and released, and it is this snapshot that is damaged.
  const Oracle oracle(calm, 30);
  World world(calm);
  world.frames_to(10);
  REQUIRE(world.runtime().take_snapshot());
  world.frames_to(20);
  REQUIRE(world.runtime().take_snapshot());
  world.save();
  world.release();
  CHECK(world.runtime().log().used() == 0);
  SUBCASE("in its first incarnation") {}
  SUBCASE("in one that has not run a frame yet") {
    world.die_and_recover();
    world.release();
  }
  Fd whole = world.die();
  const Fd region = altered(whole, [&](std::byte* bytes) { damage_slot(bytes, newest_slot(whole)); });
  RecoverySources sources = sources_of(region, world);
  check_fault(world.recover_from(sources), RecoveryFault::no_snapshot);
  sources.checkpoint = world.checkpoint();
  const RecoveryReport report = report_of(world.recover_from(sources));
  CHECK(report.restored == FrameNumber{20});
  CHECK(report.rung == Rung::checkpoint);
  go_on(world, oracle, 30);
}

TEST_CASE("arena runtime: a checkpoint alone sets the arena back to its frame") {
  const Oracle oracle(calm, 20);
  Dead dead;
  RecoverySources sources;
  sources.checkpoint = std::move(dead.checkpoint);
  sources.durable = {5};
  World again(calm);
  again.frames_to(5);
  again.die();
  const RecoveryReport report = report_of(again.recover_from(sources));
  CHECK(report.rung == Rung::checkpoint);
  CHECK(report.restored == FrameNumber{5});
  CHECK(report.replayed_frames == 0);
  go_on(again, oracle, 20);
}

TEST_CASE("arena runtime: a torn record of the log") {
  Dead dead;
  const uint64_t at = record_offset(dead.region, 21);
  uint64_t byte = 0;
  SUBCASE("its size") {
    byte = offsetof(FrameRecord, bytes);
  }
  SUBCASE("its frame") {
    byte = offsetof(FrameRecord, frame);
  }
  SUBCASE("its seed") {
    byte = offsetof(FrameRecord, seed);
  }
  SUBCASE("its checksum") {
    byte = offsetof(FrameRecord, checksum);
  }
  SUBCASE("an entry") {
    byte = sizeof(FrameRecord) + 9;
  }
  const Fd region = altered(dead.region, [&](std::byte* bytes) { flip(bytes[at + byte]); });
  check_fault(dead.world.recover_from(sources_of(region, dead.world)), RecoveryFault::broken_log);
}

TEST_CASE("arena runtime: a torn record of a frame that a snapshot covers is not needed") {
  const Oracle oracle(calm, 30);
  Dead dead;
  const uint64_t newest = published_frame(view_of(dead.region).slot(newest_slot(dead.region)))->value;
  const uint64_t at = record_offset(dead.region, newest);
  Fd region = altered(dead.region, [&](std::byte* bytes) { flip(bytes[at + offsetof(FrameRecord, seed)]); });
  const RecoveryReport report = report_of(dead.world.recover_from(sources_of(region, dead.world)));
  CHECK(report.rung == Rung::newest_slot);
  CHECK(report.restored.value == newest);
  go_on(dead.world, oracle, 30);
}

TEST_CASE("arena runtime: a frame that is missing in the log") {
  Dead dead;
  const uint64_t at = record_offset(dead.region, 20);
  const Fd region = altered(dead.region, [&](std::byte* bytes) {
    FrameRecord twentieth;
    std::memcpy(&twentieth, bytes + at, sizeof twentieth);
    std::memcpy(bytes + at, bytes + at + twentieth.bytes, twentieth.bytes);  // 21 twice, of one size
    damage_slot(bytes, dead.newest());                                       // the snapshot of 20, which would do without it
  });
  check_fault(dead.world.recover_from(sources_of(region, dead.world)), RecoveryFault::broken_log);
}

TEST_CASE("arena runtime: a channel that is needed and not there") {
  Dead dead;
  dead.world.clients().erase(1);
  check_fault(dead.world.recover_from(sources_of(dead.region, dead.world)), RecoveryFault::broken_log);
}

TEST_CASE("arena runtime: what was published and what comes now are compared") {
  const Oracle oracle(calm, 30);
  SUBCASE("a done frame by its mark") {
    Dead dead;
    const uint64_t at = record_offset(dead.region, 21);
    uint64_t byte = 0;
    SUBCASE("outputs' end") {
      byte = offsetof(FrameRecord, outputs_end);
    }
    SUBCASE("outputs' bytes") {
      byte = offsetof(FrameRecord, outputs_hash);
    }
    SUBCASE("results' end") {
      byte = offsetof(FrameRecord, system_end);
    }
    SUBCASE("results' bytes") {
      byte = offsetof(FrameRecord, system_hash);
    }
    const Fd region = altered(dead.region, [&](std::byte* bytes) { flip(bytes[at + byte]); });
    const RecoveryReport report = report_of(dead.world.recover_from(sources_of(region, dead.world)));
    CHECK(report.divergences == 1);
    CHECK(report.first_divergent_frame == 21);
    go_on(dead.world, oracle, 30);
  }
  SUBCASE("a frame that was published and not done, by its outputs") {
    World world(calm);
    world.frames_to(8);
    const uint64_t before = world.runtime().outputs().published();
    world.frame(World::Death::after_outputs);
    const Fd region = world.die();
    SUBCASE("the same") {
      CHECK(report_of(world.recover_from(sources_of(region, world))).divergences == 0);
    }
    SUBCASE("another byte") {
      const Fd other =
          altered(region, [&](std::byte* bytes) { flip(bytes[kFirstPartOffset + sizes().frame_log_bytes + before + 40]); });
      const RecoveryReport report = report_of(world.recover_from(sources_of(other, world)));
      CHECK(report.divergences == 1);
      CHECK(report.first_divergent_frame == 9);
    }
    SUBCASE("more than there are now") {
      const Fd other = altered(region, [&](std::byte* bytes) {
        reinterpret_cast<WorkerStatus*>(bytes + kStatusOffset)->outputs_published.fetch_add(64);
      });
      CHECK(report_of(world.recover_from(sources_of(other, world))).divergences == 1);
    }
  }
}

TEST_CASE("arena runtime: a game that is not deterministic is found out, frame by frame") {
  outside = 0;
  World world(calm, 0, game_table<Careless>());
  world.frames_to(10);
  REQUIRE(world.runtime().take_snapshot());
  SUBCASE("before it was careless") {
    world.frames_to(kCarelessFrom - 1);
    CHECK(world.die_and_recover().divergences == 0);
  }
  SUBCASE("from the first frame on that gave something else") {
    world.frames_to(20);
    const Fd region = world.die();
    const RecoveryReport report = report_of(world.recover_from(sources_of(region, world)));
    CHECK(report.divergences == 20 - kCarelessFrom + 1);
    CHECK(report.first_divergent_frame == kCarelessFrom);
    CHECK(world.runtime().frame() == FrameNumber{20});
  }
}

namespace {

constexpr uint64_t kNow = 6;  // the frame in which one does something wrong
void (*wrong)(ChannelWriter& writer) = nullptr;
bool wrong_is_last = false;  // nothing can be written behind it

// Ann writes a good event, something wrong and a good event; bob only good ones.
void ann_is_wrong(World& world, uint64_t frame) {
  if (frame == 1) world.come(0, "ann");
  if (frame == 1) world.come(1, "bob");
  if (Client* ann = world.at(0); ann != nullptr && frame <= kNow) {
    write_point(ann->writer, 1);
    if (frame == kNow) {
      wrong(ann->writer);
      if (!wrong_is_last) write_point(ann->writer, 2);
    }
    ann->writer.publish();
  }
  write_point(world.at(1)->writer, 4);
  world.at(1)->writer.publish();
}

const ChannelEntry& entry_of(World& world, Seat slot) {
  return world.runtime().incarnation().channels()[slot];
}

}  // namespace

TEST_CASE("arena runtime: an event that is no message of its type is rejected alone") {
  wrong_is_last = false;
  auto reason = RejectReason::malformed;
  SUBCASE("a wild pointer") {
    wrong = [](ChannelWriter& w) { write_words(w, capnp::typeId<arenad::test::Chat>(), {0x7FFF'FFFF'FFFF'FFFC, 1, 2}); };
  }
  SUBCASE("truncated: the pointer promises more than there is") {
    wrong = [](ChannelWriter& w) {
      auto words = message_of<arenad::test::Chat>([](auto chat) { chat.setText("a long text of more than one word"); });
      words.resize(words.size() - 2);
      write_words(w, capnp::typeId<arenad::test::Chat>(), words);
    };
  }
  SUBCASE("truncated: a flat one without its word") {
    wrong = [](ChannelWriter& w) {
      write_words(w, capnp::typeId<arenad::test::Point>(), {flat_root_word<arenad::test::Point>});
    };
  }
  SUBCASE("a list where a text should be") {
    wrong = [](ChannelWriter& w) {
      auto words = message_of<arenad::test::Chat>([](auto chat) { chat.setText("text"); });
      words[2] ^= uint64_t{7} << 32;
      write_words(w, capnp::typeId<arenad::test::Chat>(), words);
    };
  }
  SUBCASE("a bit of it has flipped in shared memory") {
    reason = RejectReason::damaged;
    wrong = [](ChannelWriter& w) {
      void* words = w.reserve(2);
      write_point(w, 3);
      static_cast<uint64_t*>(words)[1] ^= 1;
    };
  }
  SUBCASE("a bit of its type has") {
    reason = RejectReason::damaged;
    wrong = [](ChannelWriter& w) {
      void* words = w.reserve(2);
      write_point(w, 3);
      header_before(words)->type ^= 1;
    };
  }
  SUBCASE("of a type that the game does not know") {
    reason = RejectReason::unknown_type;
    wrong = [](ChannelWriter& w) { write_event<arenad::test::Nothing>(w, [](auto) {}); };
  }
  SUBCASE("of type 0") {
    reason = RejectReason::unknown_type;
    wrong = [](ChannelWriter& w) { write_words(w, 0, {0}); };
  }
  const Oracle oracle(ann_is_wrong, 12);
  World world(ann_is_wrong);
  world.frames_to(kNow - 1);
  const FrameFacts before = world.facts();
  world.frame();
  const FrameFacts after = world.facts();
  CHECK(after.applied == before.applied + 3);  // two of ann, one of bob
  CHECK(after.rejected == before.rejected + 1);
  const ChannelEntry& ann = entry_of(world, 0);
  CHECK(ann.channel_id.load() == 1);  // still there
  CHECK(ann.applied.load() == kNow + 1);
  CHECK(ann.rejected.load() == 1);
  CHECK(ann.last_rejected_sequence.load() == kNow + 1);
  CHECK(static_cast<RejectReason>(ann.last_reject_reason.load()) == reason);
  CHECK(world.die_and_recover().divergences == 0);
  check_frame(world, oracle);
  CHECK(entry_of(world, 0).rejected.load() == 1);
  go_on(world, oracle, 12);
}

namespace {

struct Wrong {
  const char* name;
  bool in_the_same_frame;  // it is seen when the frame is decided, and nothing of this frame is taken
  void (*write)(ChannelWriter& writer);
};

constexpr std::array<Wrong, 8> kBrokenRings = {{
    {"a size of nothing", false,
     [](ChannelWriter& w) {
       void* words = w.reserve(1);
       write_words(w, 1, {0});
       header_before(words)->bytes = 0;
     }},
    {"a size that is no multiple of a word", false,
     [](ChannelWriter& w) {
       void* words = w.reserve(2);
       write_words(w, 1, {0, 0});
       header_before(words)->bytes += 4;
     }},
    {"a record without a word", false, [](ChannelWriter& w) { write_words(w, 1, {}); }},
    {"oversized", false,
     [](ChannelWriter& w) {
       write_words(w, capnp::typeId<arenad::test::Point>(), std::vector<uint64_t>(record_words(kMaxEventBytes) + 1));
     }},
    {"longer than what is published", false,
     [](ChannelWriter& w) {
       void* words = w.reserve(1);
       write_words(w, 1, {0});
       header_before(words)->bytes = 512;
     }},
    {"a sequence number left out", false,
     [](ChannelWriter& w) {
       void* words = w.reserve(2);
       write_words(w, 1, {0, 0});
       ++header_before(words)->sequence;
     }},
    {"published further than the ring is long", true, [](ChannelWriter& w) { w.refill(1 << 20, {}); }},
    {"published behind what was taken already", true, [](ChannelWriter& w) { w.refill(0, {}); }},
}};

// Ann's ring is broken in frame kNow; then these happen, and everything must be as in the oracle.
void check_expelled(const Wrong& how, const Oracle& oracle, void (*happens)(World& world)) {
  World world(ann_is_wrong);
  world.frames_to(kNow - 1);
  const FrameFacts before = world.facts();
  world.frame();
  CHECK(world.facts().applied == before.applied + (how.in_the_same_frame ? 1 : 2));
  CHECK(world.facts().rejected == before.rejected + 1);
  CHECK(entry_of(world, 0).channel_id.load() == (how.in_the_same_frame ? 0 : 1));
  if (!how.in_the_same_frame) {
    CHECK(static_cast<RejectReason>(entry_of(world, 0).last_reject_reason.load()) == RejectReason::broken_ring);
  }
  happens(world);
  go_on(world, oracle, kNow + 1);
  CHECK(entry_of(world, 0).channel_id.load() == 0);
  CHECK(world.runtime().channels().at(0) == nullptr);
  CHECK(world.client(1).gone_reason == ARENAD_EXPELLED);
  CHECK(entry_of(world, 1).channel_id.load() == 2);
  go_on(world, oracle, 14);
}

}  // namespace

TEST_CASE("arena runtime: a ring that is broken: nothing behind it is applied, and its client is expelled in the next frame") {
  for (const Wrong& how : kBrokenRings) {
    const std::string name = how.name;
    CAPTURE(name);
    wrong = how.write;
    wrong_is_last = how.in_the_same_frame;
    const Oracle oracle(ann_is_wrong, 14);
    check_expelled(how, oracle, [](World&) {});
    check_expelled(how, oracle, [](World& world) { CHECK(world.die_and_recover().divergences == 0); });
    // A snapshot in which the client is still there.
    check_expelled(how, oracle, [](World& world) {
      REQUIRE(world.runtime().take_snapshot());
      CHECK(world.die_and_recover().divergences == 0);
    });
    check_expelled(how, oracle, [](World& world) {
      world.frame();
      CHECK(world.die_and_recover().divergences == 0);
    });
    check_expelled(how, oracle, [](World& world) {
      world.frame(World::Death::after_record);
      CHECK(world.die_and_recover().divergences == 0);
    });
  }
}

TEST_CASE("arena runtime: as large as an event may be, and a word more") {
  wrong_is_last = false;
  static uint64_t words = 0;
  words = record_words(kMaxEventBytes);
  bool taken = true;
  SUBCASE("as large") {}
  SUBCASE("a word more") {
    ++words;
    taken = false;
  }
  wrong = [](ChannelWriter& w) { write_words(w, 1, std::vector<uint64_t>(words)); };
  World world(ann_is_wrong);
  world.frames_to(kNow + 1);
  CHECK((world.runtime().channels().at(0) != nullptr) == taken);
}

TEST_CASE("arena runtime: an arena that has ended does nothing any more, also after a recovery") {
  wrong_is_last = false;
  wrong = [](ChannelWriter& w) { write_point(w, Ledger::kEnd); };
  const Oracle oracle(ann_is_wrong, kNow);
  World world(ann_is_wrong);
  world.frames_to(kNow);
  CHECK(world.runtime().host().ended());
  CHECK(world.facts().applied == 2 * (kNow - 1) + 2);  // neither ann's next one nor bob's
  SUBCASE("recovered by running its last frame again") {}
  SUBCASE("recovered from a snapshot of its last frame") {
    REQUIRE(world.runtime().take_snapshot());
  }
  world.die_and_recover();
  CHECK(world.runtime().host().ended());
  check_frame(world, oracle);
}

TEST_CASE("arena runtime: what is released nobody needs, and what is needed is kept") {
  const Oracle oracle(calm, 60);
  World world(calm);
  world.frames_to(4);
  REQUIRE(world.runtime().take_snapshot());
  const uint64_t at_four = entry_of(world, 0).taken;
  world.save();
  world.frames_to(9);
  world.release();
  CHECK(entry_of(world, 0).released == at_four);
  CHECK(entry_of(world, 0).taken > at_four);
  CHECK(world.client(1).writer.released() == at_four);

  // A floor between snapshots: the one before it.
  world.frames_to(12);
  REQUIRE(world.runtime().take_snapshot());
  world.runtime().release({{11}, Release::by_checkpoint});
  CHECK(entry_of(world, 0).released == at_four);

  auto first_kept = [](const Fd& region) {
    const IncarnationView view = view_of(region);
    return load_shared<FrameRecord>(view.log_ring() + (view.status().log_begin & (view.log_capacity() - 1))).frame;
  };
  const Fd region = world.die();
  CHECK(first_kept(region) == 5);
  SUBCASE("from its slots") {
    CHECK(world.recovered_from(region).restored == FrameNumber{12});
  }
  SUBCASE("from the checkpoint") {
    const Fd ruined = altered(region, [](std::byte* bytes) {
      damage_slot(bytes, 0);
      damage_slot(bytes, 1);
    });
    CHECK(world.recovered_from(ruined).restored == FrameNumber{4});
  }
  SUBCASE("from the checkpoint, after a recovery from a slot: the log was carried over") {
    world.recovered_from(region);
    world.release();
    const Fd second = world.die();
    CHECK(first_kept(second) == 5);
    const Fd ruined = altered(second, [](std::byte* bytes) {
      damage_slot(bytes, 0);
      damage_slot(bytes, 1);
    });
    const RecoveryReport report = world.recovered_from(ruined);
    CHECK(report.restored == FrameNumber{4});
    CHECK(report.divergences == 0);
  }
  CHECK(entry_of(world, 0).channel_id.load() == 1);
  go_on(world, oracle, 60);
}

TEST_CASE("arena runtime: too much is kept, and the older slot is the limit until the database has caught up") {
  World world(calm);
  uint64_t frame = 0;
  while (world.runtime().fullness().kept <= 0.5) {
    world.frame();
    if (++frame % 10 == 0) REQUIRE(world.runtime().take_snapshot());
    REQUIRE(frame < 10'000);
  }
  world.release();
  CHECK(world.runtime().status().released_early == 1);
  CHECK(world.runtime().fullness().kept < 0.5);
  CHECK(world.client(1).writer.released() > 0);
  const FrameNumber older = world.runtime().older_slot_frame();
  const Fd whole = world.die();
  const Fd region = altered(whole, [&](std::byte* bytes) { damage_slot(bytes, newest_slot(whole)); });
  const RecoveryReport report = report_of(world.recover_from(sources_of(region, world)));
  CHECK(report.restored == older);
  CHECK(report.divergences == 0);
  REQUIRE(world.runtime().take_snapshot());
  world.save();
  world.release();
  CHECK(world.runtime().status().released_early == 0);
}

TEST_CASE("arena runtime: a recovery does not make rings look fuller than they are") {
  World world(calm);
  for (uint64_t frame = 1; frame <= 500; ++frame) {
    world.frame();
    if (frame % 10 != 0) continue;
    REQUIRE(world.runtime().take_snapshot());
    world.save();
    world.release();
  }
  const double kept = world.runtime().fullness().kept;
  const uint64_t released = entry_of(world, 0).released;
  CHECK(kept < 0.1);
  world.die_and_recover();
  CHECK(world.runtime().fullness().kept < 0.1);
  CHECK(entry_of(world, 0).released.load() >= released);
  for (int i = 0; i < 2; ++i) {
    world.frame();
    REQUIRE(world.runtime().take_snapshot());
    world.release();
  }
  CHECK(world.runtime().status().released_early == 0);
}

TEST_CASE("arena runtime: a channel that left is kept until no recovery can need it") {
  World world(calm);
  world.frames_to(5);
  Client& watcher = world.come(limits::kMaxSeats, "watcher");
  const uint64_t id = watcher.id.value;
  world.frame();
  CHECK(entry_of(world, limits::kMaxSeats).channel_id == id);
  world.leave(watcher, ARENAD_LEFT);
  world.frame();
  CHECK(entry_of(world, limits::kMaxSeats).channel_id == 0);
  REQUIRE(world.runtime().take_snapshot());
  world.release();
  CHECK(world.clients().count(id) == 1);
  world.save();
  world.release();
  CHECK(world.clients().count(id) == 0);
  CHECK(world.die_and_recover().divergences == 0);

  // One that comes and goes between two frames: the game never hears of it.
  Client& hasty = world.come(limits::kMaxSeats, "hasty");
  const uint64_t hasty_id = hasty.id.value;
  world.leave(hasty, ARENAD_LEFT);
  CHECK(anything_to_take(world.runtime().channels()));
  world.frame();
  CHECK(entry_of(world, limits::kMaxSeats).channel_id == 0);
  CHECK(world.die_and_recover().divergences == 0);
  world.frame();
  REQUIRE(world.runtime().take_snapshot());
  world.save();
  world.release();
  CHECK(world.clients().count(hasty_id) == 0);
}

TEST_CASE("arena runtime: results go on over recoveries, each once and none missing, also when they wait for room") {
  // Five results in a frame: the ring of 16 KiB is full many times over.
  static constexpr auto kGenerous = [](World& world, uint64_t frame) {
    if (frame == 1) world.come(0, "ann");
    for (int i = 0; i < 5; ++i) write_point(world.at(0)->writer, 5 * i);
    world.at(0)->writer.publish();
  };
  constexpr uint64_t kLast = 300;
  const Oracle oracle(kGenerous, kLast);
  CHECK(oracle.frames.back().system_count == 5 * kLast);
  CHECK(oracle.results.size() > 2 * kSizes.system_bytes);
  World world(kGenerous);
  while (world.runtime().frame().value < kLast) {
    world.frame(world.runtime().frame().value % 11 == 7 ? World::Death::after_outputs : World::Death::none);
    if (world.runtime().frame().value % 11 == 8) CHECK(world.die_and_recover().divergences == 0);
    check_frame(world, oracle);
    if (world.runtime().frame().value % 6 != 0) continue;
    REQUIRE(world.runtime().take_snapshot());
    world.save();
    world.release();
  }
  CHECK(world.results() == oracle.results);
}

TEST_CASE("arena runtime: without a snapshot that fits, the older ones stay") {
  static const arenad_game hungry = [] {
    arenad_game table = *game_table<Ledger>();
    table.checkpoint = [](void* game, void* words, size_t capacity_words) -> size_t {
      const size_t used = game_table<Ledger>()->checkpoint(game, words, capacity_words);
      return outside == 0 ? used : 0;
    };
    return table;
  }();
  outside = 0;
  World world(calm, 0, &hungry);
  world.frames_to(3);
  REQUIRE(world.runtime().take_snapshot());
  world.frames_to(6);
  outside = 1;
  CHECK_FALSE(world.runtime().take_snapshot());
  CHECK(world.runtime().status().snapshots_failed == 1);
  outside = 0;
  const RecoveryReport report = world.die_and_recover();
  CHECK(report.restored == FrameNumber{3});
  CHECK(report.replayed_frames == 3);
}

TEST_CASE("arena runtime: a game that refuses its parameters or its state") {
  World world(calm);
  world.frames_to(3);
  const Fd region = world.die();
  static arenad_game proud = *game_table<Ledger>();
  proud.restore = [](void*, const void*, size_t, uint64_t) { return ARENAD_REFUSED; };
  auto incarnation = Incarnation::create(sizes());
  REQUIRE(incarnation.ok());
  ArenaRuntime runtime(proud, std::move(*incarnation), {kArena, {9}, "proud"}, kMaxEventBytes, [] {});
  SUBCASE("parameters") {
    const auto refused = runtime.init({{"start", "many"}});
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::invalid);
  }
  SUBCASE("state") {
    check_fault(recover(runtime, sources_of(region, world)), RecoveryFault::state);
  }
}
