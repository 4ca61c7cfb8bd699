// How long one event takes from a sender to the handler in a process that sleeps, against a bare futex wake-up.
//
// The doorbell path is the one of a client and the worker of an arena without ticks: the sleeper says so, looks once more, and waits
// on the board's bell and on the end of the channel; the sender publishes, sees that the worker sleeps, and wakes it. The bare
// one is a store and FUTEX_WAKE against FUTEX_WAIT. Blocks of the two take turns.
#include <array>
#include <atomic>
#include <fmt/format.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "arenad/message.h"
#include "bench/bench.capnp.h"
#include "bench/benchmark.h"
#include "bench/peer.h"
#include "bench/quantile.h"
#include "bench/shared.h"
#include "ipc/board.h"
#include "ipc/channel.h"
#include "ipc/clock.h"
#include "ipc/futex.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kBlock = 100;
constexpr uint64_t kPauseNs = 200'000;  // long enough that the sleeper sleeps
constexpr uint64_t kTimeoutNs = 5 * kSecond;
constexpr uint64_t kChannelBytes = 64 * 1024;

struct Words {
  std::atomic<uint32_t> bare;  // counts the bare wake-ups
  alignas(64) std::atomic<uint32_t> asleep;
  alignas(64) std::atomic<uint64_t> handled;  // how many of either kind
  std::atomic<uint64_t> handled_ns;           // when the last one was
};

void note_handled(Words& words) {
  words.handled_ns.store(monotonic_ns(), std::memory_order_relaxed);
  words.handled.fetch_add(1, std::memory_order_release);
}

// ---- the sleeper ---------------------------------------------------------------------------------

class Sleeper {
 public:
  Sleeper(Words& words, ChannelView channel, BoardView board)
      : words_(words), channel_(std::move(channel)), board_(std::move(board)) {}

  Result<void> take_event() {
    for (;;) {
      const auto end = channel_.published(cursor_.position());
      if (!end) return make_error(ErrorCode::corrupt, "the channel's end cannot be true");
      if (*end != cursor_.position()) return handle(*end);
      sleep();
    }
  }

  void take_bare(uint32_t seen) {
    words_.asleep.store(1, std::memory_order_relaxed);
    while (words_.bare.load(std::memory_order_acquire) == seen) {
      ::syscall(SYS_futex, &words_.bare, FUTEX_WAIT, seen, nullptr, nullptr, 0);
    }
    note_handled(words_);
    words_.asleep.store(0, std::memory_order_relaxed);
  }

 private:
  // As a worker without ticks sleeps.
  void sleep() {
    words_.asleep.store(1, std::memory_order_relaxed);
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (channel_.published(cursor_.position()) == cursor_.position()) {
      const std::array waits = {board_.bell_wait(board_.bell()),
                                FutexWait{low_half(channel_.header().published), static_cast<uint32_t>(cursor_.position())}};
      futex_wait_any(waits, monotonic_ns() + kSecond);
    }
    words_.asleep.store(0, std::memory_order_relaxed);
  }

  Result<void> handle(uint64_t end) {
    RecordHeader header;
    const bool is_record = cursor_.peek(channel_, end, limits::kMaxEventBytes, header) == ChannelCursor::Step::record;
    const Ping::Reader* ping =
        is_record ? reader_.read(channel_.words_at(cursor_.position()), record_words(header.bytes)) : nullptr;
    if (ping == nullptr || ping->getSentNs() == 0) return make_error(ErrorCode::corrupt, "not an event as it was sent");
    note_handled(words_);
    cursor_.advance(header);
    return {};
  }

  Words& words_;
  ChannelView channel_;
  BoardView board_;
  ChannelCursor cursor_{0, 1};
  FlatReader<Ping> reader_;
};

Result<void> sleep_and_handle(Words& words, const Fd& channel_region, const Fd& board_region, uint64_t blocks) {
  auto channel_fd = channel_region.duplicate();
  if (!channel_fd) return channel_fd.error();
  auto channel = ChannelView::map(std::move(*channel_fd));
  if (!channel) return channel.error();
  auto board_fd = board_region.duplicate();
  if (!board_fd) return board_fd.error();
  auto board = BoardView::map(std::move(*board_fd));
  if (!board) return board.error();
  Sleeper sleeper(words, std::move(*channel), std::move(*board));
  uint32_t bare = 0;
  for (uint64_t block = 0; block < blocks; ++block) {
    for (uint64_t i = 0; i < kBlock; ++i) {
      if (auto taken = sleeper.take_event(); !taken) return taken;
    }
    for (uint64_t i = 0; i < kBlock; ++i) sleeper.take_bare(bare++);
  }
  return {};
}

