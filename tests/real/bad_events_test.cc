// What clients send that is no event: they are told, it is counted, nothing of it is applied, and the others go on.
#include <array>
#include <atomic>
#include <csignal>
#include <fcntl.h>
#include <optional>
#include <span>
#include <sys/mman.h>
#include <thread>

#include <doctest/doctest.h>

#include "ipc/channel.h"
#include "tests/real/daemon.h"
#include "tests/real/player.h"
#include "tests/support/seed.h"
#include "tests/support/why_not.h"

using namespace arenad;
using namespace arenad::test;

namespace {

// An arena with a player who must not notice anything.
class Scene {
 public:
  explicit Scene(const std::string& sections = "") : daemon(sections + echo_section()) {
    daemon.start();
    daemon.start_arena("good");
    epoch_ = daemon.arena("good").epoch;
    bystander.emplace(daemon.socket(), "good", "ann");
    bystander->say();
    CHECK(bystander->hears_all());
  }
  // applied: Says and Notes of everyone.
  void check_unharmed(uint64_t applied, uint64_t rejected) {
    bystander->say();
    CHECK(bystander->hears_all());
    CHECK(bystander->complaint() == "");
    CHECK(bystander->rejections().empty());
    CHECK(bystander->ask().applied == applied + bystander->said());
    const ArenaFacts facts = daemon.arena("good");
    CHECK(facts.state == "running");
    CHECK(facts.epoch == epoch_);
    CHECK(facts.rejected == rejected);
  }
  // The worker dies, and all of it is run again.
  void check_survives_recovery() {
    const ArenaFacts before = daemon.arena("good");
    const uint64_t applied = bystander->ask().applied;
    REQUIRE(daemon.runs_again("good", daemon.kill_worker("good")));
    CHECK(daemon.arena("good").restarts == 1);
    CHECK(daemon.arena("good").divergences == 0);
    CHECK(daemon.arena("good").rejected == before.rejected);
    bystander->say();
    CHECK(bystander->hears_all());
    CHECK(bystander->ask().applied == applied + 1);
  }

  Daemon daemon;
  std::optional<Player> bystander;

 private:
  uint64_t epoch_ = 0;
};

// A client that keeps to the control protocol and to nothing else.
class Hostile {
 public:
  explicit Hostile(Scene& scene, uint64_t ring_bytes = limits::kMinChannelBytes)
      : control_(scene.daemon.connect()), writer_(make_writer(ring_bytes)) {
    auto answer = attach(writer_.fd().get());
    REQUIRE_MESSAGE(answer.ok(), why_not(answer));
  }
  // With a region of its own making.
  Hostile(Scene& scene, const Fd& region)
      : control_(scene.daemon.connect()), writer_(make_writer(0)), answer_(attach(region.get())) {}

  [[nodiscard]] bool was_refused() const { return answer_ && !answer_->ok(); }
  // A record as the header says, with these words.
  void write(RecordHeader header, std::span<const uint64_t> words) {
    auto* at = static_cast<std::byte*>(writer_.reserve(words.size()));
    REQUIRE(at != nullptr);
    std::memcpy(at - kRecordHeaderBytes, &header, sizeof header);
    std::memcpy(at, words.data(), words.size_bytes());
  }
  ChannelHeader& header() { return writer_.header(); }
  void publish(uint64_t position) { writer_.header().published.store(position, std::memory_order_release); }
  // Nobody rings for it, so a worker without ticks sees it when something else wakes it: another client's event.
  bool is_told_gone(Scene& scene) {
    std::string state;
    const bool told = eventually([&] {
      scene.bystander->say();
      scene.bystander->listen();
      if (!control_.poll()) return true;
      while (auto notice = control_.next_notice()) {
        const auto root = notice->root().getNotice();
        if (root.isGone()) state = root.getGone().getState();
      }
      return !state.empty();
    });
    CHECK(state == "expelled");
    return told;
  }

 private:
  static ChannelWriter make_writer(uint64_t ring_bytes) {
    auto writer = ChannelWriter::create(ring_bytes);
    REQUIRE(writer.ok());
    return std::move(*writer);
  }
  Result<ControlIncoming> attach(int fd) {
    return control_.call(
        [](wire::Request::Builder request) {
          auto to = request.initAttach();
          to.setArena("good");
          to.setPlayer("mallory");
        },
        {&fd, 1}, kPatienceMs);
  }

