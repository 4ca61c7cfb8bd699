// How a client goes on across incarnations: arenad sends a notice with the new incarnation's region once the old worker is dead. The
// old region is then final. The attachment reads it to its published end and goes on in the new one at the same position: the
// new incarnation lays the outputs of the frames that it runs again where they were.
#include "arenad/client.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <poll.h>
#include <vector>

#include "ipc/board.h"
#include "ipc/channel.h"
#include "ipc/clock.h"
#include "ipc/control_client.h"
#include "ipc/futex.h"
#include "ipc/incarnation.h"
#include "ipc/outbox.h"

namespace arenad {
namespace {

constexpr uint64_t kMaxOutputBytes = 16 * 1024 * 1024;
constexpr size_t kMaxSleepers = 60;  // two futex words each
constexpr uint64_t kPollSliceNs = 2 * kMillisecond;
// Nothing wakes a sleeper when arenad dies, so it looks at the socket this often at least, and so does a caller that never sleeps. When the arena dies with arenad, this is the
// longest part of the pause that players see: both are back sooner.
constexpr uint64_t kLongestSleepNs = 50 * kMillisecond;
// While arenad is gone.
constexpr uint64_t kReconnectNs = 20 * kMillisecond;
// Mostly the next arenad answers at once, and so long it is waited for; who waited for one that says nothing would hear nothing of the arena,
// which plays on.
constexpr uint64_t kReattachAtOnceNs = 50 * kMillisecond;
constexpr uint64_t kReattachTimeoutNs = 10 * kSecond;
constexpr uint64_t kDetachTimeoutMs = 2000;

StreamView outputs_of(const IncarnationView& view) {
  const WorkerStatus& status = view.status();
  return {view.output_ring(), view.output_capacity(), status.outputs_published, status.outputs_begin, status.outputs_reserved};
}

}  // namespace

struct Client::State {
  State(ControlClient c, std::string path, const ConnectOptions& o)
      : control(std::move(c)), socket_path(std::move(path)), options(o) {}
  void take_in();
  void take_what_came();
  void take_notices();
  // For callers that never wait, however rarely they come by.
  void look_if_due();
  void look_for_another();
  [[nodiscard]] Attachment::State* find(uint32_t attachment) const;
  // No arenad, and none is looked for any more.
  [[nodiscard]] bool given_up() const { return !connected && !looking; }
  // The next arenad has not said yet that it has taken up all attachments.
  [[nodiscard]] bool is_asking() const;
  [[nodiscard]] uint64_t look_interval_ns() const { return connected && !is_asking() ? kLongestSleepNs : kReconnectNs; }

  ControlClient control;
  std::string socket_path;
  ConnectOptions options;
  bool connected = true;
  bool looking = false;  // for another arenad
  uint64_t gone_ns = 0;
  uint64_t looked_ns = 0;
  uint64_t asked_ns = 0;  // the next arenad, for all attachments
  std::vector<Attachment::State*> attachments;
  std::vector<ControlIncoming> early;  // notices for an attachment that is not known yet
};

struct Attachment::State {
  Client::State* client = nullptr;
  uint32_t id = 0;            // 0: this arenad does not know it
  uint64_t asked = 0;         // the request by which it gets to know it; 0: there is none
  uint64_t ask_again_ns = 0;  // not before: this arenad could not
  ArenaId arena;
  std::string name;
  std::string player;
  Seat seat = 0;
  ChannelId channel;
  bool observer = false;
  ChannelWriter writer;
  BoardView board;
  uint32_t bell_seen = 0;
  std::deque<IncarnationView> incarnations;  // the front is being read
  Fd unmapped;                               // the newest, if there was no memory for it: tried again
  std::function<void(int, Epoch)> hook;
  OutboxReader reader{kMaxOutputBytes};
  Output output;
  uint64_t lag = 0;
  uint64_t damaged = 0;
  Rejection rejection;
  uint64_t rejected_seen = 0;
  FrameNumber rolled_back_to;
  std::optional<Departure> departure;
  uint64_t full = 0;

