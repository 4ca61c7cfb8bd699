// Sleeping and waking across processes: no wake-up is lost, and nobody needs to write what he waits for.
#include "ipc/futex.h"

#include <array>
#include <atomic>
#include <vector>

#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "ipc/region.h"
#include "tests/support/child.h"

namespace {

using namespace arenad;
using namespace arenad::test;

// One word of a stream that one side writes, and the other sees read-only.
class Word {
 public:
  Word() {
    auto region = Region::create("arenad-test", kPageBytes);
    REQUIRE(region.ok());
    region_ = std::move(*region);
    REQUIRE(region_.seal().ok());
    auto fd = region_.fd().duplicate();
    REQUIRE(fd.ok());
    auto view = RegionView::map(std::move(*fd), kPageBytes);
    REQUIRE(view.ok());
    view_ = std::move(*view);
  }
  std::atomic<uint64_t>& mine() { return *reinterpret_cast<std::atomic<uint64_t>*>(region_.data()); }
  [[nodiscard]] const std::atomic<uint64_t>& theirs() const {
    return *reinterpret_cast<const std::atomic<uint64_t>*>(view_.data());
  }

 private:
  Region region_;
  RegionView view_;
};

void wait_one(const std::atomic<uint64_t>& word, uint64_t seen, uint64_t deadline_ns) {
  const FutexWait wait{low_half(word), static_cast<uint32_t>(seen)};
  futex_wait_any({&wait, 1}, deadline_ns);
}

}  // namespace

TEST_CASE("futex: the low half of a position") {
  std::atomic<uint64_t> position = 0x1234'5678'9ABC'DEF0;
  CHECK(low_half(position)->load() == 0x9ABC'DEF0);
}

TEST_CASE("futex: a word that has changed, or a deadline that has passed, is no reason to sleep") {
  Word word;
  word.mine().store(5);
  Word other;
  const uint64_t far = monotonic_ns() + kDeadlineNs;
  SUBCASE("one word") {
    wait_one(word.theirs(), 4, kNoDeadline);
    wait_one(word.theirs(), 4, far);
    wait_one(word.theirs(), 5, monotonic_ns());
    wait_one(word.theirs(), 5, 0);
  }
  SUBCASE("several words") {
    const std::array<FutexWait, 2> changed = {{{low_half(other.theirs()), 0}, {low_half(word.theirs()), 4}}};
    futex_wait_any(changed, kNoDeadline);
    futex_wait_any(changed, far);
    const std::array<FutexWait, 2> same = {{{low_half(other.theirs()), 0}, {low_half(word.theirs()), 5}}};
    futex_wait_any(same, monotonic_ns());
    futex_wait_any(same, 0);
  }
  SUBCASE("as many words as there may be, and the last has changed") {
    std::vector<FutexWait> waits(kMaxFutexWaits, {low_half(other.theirs()), 0});
    waits.back() = {low_half(word.theirs()), 4};
    futex_wait_any(waits, kNoDeadline);
  }
  CHECK(monotonic_ns() < far);
}

TEST_CASE("futex: none, or more than the system takes at once, is a mistake") {
  const Word word;
  CHECK(aborts([] { futex_wait_any({}, 0); }));
  const std::vector<FutexWait> waits(kMaxFutexWaits + 1, {low_half(word.theirs()), 0});
  CHECK(aborts([&] { futex_wait_any(waits, 0); }));
  const std::vector<FutexWait> most(kMaxFutexWaits, {low_half(word.theirs()), 0});
  CHECK_FALSE(aborts([&] { futex_wait_any(most, 0); }));
}

TEST_CASE("futex: a deadline ends the sleep, and not much sooner") {
  const Word word;
  const Word other;
  const uint64_t begin_ns = monotonic_ns();
  const uint64_t deadline_ns = begin_ns + 2 * kMillisecond;
  while (monotonic_ns() < deadline_ns) wait_one(word.theirs(), 0, deadline_ns);
  const std::array<FutexWait, 2> both = {{{low_half(word.theirs()), 0}, {low_half(other.theirs()), 0}}};
  const uint64_t second_ns = monotonic_ns() + 2 * kMillisecond;
  while (monotonic_ns() < second_ns) futex_wait_any(both, second_ns);
  CHECK(monotonic_ns() >= begin_ns + 4 * kMillisecond);
}

TEST_CASE("futex: between two processes, 20,000 times there and back, no wake-up is lost") {
  constexpr uint64_t kRounds = 20'000;
  Word ping;
  Word pong;
  const Word never;
  const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
  // Sleeps on one word, and on two every other time; false once the deadline is over.
  auto await = [&](const std::atomic<uint64_t>& word, uint64_t wanted) {
    for (;;) {
      const uint64_t seen = word.load(std::memory_order_acquire);
      if (seen == wanted) return true;
      if (monotonic_ns() >= deadline_ns) return false;
      if (wanted % 2 == 0) {
        wait_one(word, seen, deadline_ns);
      } else {
        const std::array<FutexWait, 2> waits = {{{low_half(never.theirs()), 0}, {low_half(word), static_cast<uint32_t>(seen)}}};
        futex_wait_any(waits, deadline_ns);
      }
    }
  };
  Child other([&] {
    for (uint64_t i = 1; i <= kRounds; ++i) {
      if (!await(ping.theirs(), i)) return 1;
      pong.mine().store(i, std::memory_order_release);
      futex_wake_all(low_half(pong.mine()));
    }
    return kChildFine;
  });
  uint64_t rounds = 0;
  while (rounds < kRounds) {
    ping.mine().store(rounds + 1, std::memory_order_release);
    futex_wake_all(low_half(ping.theirs()));  // a mapping that can only be read is enough to wake
    if (!await(pong.theirs(), rounds + 1)) break;
    ++rounds;
  }
  CHECK(rounds == kRounds);
  CHECK(other.fine());
}

TEST_CASE("futex: everyone who sleeps is woken") {
  Word word;
  const Shared<std::atomic<uint32_t>> awake;
  const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
  auto sleeper = [&] {
    while (word.theirs().load() == 0) {
      if (monotonic_ns() >= deadline_ns) return 1;
      wait_one(word.theirs(), 0, deadline_ns);
    }
    awake->fetch_add(1);
    return kChildFine;
  };
  Child first(sleeper);
  Child second(sleeper);
  Child third(sleeper);
  word.mine().store(1);
  futex_wake_all(low_half(word.mine()));
  CHECK(first.fine());
  CHECK(second.fine());
  CHECK(third.fine());
  CHECK(awake->load() == 3);
}