  ControlClient control_;
  ChannelWriter writer_;
  std::optional<Result<ControlIncoming>> answer_;
};

constexpr uint64_t kSayType = capnp::typeId<echo::Say>();
// A Say as it lies in a channel: root pointer, number.
constexpr std::array<uint64_t, 2> kSayWords{uint64_t{1} << 32, 1};

Sent send_raw(Attachment& arena, uint64_t type, std::span<const uint64_t> words) {
  Sent why_not = Sent::ok;
  void* space = arena.reserve(words.size(), why_not);
  if (space == nullptr) return why_not;
  std::memcpy(space, words.data(), words.size_bytes());
  arena.commit(type, words.size());
  arena.publish();
  return Sent::ok;
}

}  // namespace

TEST_CASE("an event that is too large is not sent") {
  Scene scene;
  Player bob(scene.daemon.socket(), "good", "bob");
  const std::string text(limits::kMaxEventBytes, 'x');
  CHECK(bob.arena().send<echo::Note>([&](echo::Note::Builder note) { note.setText(text.c_str()); }) == Sent::too_large);
  CHECK(bob.arena().events_sent() == 0);
  bob.say();
  CHECK(bob.hears_all());
  scene.check_unharmed(bob.said(), 0);
}

TEST_CASE("an event that is larger than arenad allows is not applied, and its sender is told") {
  Scene scene("[channels]\nmax_event_bytes = 1024\n");
  Player bob(scene.daemon.socket(), "good", "bob");
  const std::string text(4096, 'x');
  REQUIRE(bob.arena().send<echo::Note>([&](echo::Note::Builder note) { note.setText(text.c_str()); }) == Sent::ok);
  CHECK(bob.listens_until([&] { return !bob.rejections().empty() || bob.is_gone(); }));
  scene.check_unharmed(0, 1);
}