  // Newer ones than those that are there.
  void take_incarnation(Fd region);
  void add_incarnation(IncarnationView view);
  void take_notice(ControlIncoming& incoming);
  bool take_board(Fd region);
  // The client has found another arenad, and is not attached to that one.
  [[nodiscard]] bool is_to_reattach() const { return id == 0 && !departure; }
  void ask_to_reattach();
  void take_reattached();
  [[nodiscard]] const ChannelEntry* my_entry() const;
  void update_released();
  bool take_rejection();
  [[nodiscard]] bool for_me(const RecordHeader& header) const;
  Incoming skip_to_newest(const StreamView& stream);
  Incoming read_outputs();
  bool look_at_socket();
  size_t add_waits(std::array<FutexWait, kMaxFutexWaits>& waits, size_t count);
  bool anything_to_read();
};

void Attachment::State::add_incarnation(IncarnationView view) {
  if (hook) hook(view.fd().get(), view.epoch());
  incarnations.push_back(std::move(view));
}

void Attachment::State::take_incarnation(Fd region) {
  auto again = region.duplicate();
  auto view = IncarnationView::map(std::move(region));
  unmapped = {};
  if (view && (incarnations.empty() || view->epoch() > incarnations.back().epoch())) add_incarnation(std::move(*view));
  if (!view && view.error().code == ErrorCode::exhausted && again) unmapped = std::move(*again);
}

void Attachment::State::take_notice(ControlIncoming& incoming) {
  const auto notice = incoming.root().getNotice();
  if (notice.isIncarnation() && !incoming.fds.empty()) {
    take_incarnation(std::move(incoming.fds[0]));
  } else if (notice.isBoard() && !incoming.fds.empty()) {
    take_board(std::move(incoming.fds[0]));
  } else if (notice.isGone()) {
    departure = Departure{notice.getGone().getState(), notice.getGone().getReason()};
  }
}

bool Attachment::State::take_board(Fd region) {
  auto next = BoardView::map(std::move(region));
  if (!next) return false;
  board = std::move(*next);
  bell_seen = board.bell() - 1;  // look at the socket at once
  return true;
}

void Client::State::take_in() {
  const uint64_t now = monotonic_ns();
  if (!connected && now - looked_ns < kReconnectNs) return;
  looked_ns = now;
  if (connected) {
    take_what_came();
    const bool says_nothing = is_asking();
    if (says_nothing && now - asked_ns > kReattachTimeoutNs) connected = false;
    if (connected) return;
    // Of one that has taken up nobody it is as if it had never been there.
    if (!says_nothing) {
      gone_ns = looked_ns;
      looking = options.reconnect_ms != 0;
    }
  }
  if (looking) look_for_another();
}

void Client::State::take_what_came() {
  connected = control.poll();
  const uint64_t now = monotonic_ns();
  for (Attachment::State* attachment : attachments) {
    attachment->take_reattached();
    const bool is_due = attachment->is_to_reattach() && attachment->asked == 0 && now >= attachment->ask_again_ns;
    if (connected && is_due) attachment->ask_to_reattach();
  }
  take_notices();
}

bool Client::State::is_asking() const {
  return std::ranges::any_of(attachments, [](const Attachment::State* attachment) { return attachment->is_to_reattach(); });
}

void Client::State::look_if_due() {
  if (monotonic_ns() - looked_ns >= look_interval_ns()) take_in();
}

void Client::State::look_for_another() {
  auto next = ControlClient::connect(socket_path);
  if (!next) {
    // Not before: whoever was away himself for longer than that finds the one that has come meanwhile.
    looking = looked_ns - gone_ns <= options.reconnect_ms * kMillisecond;
    return;
  }
  control = std::move(*next);
  connected = true;
  early.clear();
  asked_ns = looked_ns;
  for (Attachment::State* attachment : attachments) attachment->id = 0;
  for (Attachment::State* attachment : attachments) {
    attachment->asked = 0;
    if (attachment->is_to_reattach() && connected) attachment->ask_to_reattach();
  }
  const uint64_t until_ns = monotonic_ns() + kReattachAtOnceNs;
  while (connected && is_asking()) {
    const uint64_t now = monotonic_ns();
    if (now >= until_ns) return;
    pollfd readable{control.fd().get(), POLLIN, 0};
    (void)::poll(&readable, 1, static_cast<int>((until_ns - now) / kMillisecond + 1));
    take_what_came();
  }
}

Attachment::State* Client::State::find(uint32_t attachment) const {
  const auto found =
      std::find_if(attachments.begin(), attachments.end(), [&](const Attachment::State* a) { return a->id == attachment; });
  return found == attachments.end() ? nullptr : *found;
}

void Client::State::take_notices() {
  std::vector<ControlIncoming> waiting = std::move(early);
  early.clear();
  while (auto notice = control.next_notice()) waiting.push_back(std::move(*notice));
  for (ControlIncoming& incoming : waiting) {
    if (Attachment::State* attachment = find(incoming.root().getNotice().getAttachment())) {
      attachment->take_notice(incoming);
    } else {
      early.push_back(std::move(incoming));
    }
  }
}

// To the next arenad, with the channel and the place in the outputs that it has had all the time.
void Attachment::State::ask_to_reattach() {
  const int fd = writer.fd().get();
  const auto posted = client->control.post(
      [&](wire::Request::Builder request) {
        auto attach = request.initAttach();
        attach.setArena(arena.text());
        attach.setPlayer(player);
        attach.setObserver(observer);
        attach.setChannel(channel.value);
      },
      {&fd, 1});
  asked = posted ? posted.value() : 0;
  if (!posted) client->connected = false;  // that one is gone too
}

void Attachment::State::take_reattached() {
  if (asked == 0) return;
  auto taken = client->control.take_reply(asked);
  if (!taken) return;
  auto& reply = *taken;
  asked = 0;
  if (!reply) {
    if (reply.error().code == ErrorCode::unreachable || reply.error().code == ErrorCode::timeout) {
      client->connected = false;  // that one is gone too
    } else if (reply.error().code == ErrorCode::exhausted) {
      client->asked_ns = monotonic_ns();
      ask_again_ns = client->asked_ns + kReconnectNs;
    } else {
      departure = Departure{"dropped", reply.error().message};
    }
    return;
  }
  const auto attached = reply->root().getReply().getAttached();
  ask_again_ns = monotonic_ns() + kReconnectNs;
  if (reply->fds.empty()) return;
  if (!take_board(std::move(reply->fds[0]))) return;
  id = attached.getAttachment();
  if (!attached.getLive() || reply->fds.size() < 2) return;
  take_incarnation(std::move(reply->fds[1]));
}

const ChannelEntry* Attachment::State::my_entry() const {
  if (incarnations.empty()) return nullptr;
  const ChannelEntry& entry = incarnations.back().channels()[seat];
  return entry.channel_id.load(std::memory_order_acquire) == channel.value ? &entry : nullptr;
}

void Attachment::State::update_released() {
  if (const ChannelEntry* entry = my_entry()) writer.set_released(entry->released.load(std::memory_order_acquire));
}

bool Attachment::State::take_rejection() {
  const ChannelEntry* entry = my_entry();
  if (entry == nullptr) return false;
  const uint64_t last = entry->last_rejected_sequence.load(std::memory_order_acquire);
  if (last <= rejected_seen) return false;
  rejected_seen = last;
  rejection.sequence = last;
  switch (static_cast<RejectReason>(entry->last_reject_reason.load(std::memory_order_relaxed))) {
    case RejectReason::unknown_type:
      rejection.reason = Rejection::Reason::unknown_type;
      break;
    case RejectReason::broken_ring:
      rejection.reason = Rejection::Reason::broken_ring;
      break;
    case RejectReason::quarantined:
      rejection.reason = Rejection::Reason::quarantined;
      break;
    case RejectReason::damaged:
      rejection.reason = Rejection::Reason::damaged;
      break;
    case RejectReason::none:
    case RejectReason::malformed:
      rejection.reason = Rejection::Reason::malformed;
      break;
  }
  return true;
}

bool Attachment::State::for_me(const RecordHeader& header) const {
  return observer || header.party == 0 || (header.party >> seat & 1) != 0;
}

Incoming Attachment::State::skip_to_newest(const StreamView& stream) {
  const uint64_t newest = std::max(stream.published.load(std::memory_order_acquire), reader.position());
  lag = newest - reader.position();
  reader.skip_to(newest);
  return Incoming::lagged;
}

Incoming Attachment::State::read_outputs() {
  bool final_seen = false;
  while (!incarnations.empty()) {
    const StreamView stream = outputs_of(incarnations.front());
    switch (reader.next(stream)) {
      case OutboxReader::Step::record:
        final_seen = false;
        writer.header().outputs_read.store(reader.position(), std::memory_order_relaxed);
        if (!for_me(reader.header())) continue;
        output = {reader.header().sequence, reader.header().type, reader.header().party, reader.words(), reader.word_count()};
        return Incoming::output;
      case OutboxReader::Step::lagged:
        return skip_to_newest(stream);
      case OutboxReader::Step::damaged:
      case OutboxReader::Step::corrupt:
        // A successor lies it down anew, if it runs its frame again.
        if (incarnations.size() < 2) {
          ++damaged;
          return skip_to_newest(stream);
        }
        [[fallthrough]];
      case OutboxReader::Step::end:
      case OutboxReader::Step::ahead:
        if (incarnations.size() < 2) return Incoming::none;
        // The notice of the successor is here, so this one is final; one more look finds what came before the notice.
        if (std::exchange(final_seen, true)) {
          incarnations.pop_front();
          final_seen = false;
          const uint64_t from = incarnations.front().status().taken_back_from.load(std::memory_order_relaxed);
          if (from != 0) {
            rolled_back_to = {from - 1};
            return Incoming::rolled_back;
          }
        }
        continue;
    }
  }
  return Incoming::none;
}

// True if something may have changed.
bool Attachment::State::look_at_socket() {
  if (unmapped) take_incarnation(std::exchange(unmapped, {}));
  const uint32_t bell = board.bell();
  if (bell == bell_seen && client->connected) return false;
  bell_seen = bell;
  client->take_in();
  return true;
}

size_t Attachment::State::add_waits(std::array<FutexWait, kMaxFutexWaits>& waits, size_t count) {
  waits[count++] = board.bell_wait(bell_seen);
  if (!incarnations.empty()) {
    const auto& published = incarnations.back().status().outputs_published;
    waits[count++] = {low_half(published), static_cast<uint32_t>(reader.position())};
  }
  return count;
}

bool Attachment::State::anything_to_read() {
  if (board.bell() != bell_seen || departure || client->given_up()) return true;
  if (incarnations.size() > 1) return true;
  return !incarnations.empty() &&
         incarnations.back().status().outputs_published.load(std::memory_order_acquire) > reader.position();
}

Attachment::Attachment(std::unique_ptr<State> state) : state_(std::move(state)) {}

Attachment::~Attachment() {
  Client::State& client = *state_->client;
  std::erase(client.attachments, state_.get());
  if (client.connected && state_->asked != 0) {
    if (auto reply = client.control.wait_for_reply(state_->asked, kDetachTimeoutMs))
      state_->id = reply->root().getReply().getAttached().getAttachment();
  }
  if (!client.connected || state_->id == 0) return;
  // Nobody waits for the answer: the daemon notices a closed connection as well.
  (void)client.control.call([&](wire::Request::Builder request) { request.setDetach(state_->id); }, {}, kDetachTimeoutMs);
}

void* Attachment::reserve(size_t word_count, Sent& why_not) {
  State& s = *state_;
  if (s.observer || s.departure) {
    why_not = Sent::closed;
    return nullptr;
  }
  if (record_bytes(word_count) > s.writer.max_event_bytes()) {
    why_not = Sent::too_large;
    return nullptr;
  }
  void* space = s.writer.reserve(word_count);
  if (space == nullptr) {
    s.look_at_socket();
    s.update_released();
    space = s.writer.reserve(word_count);
  }
  why_not = space != nullptr ? Sent::ok : Sent::full;
  if (space == nullptr) s.writer.header().full.store(++s.full, std::memory_order_relaxed);
  return space;
}

uint64_t Attachment::commit(uint64_t type, size_t word_count) {
  return state_->writer.commit(type, word_count);
}

void Attachment::publish() {
  State& s = *state_;
  s.writer.publish();
  // The worker says that it sleeps before its last look at the channel: one of us sees the other.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!s.incarnations.empty() && s.incarnations.back().status().asleep.load(std::memory_order_relaxed) != 0) {
    futex_wake_all(low_half(s.writer.header().published));
  }
}

