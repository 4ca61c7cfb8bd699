#include "bench/bench_player.h"

#include "bench/bench.capnp.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr const char* kArena = "bench-1";
constexpr uint64_t kTimeoutNs = 20 * kSecond;
constexpr size_t kBallastBytes = 32 * 1024;

Error too_late(const char* what) {
  return make_error(ErrorCode::timeout, std::string("the bench arena has not ") + what);
}

}  // namespace

BenchPlayer::BenchPlayer(std::unique_ptr<Client> client, std::unique_ptr<Attachment> attachment)
    : client_(std::move(client)), attachment_(std::move(attachment)), probe_(std::make_unique<WorkerProbe>(*attachment_)) {}

Result<std::unique_ptr<BenchPlayer>> BenchPlayer::join(const Daemon& daemon, uint64_t channel_bytes) {
  auto control = daemon.connect();
  if (!control) return control.error();
  if (auto started = start_arena(*control, "bench", kArena, {}); !started) return started.error();
  auto client = Client::connect(daemon.socket());
  if (!client) return client.error();
  auto attachment = (*client)->attach({.arena = kArena, .player = "ann", .channel_bytes = channel_bytes});
  if (!attachment) return attachment.error();
  auto player = std::unique_ptr<BenchPlayer>(new BenchPlayer(std::move(*client), std::move(*attachment)));
  player->channel_bytes_ = channel_bytes;
  if (auto poked = player->poke(); !poked) return poked.error();
  if (auto applied = player->wait_until_applied(); !applied) return applied.error();
  return player;
}

template <class Event, class Write>
Result<void> BenchPlayer::send(Write&& write) {
  const uint64_t deadline_ns = monotonic_ns() + kTimeoutNs;
  for (;;) {
    const Sent sent = attachment_->send<Event>(write);
    if (sent == Sent::ok) return {};
    if (sent != Sent::full) return make_error(ErrorCode::failed, "the bench arena takes no events any more");
    if (monotonic_ns() > deadline_ns) return too_late("released events");
    attachment_->wait(1);
    if (auto taken = take_in(); !taken) return taken;
  }
}

Result<void> BenchPlayer::poke() {
  if (auto sent = send<Poke>([&](Poke::Builder poke) { poke.setValue(pokes_sent_ * 8 + 1); }); !sent) return sent;
  ++pokes_sent_;
  return {};
}

Result<void> BenchPlayer::say(std::string_view text) {
  return send<Say>([&](Say::Builder say) { say.setText({text.data(), text.size()}); });
}

Result<void> BenchPlayer::wait_until_applied() {
  const uint64_t deadline_ns = monotonic_ns() + kTimeoutNs;
  for (uint32_t turn = 1; attachment_->bytes_not_applied() != 0; ++turn) {
    __builtin_ia32_pause();
    if (turn % 1024 != 0) continue;
    if (auto taken = take_in(); !taken) return taken;
    if (monotonic_ns() > deadline_ns) return too_late("applied what was sent");
  }
  return take_in();
}

Result<void> BenchPlayer::bring_about_snapshot() {
  const WorkerStatus& status = probe_->status();
  const uint64_t before = status.snapshot_frame.load(std::memory_order_acquire);
  const uint64_t deadline_ns = monotonic_ns() + kTimeoutNs;
  const size_t words = kBallastBytes / 8 + 8;
  uint64_t left = channel_bytes_ / 4 + 1;
  while (left > 0) {
    Sent why_not = Sent::ok;
    void* space = attachment_->reserve(words, why_not);
    if (space == nullptr) {
      if (why_not != Sent::full) return make_error(ErrorCode::failed, "the bench arena takes no events any more");
      if (monotonic_ns() > deadline_ns) return too_late("released events");
      attachment_->wait(1);
      if (auto taken = take_in(); !taken) return taken;
      continue;
    }
    std::memset(space, 0, words * 8);
    InPlaceBuilder message(space, words);
    message.initRoot<Ballast>().initBytes(kBallastBytes);
    attachment_->commit(capnp::typeId<Ballast>(), message.used_words());
    left -= std::min<uint64_t>(left, kBallastBytes);
  }
  attachment_->publish();
  if (auto applied = wait_until_applied(); !applied) return applied;
  while (status.snapshot_frame.load(std::memory_order_acquire) == before) {
    if (monotonic_ns() > deadline_ns) return too_late("taken a snapshot");
    __builtin_ia32_pause();
  }
  return {};
}

Result<void> BenchPlayer::take_in() {
  for (;;) {
    switch (attachment_->receive()) {
      case Incoming::none:
        return {};
      case Incoming::output: {
        const Output& output = attachment_->output();
        if (output.type != capnp::typeId<Echo>()) continue;
        pokes_echoed_ = MessageView(output.words, output.word_count).root<Echo>().getPokes();
        continue;
      }
      case Incoming::lagged:
        return make_error(ErrorCode::failed, "outputs of the bench arena were overwritten unread");
      case Incoming::rejected:
        return make_error(ErrorCode::failed, "the bench arena has rejected an event");
      case Incoming::rolled_back:
        continue;
      case Incoming::gone:
        return make_error(ErrorCode::failed,
                          "the bench arena is " + attachment_->departure().state + ": " + attachment_->departure().reason);
      case Incoming::disconnected:
        return make_error(ErrorCode::unreachable, "arenad is gone");
    }
  }
}

}  // namespace arenad::bench
