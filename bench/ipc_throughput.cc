// How many small typed events a second go from a client to another process, against the same bytes over a Unix SEQPACKET socket.
//
// Both ways the sender fills every field of a Move and the reader reads every field, checks the record as a worker does, and their
// sums must agree. The channel is as between client and worker: built in place, published every few events with a look at
// whether the worker sleeps, and kept until the reader has gone a quarter of the ring further, as if a checkpoint had covered it.
// Rounds of the two take turns, so that what else the machine does hits both alike.
#include <array>
#include <atomic>
#include <fmt/format.h>
#include <sched.h>
#include <sys/socket.h>

#include "arenad/message.h"
#include "bench/bench.capnp.h"
#include "bench/benchmark.h"
#include "bench/peer.h"
#include "bench/quantile.h"
#include "bench/shared.h"
#include "ipc/channel.h"
#include "ipc/clock.h"
#include "ipc/futex.h"

namespace arenad::bench {
namespace {

constexpr int kRounds = 7;
constexpr uint64_t kChannelBytes = limits::kDefaultChannelBytes;
constexpr uint64_t kEventsPerPublish = 16;
constexpr uint64_t kMoveWords = flat_word_count<Move>;
constexpr uint64_t kMoveBytes = record_bytes(kMoveWords);
constexpr uint64_t kRoundTimeoutMs = 120'000;

// What the reader tells. The real one's words are in the incarnation region.
struct ReaderSide {
  std::atomic<uint32_t> ready;
  std::atomic<uint32_t> asleep;
  alignas(64) std::atomic<uint64_t> released;
  alignas(64) std::atomic<uint64_t> sum;
  std::atomic<uint64_t> ended_ns;
};

// On a machine with fewer processors than busy processes, who waits must give way. Who looks again a microsecond later finds several
// events: a look for each would take the cache line away from the other side each time.
class Patience {
 public:
  void wait() {
    if (++turns_ % 256 == 0) ::sched_yield();
    for (int i = 0; i < 64; ++i) __builtin_ia32_pause();
  }