Incoming Attachment::receive() {
  State& s = *state_;
  s.look_at_socket();
  if (s.take_rejection()) return Incoming::rejected;
  const Incoming incoming = s.read_outputs();
  if (incoming != Incoming::none) return incoming;
  if (s.departure) return Incoming::gone;
  s.client->look_if_due();
  return s.client->given_up() ? Incoming::disconnected : Incoming::none;
}

const Output& Attachment::output() const {
  return state_->output;
}
uint64_t Attachment::lag() const {
  return state_->lag;
}
uint64_t Attachment::outputs_damaged() const {
  return state_->damaged;
}
const Rejection& Attachment::rejection() const {
  return state_->rejection;
}
FrameNumber Attachment::rolled_back_to() const {
  return state_->rolled_back_to;
}
const Departure& Attachment::departure() const {
  static const Departure none;
  return state_->departure ? *state_->departure : none;
}
void Attachment::wait(uint64_t timeout_ms) {
  Attachment* self = this;
  Client::wait_any({&self, 1}, timeout_ms);
}
ArenaId Attachment::arena() const {
  return state_->arena;
}
const std::string& Attachment::arena_name() const {
  return state_->name;
}
Seat Attachment::seat() const {
  return state_->seat;
}
ChannelId Attachment::channel() const {
  return state_->channel;
}
uint64_t Attachment::events_sent() const {
  return state_->writer.sequence();
}
uint64_t Attachment::full_count() const {
  return state_->full;
}
uint64_t Attachment::bytes_not_applied() const {
  const ChannelEntry* entry = state_->my_entry();
  const uint64_t taken = entry != nullptr ? entry->taken.load(std::memory_order_acquire) : 0;
  return state_->writer.written() - std::min(taken, state_->writer.written());
}
Epoch Attachment::epoch() const {
  return state_->incarnations.empty() ? Epoch{} : state_->incarnations.back().epoch();
}