// ---- the sender ----------------------------------------------------------------------------------

// The sleeper has surely gone to sleep when this returns; the processor that we are on stays awake.
Result<void> let_sleep(const Words& words) {
  const uint64_t began_ns = monotonic_ns();
  uint64_t asleep_since_ns = 0;
  for (;;) {
    const uint64_t now = monotonic_ns();
    if (words.asleep.load(std::memory_order_acquire) == 0) {
      asleep_since_ns = 0;
      ::sched_yield();  // it may need this processor
    } else if (asleep_since_ns == 0) {
      asleep_since_ns = now;
    }
    if (asleep_since_ns != 0 && now - asleep_since_ns >= kPauseNs) return {};
    if (now - began_ns > kTimeoutNs) return make_error(ErrorCode::timeout, "the receiving process does not go to sleep");
  }
}

Result<double> wait_handled_us(const Words& words, uint64_t count, uint64_t sent_ns) {
  while (words.handled.load(std::memory_order_acquire) < count) {
    if (monotonic_ns() - sent_ns > kTimeoutNs) return make_error(ErrorCode::timeout, "an event was not handled");
    ::sched_yield();
  }
  return static_cast<double>(words.handled_ns.load(std::memory_order_relaxed) - sent_ns) / 1e3;
}

class Sender {
 public:
  Sender(Words& words, ChannelWriter& channel) : words_(words), channel_(channel) {}

  Result<double> event_us() {
    if (auto asleep = let_sleep(words_); !asleep) return asleep.error();
    const uint64_t sent_ns = monotonic_ns();
    void* space = channel_.reserve(flat_word_count<Ping>);
    ARENAD_ASSERT(space != nullptr);
    writer_.fresh().setSentNs(sent_ns);
    std::memcpy(space, writer_.words(), flat_word_count<Ping> * 8);
    channel_.commit(capnp::typeId<Ping>(), flat_word_count<Ping>);
    channel_.publish();
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (words_.asleep.load(std::memory_order_relaxed) != 0) futex_wake_all(low_half(channel_.header().published));
    auto took = wait_handled_us(words_, ++sent_, sent_ns);
    channel_.set_released(channel_.written());
    return took;
  }

  Result<double> bare_us() {
    if (auto asleep = let_sleep(words_); !asleep) return asleep.error();
    const uint64_t sent_ns = monotonic_ns();
    words_.bare.fetch_add(1, std::memory_order_release);
    ::syscall(SYS_futex, &words_.bare, FUTEX_WAKE, 1, nullptr, nullptr, 0);
    return wait_handled_us(words_, ++sent_, sent_ns);
  }

 private:
  Words& words_;
  ChannelWriter& channel_;
  FlatWriter<Ping> writer_;
  uint64_t sent_ = 0;
};

}  // namespace

Result<Figures> measure_wakeup(const Conditions& conditions) {
  const auto blocks = std::max<uint64_t>(2, static_cast<uint64_t>(25 * conditions.scale));
  auto words = Shared<Words>::make();
  if (!words) return words.error();
  auto channel = ChannelWriter::create(kChannelBytes);
  if (!channel) return channel.error();
  auto board = Board::create();
  if (!board) return board.error();
  auto sleeper = Peer::start([&] { return sleep_and_handle(**words, channel->fd(), board->fd(), blocks); });
  if (!sleeper) return sleeper.error();

  Sender sender(**words, *channel);
  std::vector<double> event_us;
  std::vector<double> bare_us;
  for (uint64_t i = 0; i < 2 * blocks * kBlock; ++i) {
    const bool is_event = i / kBlock % 2 == 0;
    auto took = is_event ? sender.event_us() : sender.bare_us();
    if (!took) return took.error();
    (is_event ? event_us : bare_us).push_back(*took);
  }
  if (auto finished = sleeper->finish(5000); !finished) return finished.error();
  const double event_p50 = median(event_us);
  const double bare_p50 = median(bare_us);
  return Figures{
      {"ipc.wakeup_p50_us", event_p50, fmt::format("{} samples, p99 {:.1f} us", event_us.size(), quantile(event_us, 0.99))},
      {"ipc.wakeup_ratio", event_p50 / bare_p50, fmt::format("bare futex: p50 {:.1f} us", bare_p50)}};
}

}  // namespace arenad::bench