 private:
  uint32_t turns_ = 0;
};

void fill(Move::Builder move, uint64_t number) {
  move.setX(static_cast<int32_t>(number));
  move.setY(static_cast<int32_t>(number >> 3));
  move.setHeading(static_cast<int32_t>(number & 0xFFFF));
  move.setId(number * 0x9E3779B97F4A7C15ull);
}

uint64_t sum_of(Move::Reader move) {
  const auto x = static_cast<uint32_t>(move.getX());
  const auto y = static_cast<uint32_t>(move.getY());
  const auto heading = static_cast<uint32_t>(move.getHeading());
  return move.getId() + x + (uint64_t{y} << 8) + (uint64_t{heading} << 16);
}

uint64_t expected_sum(uint64_t events) {
  FlatWriter<Move> writer;
  uint64_t sum = 0;
  for (uint64_t i = 1; i <= events; ++i) {
    auto& move = writer.fresh();
    fill(move, i);
    sum += sum_of(move.asReader());
  }
  return sum;
}

void report(ReaderSide& side, uint64_t sum) {
  side.sum.store(sum, std::memory_order_relaxed);
  side.ended_ns.store(monotonic_ns(), std::memory_order_release);
}

Result<void> wait_until_ready(const ReaderSide& side, Peer& reader) {
  while (side.ready.load(std::memory_order_acquire) == 0) {
    if (reader.wait(0)) return make_error(ErrorCode::failed, "the reading process has ended early");
    ::sched_yield();
  }
  return {};
}

Result<double> events_per_second(Peer& reader, const ReaderSide& side, uint64_t events, uint64_t began_ns) {
  if (auto finished = reader.finish(kRoundTimeoutMs); !finished) return finished.error();
  if (side.sum.load(std::memory_order_relaxed) != expected_sum(events)) {
    return make_error(ErrorCode::failed, "what was read is not what was sent");
  }
  const uint64_t took_ns = side.ended_ns.load(std::memory_order_acquire) - began_ns;
  return static_cast<double>(events) * 1e9 / static_cast<double>(took_ns);
}

// ---- the channel ---------------------------------------------------------------------------------

Result<void> read_channel(const Fd& region, uint64_t events, ReaderSide& side) {
  auto fd = region.duplicate();
  if (!fd) return fd.error();
  auto channel = ChannelView::map(std::move(*fd));
  if (!channel) return channel.error();
  ChannelCursor cursor(0, 1);
  FlatReader<Move> reader;
  RecordHeader header;
  std::array<uint64_t, kMoveWords> event;
  Patience patience;
  uint64_t sum = 0;
  uint64_t covered_next = 0;  // by the next checkpoint
  side.ready.store(1, std::memory_order_release);
  while (cursor.next_sequence() <= events) {
    const auto end = channel->published(cursor.position());
    if (!end) return make_error(ErrorCode::corrupt, "the channel's end cannot be true");
    if (*end == cursor.position()) patience.wait();
    for (;;) {
      const auto step = cursor.peek(*channel, *end, limits::kMaxEventBytes, header);
      if (step == ChannelCursor::Step::end) break;
      const Move::Reader* move = nullptr;
      if (step == ChannelCursor::Step::record && header.bytes == record_bytes(kMoveWords) &&
          header.type == capnp::typeId<Move>()) {
        // As a worker does.
        copy_from_shared(event.data(), channel->words_at(cursor.position()), sizeof event);
        if (is_undamaged(header, event.data())) move = reader.read(event.data(), kMoveWords);
      }
      if (move == nullptr) return make_error(ErrorCode::corrupt, "not an event as it was sent");
      sum += sum_of(*move);
      cursor.advance(header);
      if (cursor.position() >= covered_next + channel->capacity() / 4) {
        side.released.store(covered_next, std::memory_order_release);
        covered_next = cursor.position();
      }
    }
  }
  report(side, sum);
  return {};
}

void publish(ChannelWriter& channel, const ReaderSide& side) {
  channel.publish();
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (side.asleep.load(std::memory_order_relaxed) != 0) futex_wake_all(low_half(channel.header().published));
}

void write_channel(ChannelWriter& channel, uint64_t events, const ReaderSide& side) {
  FlatWriter<Move> writer;
  Patience patience;
  for (uint64_t i = 1; i <= events; ++i) {
    void* space = channel.reserve(kMoveWords);
    if (space == nullptr) {
      publish(channel, side);
      while ((space = channel.reserve(kMoveWords)) == nullptr) {
        patience.wait();
        channel.set_released(side.released.load(std::memory_order_acquire));
      }
    }
    fill(writer.fresh(), i);
    std::memcpy(space, writer.words(), kMoveWords * 8);
    channel.commit(capnp::typeId<Move>(), kMoveWords);
    if (i % kEventsPerPublish == 0) publish(channel, side);
  }
  publish(channel, side);
}

Result<double> channel_round(uint64_t events) {
  auto side = Shared<ReaderSide>::make();
  if (!side) return side.error();
  auto channel = ChannelWriter::create(kChannelBytes);
  if (!channel) return channel.error();
  auto reader = Peer::start([&] { return read_channel(channel->fd(), events, **side); });
  if (!reader) return reader.error();
  if (auto ready = wait_until_ready(**side, *reader); !ready) return ready.error();
  const uint64_t began_ns = monotonic_ns();
  write_channel(*channel, events, **side);
  return events_per_second(*reader, **side, events, began_ns);
}

// ---- the socket ----------------------------------------------------------------------------------

// The same bytes as in the channel.
struct Message {
  RecordHeader header;
  std::array<uint64_t, kMoveWords> words;
};
static_assert(sizeof(Message) == kMoveBytes);

Result<void> read_socket(const Fd& socket, uint64_t events, ReaderSide& side) {
  FlatReader<Move> reader;
  Message message{};
  uint64_t sum = 0;
  side.ready.store(1, std::memory_order_release);
  for (uint64_t i = 1; i <= events; ++i) {
    const ssize_t count = ::recv(socket.get(), &message, sizeof message, 0);
    if (count < 0) return errno_error("cannot receive");
    const RecordHeader& header = message.header;
    const bool good =
        count == kMoveBytes && header.bytes == kMoveBytes && header.sequence == i && header.type == capnp::typeId<Move>();
    const Move::Reader* move = good ? reader.read(message.words.data(), kMoveWords) : nullptr;
    if (move == nullptr) return make_error(ErrorCode::corrupt, "not an event as it was sent");
    sum += sum_of(*move);
  }
  report(side, sum);
  return {};
}

Result<void> write_socket(const Fd& socket, uint64_t events) {
  FlatWriter<Move> writer;
  Message message{};
  for (uint64_t i = 1; i <= events; ++i) {
    fill(writer.fresh(), i);
    message.header = {kMoveBytes, 0, i, capnp::typeId<Move>(), 0};
    std::memcpy(message.words.data(), writer.words(), sizeof message.words);
    if (::send(socket.get(), &message, sizeof message, MSG_NOSIGNAL) != sizeof message) return errno_error("cannot send");
  }
  return {};
}

Result<double> socket_round(uint64_t events) {
  auto side = Shared<ReaderSide>::make();
  if (!side) return side.error();
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return errno_error("cannot make a socket pair");
  const Fd ours(ends[0]);
  Fd theirs(ends[1]);
  auto reader = Peer::start([&] { return read_socket(theirs, events, **side); });
  if (!reader) return reader.error();
  theirs.reset();
  if (auto ready = wait_until_ready(**side, *reader); !ready) return ready.error();
  const uint64_t began_ns = monotonic_ns();
  if (auto written = write_socket(ours, events); !written) return written.error();
  return events_per_second(*reader, **side, events, began_ns);
}

}  // namespace

Result<Figures> measure_ipc_throughput(const Conditions& conditions) {
  const auto channel_events = static_cast<uint64_t>(6e6 * conditions.scale);
  const auto socket_events = static_cast<uint64_t>(2e5 * conditions.scale);
  std::vector<double> channel;
  std::vector<double> socket;
  for (int round = 0; round < kRounds; ++round) {
    auto in_channel = channel_round(channel_events);
    if (!in_channel) return in_channel.error();
    channel.push_back(*in_channel);
    auto in_socket = socket_round(socket_events);
    if (!in_socket) return in_socket.error();
    socket.push_back(*in_socket);
  }
  const double by_channel = median(channel);
  const double by_socket = median(socket);
  return Figures{{"ipc.events_per_s", by_channel,
                  fmt::format("median of {} rounds, {:.1f} to {:.1f} million", kRounds, quantile(channel, 0) / 1e6,
                              quantile(channel, 1) / 1e6)},
                 {"ipc.ratio_to_unix_socket", by_channel / by_socket, fmt::format("socket: {:.0f} /s", by_socket)}};
}

}  // namespace arenad::bench