void Attachment::on_incarnation(std::function<void(int, Epoch)> hook) {
  state_->hook = std::move(hook);
  for (const IncarnationView& view : state_->incarnations) state_->hook(view.fd().get(), view.epoch());
}

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

Result<std::unique_ptr<Client>> Client::connect(const std::string& socket_path, const ConnectOptions& options) {
  auto control = ControlClient::connect(socket_path);
  if (!control) return control.error();
  return std::unique_ptr<Client>(new Client(std::make_unique<State>(std::move(*control), socket_path, options)));
}

Result<std::unique_ptr<Attachment>> Client::attach(const AttachOptions& options, uint64_t timeout_ms) {
  auto writer = ChannelWriter::create(options.observer ? 0 : options.channel_bytes);
  if (!writer) return writer.error();
  const int fd = writer->fd().get();
  auto reply = state_->control.call(
      [&](wire::Request::Builder request) {
        auto attach = request.initAttach();
        attach.setArena(options.arena);
        attach.setPlayer(options.player);
        attach.setObserver(options.observer);
      },
      {&fd, 1}, timeout_ms);
  if (!reply) return reply.error();
  const auto attached = reply->root().getReply().getAttached();
  if (reply->fds.empty()) return make_error(ErrorCode::corrupt, "arenad's answer to an attach lacks the board");
  auto board = BoardView::map(std::move(reply->fds[0]));
  if (!board) return board.error();

  auto state = std::make_unique<Attachment::State>();
  state->client = state_.get();
  state->id = attached.getAttachment();
  state->arena = ArenaId::parse(std::string_view(attached.getArena().begin(), attached.getArena().size())).value_or(ArenaId{});
  state->name = attached.getName();
  state->seat = attached.getSeat();
  state->channel = {attached.getChannel()};
  state->player = options.player;
  state->observer = options.observer;
  state->writer = std::move(*writer);
  state->board = std::move(*board);
  state->reader.skip_to(attached.getOutputsFrom());
  state->bell_seen = state->board.bell() - 1;  // look at the socket at once
  if (attached.getLive() && reply->fds.size() > 1) {
    auto view = IncarnationView::map(std::move(reply->fds[1]));
    if (!view) return view.error();
    state->add_incarnation(std::move(*view));
  }
  state_->attachments.push_back(state.get());
  return std::unique_ptr<Attachment>(new Attachment(std::move(state)));
}