TEST_CASE("garbage as an event is rejected, and its sender goes on") {
  Scene scene;
  Player bob(scene.daemon.socket(), "good", "bob");
  Random random(test_seed());
  // Whose text lies outside of the message.
  const std::array<uint64_t, 2> outside{uint64_t{1} << 48, 0x00000FFF'00000FFD};
  REQUIRE(send_raw(bob.arena(), capnp::typeId<echo::Note>(), outside) == Sent::ok);
  CHECK(bob.listens_until([&] { return bob.rejections().size() == 1; }));
  REQUIRE(bob.rejections().size() == 1);
  CHECK(bob.rejections()[0].reason == Rejection::Reason::malformed);
  CHECK(bob.rejections()[0].sequence == 1);
  uint64_t sent = 1;
  for (; sent < 500; ++sent) {
    std::vector<uint64_t> words(1 + random.below(20));
    for (uint64_t& word : words) word = random();
    words[0] |= 3;  // a capability: never a struct
    REQUIRE(send_raw(bob.arena(), capnp::typeId<echo::Note>(), words) == Sent::ok);
  }
  bob.say();
  CHECK(bob.hears_all());
  CHECK_FALSE(bob.is_gone());
  scene.check_unharmed(bob.said(), sent);
  scene.check_survives_recovery();
}

TEST_CASE("an event of a type that the game does not know is rejected") {
  Scene scene;
  Player bob(scene.daemon.socket(), "good", "bob");
  REQUIRE(bob.arena().send<echo::Stranger>([](echo::Stranger::Builder to) { to.setNumber(1); }) == Sent::ok);
  CHECK(bob.listens_until([&] { return !bob.rejections().empty(); }));
  REQUIRE(bob.rejections().size() == 1);
  CHECK(bob.rejections()[0].reason == Rejection::Reason::unknown_type);
  bob.say();
  CHECK(bob.hears_all());
  scene.check_unharmed(bob.said(), 1);
}

TEST_CASE("a record that cannot be one ends its client, and only it") {
  struct Lie {
    const char* title;
    uint32_t bytes;
    uint64_t sequence;
    uint64_t published;
  };
  constexpr uint64_t kHonest = record_bytes(kSayWords.size());
  for (const Lie& lie : {
           Lie{"no bytes", 0, 1, kHonest},
           Lie{"only a header", kRecordHeaderBytes, 1, kHonest},
           Lie{"not a multiple of 8", kHonest - 3, 1, kHonest},
           Lie{"longer than what is published", kHonest + 8, 1, kHonest},
           Lie{"longer than the ring", 1U << 30, 1, kHonest},
           Lie{"4 GiB", 0xFFFFFFF8, 1, kHonest},
           Lie{"another sequence number", kHonest, 2, kHonest},
           Lie{"published within the header", kHonest, 1, 16},
           Lie{"published within the words", kHonest, 1, kHonest - 8},
       }) {
    CAPTURE(lie.title);
    Scene scene;
    Hostile mallory(scene);
    mallory.write({lie.bytes, 0, lie.sequence, kSayType, 0}, kSayWords);
    mallory.publish(lie.published);
    CHECK(mallory.is_told_gone(scene));
    CHECK(scene.bystander->hears_all());
    scene.check_unharmed(0, 1);
    CHECK(scene.bystander->ask().expelled == 1);
    scene.check_survives_recovery();
  }
}

TEST_CASE("a stream that cannot be one ends its client, and only it") {
  for (const uint64_t published : {uint64_t{limits::kMinChannelBytes} + 8, uint64_t{1} << 63, UINT64_MAX}) {
    CAPTURE(published);
    Scene scene;
    Hostile mallory(scene);
    mallory.publish(published);
    CHECK(mallory.is_told_gone(scene));
    CHECK(scene.bystander->hears_all());
    CHECK(scene.bystander->ask().expelled == 1);
    scene.check_unharmed(0, 1);
    scene.check_survives_recovery();
  }
  SUBCASE("it goes back") {
    Scene scene;
    Hostile mallory(scene);
    mallory.write({static_cast<uint32_t>(record_bytes(kSayWords.size())), 0, 1, kSayType, 0}, kSayWords);
    mallory.publish(record_bytes(kSayWords.size()));
    REQUIRE(eventually([&] {
      scene.bystander->say();
      return scene.bystander->ask().last[1] == 1;
    }));
    mallory.publish(0);
    CHECK(mallory.is_told_gone(scene));
    CHECK(scene.bystander->hears_all());
    CHECK(scene.bystander->ask().expelled == 1);
    scene.check_unharmed(1, 1);
  }
}

TEST_CASE("whoever was expelled may come back") {
  Scene scene;
  {
    Hostile mallory(scene);
    mallory.publish(UINT64_MAX);
    CHECK(mallory.is_told_gone(scene));
  }
  Player again(scene.daemon.socket(), "good", "mallory");
  again.say();
  CHECK(again.hears_all());
  CHECK(again.arena().seat() == 1);
}

TEST_CASE("a region that is no channel") {
  Scene scene;
  const auto sealed = [](const std::string& bytes) {
    auto region = Region::create("no-channel", std::max<size_t>(bytes.size(), 1));
    REQUIRE(region.ok());
    std::memcpy(region->data(), bytes.data(), bytes.size());
    REQUIRE(region->seal().ok());
    auto fd = region->fd().duplicate();
    REQUIRE(fd.ok());
    return std::move(*fd);
  };
  SUBCASE("not a memfd") {
    Fd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
    CHECK(Hostile(scene, file).was_refused());
  }
  SUBCASE("not sealed") {
    Fd open(::memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    REQUIRE(::ftruncate(open.get(), 64 * 1024) == 0);
    CHECK(Hostile(scene, open).was_refused());
  }
  SUBCASE("too small") {
    Hostile mallory(scene, sealed("x"));
    CHECK((mallory.was_refused() || mallory.is_told_gone(scene)));
  }
  SUBCASE("without the magic number") {
    Hostile mallory(scene, sealed(std::string(64 * 1024, 'x')));
    CHECK((mallory.was_refused() || mallory.is_told_gone(scene)));
  }
  SUBCASE("with a ring that is longer than the region") {
    auto honest = ChannelWriter::create(limits::kMinChannelBytes);
    REQUIRE(honest.ok());
    std::string bytes(reinterpret_cast<const char*>(&honest->header()), kPageBytes);
    reinterpret_cast<ChannelHeader*>(bytes.data())->ring_capacity = limits::kMaxChannelBytes;
    Hostile mallory(scene, sealed(bytes + std::string(limits::kMinChannelBytes, '\0')));
    CHECK((mallory.was_refused() || mallory.is_told_gone(scene)));
  }
  CHECK(scene.bystander->hears_all());
  scene.check_unharmed(0, 0);
  // The successor gets the arena's channels, and must not stumble over this one.
  scene.check_survives_recovery();
}

TEST_CASE("a channel whose header is spoilt later on") {
  Scene scene;
  Hostile mallory(scene);
  mallory.write({static_cast<uint32_t>(record_bytes(kSayWords.size())), 0, 1, kSayType, 0}, kSayWords);
  mallory.publish(record_bytes(kSayWords.size()));
  REQUIRE(eventually([&] {
    scene.bystander->say();
    return scene.bystander->ask().last[1] == 1;
  }));
  SUBCASE("its magic number") {
    mallory.header().magic = 0;
  }
  SUBCASE("its capacity") {
    mallory.header().ring_capacity = limits::kMaxChannelBytes;
  }
  // The successor has to do without what it cannot read any more.
  REQUIRE(scene.daemon.runs_again("good", scene.daemon.kill_worker("good")));
  scene.bystander->say();
  CHECK(scene.bystander->hears_all());
  CHECK(scene.bystander->complaint() == "");
}

TEST_CASE("records that change while they are read") {
  Scene scene;
  Player bob(scene.daemon.socket(), "good", "bob");
  Random random(test_seed());
  for (int round = 0; round < 300; ++round) {
    constexpr size_t kWords = 64;
    Sent why_not = Sent::ok;
    std::atomic<uint64_t>* space = nullptr;
    REQUIRE(bob.listens_until([&] {
      space = static_cast<std::atomic<uint64_t>*>(bob.arena().reserve(kWords, why_not));
      return space != nullptr;
    }));
    // A Note of 300 bytes, whose pointers and sizes another thread keeps changing.
    const std::array<uint64_t, 2> honest{uint64_t{1} << 48, (uint64_t{300} << 3 | 2) << 32 | 1};
    for (size_t i = 0; i < kWords; ++i) space[i].store(i < honest.size() ? honest[i] : 0x7878787878787878);
    std::atomic<bool> over{false};
    std::thread changes([&, seed = random()] {
      Random own(seed);
      while (!over.load()) {
        space[0].store(own.one_in(2) ? honest[0] : own());
        space[1].store(own.one_in(2) ? honest[1] : own());
      }
    });
    bob.arena().commit(capnp::typeId<echo::Note>(), kWords);
    bob.arena().publish();
    CHECK(bob.listens_until([&] { return bob.arena().bytes_not_applied() == 0; }));
    over.store(true);
    changes.join();
  }
  bob.say();
  CHECK(bob.hears_all());
  scene.bystander->say();
  CHECK(scene.bystander->hears_all());
  CHECK(scene.daemon.arena("good").restarts_total == 0);
}

TEST_CASE("a client that spoils its channel's header keeps no arena from recovering, and is expelled when it lies") {
  Scene scene;
  Hostile hostile(scene);
  const auto spoil = [&] {
    hostile.header().magic = 0;
    hostile.header().layout_version = UINT32_MAX;
    hostile.header().region_bytes = UINT64_MAX;
    hostile.header().ring_offset = UINT64_MAX;
    hostile.header().ring_capacity = UINT64_MAX;
    hostile.header().outputs_read.store(UINT64_MAX);
  };
  spoil();
  scene.check_survives_recovery();
  // Between two incarnations, so that the next one has never seen it otherwise.
  hostile.publish(uint64_t{1} << 40);
  CHECK(hostile.is_told_gone(scene));
  CHECK(scene.daemon.has_logged("a client was expelled"));
  REQUIRE(scene.daemon.runs_again("good", scene.daemon.kill_worker("good")));
  scene.bystander->say();
  CHECK(scene.bystander->hears_all());
}
