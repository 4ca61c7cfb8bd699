#include "chaos/bot_process.h"

#include <cerrno>
#include <cstdio>
#include <sys/socket.h>

#include "arenad/client.h"
#include "chaos/bot_link.h"
#include "chaos/client_log.h"
#include "examples/tanks/bot_brain.h"
#include "examples/tanks/wire.h"
#include "ipc/process.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kAttachTimeoutMs = 60'000;
constexpr uint64_t kLongestWaitMs = 50;

class Bot {
 public:
  Bot(Attachment& attachment, ClientLogWriter log, Fd link, uint64_t seed)
      : attachment_(attachment), log_(std::move(log)), link_(std::move(link)), brain_(seed) {
    report_.seat = attachment.seat();
    report_.channel = attachment.channel().value;
  }
  Result<void> play();

 private:
  enum class Course { goes_on, ended };

  Course look_at_link();
  Course take_in();
  void hear(const Output& output);
  void give_order();
  void enter(BotStage stage);

  Attachment& attachment_;
  ClientLogWriter log_;
  Fd link_;
  tanks::BotBrain brain_;
  FlatWriter<tanks::Order> order_;
  bool view_is_new_ = false;
  BotReport report_{};
};

void Bot::enter(BotStage stage) {
  report_.stage = stage;
  report_.full = attachment_.full_count();
  ::send(link_.get(), &report_, sizeof report_, MSG_NOSIGNAL);
}

Bot::Course Bot::look_at_link() {
  char byte = 0;
  const ssize_t count = ::recv(link_.get(), &byte, 1, MSG_DONTWAIT);
  if (count == 0) return Course::ended;
  if (count == 1 && report_.stage == BotStage::attached) enter(BotStage::quiet);
  return count < 0 && errno != EAGAIN && errno != EINTR ? Course::ended : Course::goes_on;
}

void Bot::hear(const Output& output) {
  log_.received(output);
  ++report_.outputs_received;
  MessageView message(output.words, output.word_count, unbounded_reader_options());
  brain_.hear(output.type, message.root<capnp::AnyPointer>());
  if (output.type == capnp::typeId<tanks::TeamView>()) view_is_new_ = true;
}

Bot::Course Bot::take_in() {
  for (;;) {
    switch (attachment_.receive()) {
      case Incoming::none:
        return Course::goes_on;
      case Incoming::output:
        hear(attachment_.output());
        break;
      case Incoming::lagged:
        ++report_.lagged;
        log_.lagged(attachment_.lag());
        break;
      case Incoming::rejected:
        ++report_.rejected;
        log_.rejected(attachment_.rejection().sequence);
        break;
      case Incoming::rolled_back:
        break;
      case Incoming::gone:
      case Incoming::disconnected:
        return Course::ended;
    }
  }
}

// The log gets the event as a message built anew, not as it lies in the channel: what lies there is what is judged.
void Bot::give_order() {
  const auto order = brain_.decide();
  const Sent sent = attachment_.send<tanks::Order>([&](tanks::Order::Builder message) { fill(message, order); });
  if (sent != Sent::ok) return;
  fill(order_.fresh(), order);
  log_.sent(attachment_.events_sent(), capnp::typeId<tanks::Order>(),
            {reinterpret_cast<const uint64_t*>(order_.words()), order_.word_count});
  ++report_.events_sent;
  report_.event_bytes_sent += record_bytes(order_.word_count);
}

Result<void> Bot::play() {
  enter(BotStage::attached);
  for (;;) {
    attachment_.wait(kLongestWaitMs);
    if (look_at_link() == Course::ended) return make_error(ErrorCode::failed, "the run has ended without a word");
    const Course course = take_in();
    if (std::exchange(view_is_new_, false) && report_.stage == BotStage::attached) give_order();
    if (course == Course::ended) break;
  }
  auto closed = log_.close();
  if (closed) enter(BotStage::finished);
  return closed;
}

Result<void> attach_and_play(const BotOptions& options) {
  auto client = Client::connect(options.socket);
  if (!client) return client.error();
  auto attachment = (*client)->attach(
      {.arena = options.arena, .player = options.player, .channel_bytes = options.channel_bytes}, kAttachTimeoutMs);
  if (!attachment) return attachment.error();
  auto log = ClientLogWriter::create(options.log, **attachment, ClientLogWriter::Role::player);
  if (!log) return log.error();
  return Bot(**attachment, std::move(*log), Fd(kLinkDescriptor), options.seed).play();
}

}  // namespace

int run_bot(const BotOptions& options) {
  set_process_name(options.player);
  const auto played = attach_and_play(options);
  if (played) return 0;
  std::fprintf(stderr, "%s in %s: %s\n", options.player.c_str(), options.arena.c_str(), played.error().text().c_str());
  return 1;
}

}  // namespace arenad::chaos