void Client::wait_any(std::span<Attachment* const> attachments, uint64_t timeout_ms) {
  if (attachments.empty()) return;
  const size_t sleepers = std::min(attachments.size(), kMaxSleepers);
  const uint64_t now = monotonic_ns();
  uint64_t longest = timeout_ms * kMillisecond;
  for (Attachment* a : attachments) longest = std::min(longest, a->state_->client->look_interval_ns());
  if (sleepers < attachments.size()) longest = std::min(longest, kPollSliceNs);

  auto set_asleep = [&](uint32_t asleep) {
    for (Attachment* a : attachments) a->state_->writer.header().reader_asleep.store(asleep, std::memory_order_relaxed);
  };
  set_asleep(1);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const bool ready =
      std::any_of(attachments.begin(), attachments.end(), [](Attachment* a) { return a->state_->anything_to_read(); });
  if (!ready) {
    std::array<FutexWait, kMaxFutexWaits> waits;
    size_t count = 0;
    for (Attachment* a : attachments.first(sleepers)) count = a->state_->add_waits(waits, count);
    futex_wait_any({waits.data(), count}, now + longest);
  }
  set_asleep(0);
  // Nothing rings when arenad is gone: only the socket tells.
  for (Attachment* a : attachments) a->state_->client->look_if_due();
}

}  // namespace arenad
