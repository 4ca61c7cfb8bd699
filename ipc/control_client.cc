#include "ipc/control_client.h"

#include <algorithm>
#include <array>
#include <poll.h>

#include "ipc/clock.h"
#include "ipc/request_limits.h"
#include "ipc/socket.h"

namespace arenad {
namespace {

// arenad is trusted more than we are, and the status of thousands of arenas is long.
constexpr uint64_t kMaxReplyBytes = 256 * 1024 * 1024;

Error gone() {
  return make_error(ErrorCode::unreachable, "arenad has closed the connection");
}

Result<ControlIncoming> reply_in(ControlIncoming incoming) {
  const auto reply = incoming.root().getReply();
  if (reply.isError()) return make_error(error_code_of(reply.getError().getCode()), reply.getError().getMessage());
  return incoming;
}

}  // namespace

ErrorCode error_code_of(wire::FailureCode code) {
  switch (code) {
    case wire::FailureCode::FAILED:
      return ErrorCode::failed;
    case wire::FailureCode::INVALID:
      return ErrorCode::invalid;
    case wire::FailureCode::UNKNOWN_ARENA:
      return ErrorCode::unknown_arena;
    case wire::FailureCode::TIMEOUT:
      return ErrorCode::timeout;
    case wire::FailureCode::REFUSED:
      return ErrorCode::refused;
    case wire::FailureCode::UNREACHABLE:
      return ErrorCode::unreachable;
    case wire::FailureCode::CORRUPT:
      return ErrorCode::corrupt;
    case wire::FailureCode::EXHAUSTED:
      return ErrorCode::exhausted;
  }
  return ErrorCode::failed;
}

wire::FailureCode failure_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed:
      return wire::FailureCode::FAILED;
    case ErrorCode::invalid:
      return wire::FailureCode::INVALID;
    case ErrorCode::unknown_arena:
      return wire::FailureCode::UNKNOWN_ARENA;
    case ErrorCode::timeout:
      return wire::FailureCode::TIMEOUT;
    case ErrorCode::refused:
      return wire::FailureCode::REFUSED;
    case ErrorCode::unreachable:
      return wire::FailureCode::UNREACHABLE;
    case ErrorCode::corrupt:
      return wire::FailureCode::CORRUPT;
    case ErrorCode::exhausted:
      return wire::FailureCode::EXHAUSTED;
  }
  return wire::FailureCode::FAILED;
}

ControlClient::ControlClient(Fd socket) : stream_(std::make_unique<ControlStream>(std::move(socket), kMaxReplyBytes)) {}

Result<ControlClient> ControlClient::connect(const std::string& socket_path) {
  auto socket = connect_unix(socket_path);
  if (!socket) return socket.error();
  return ControlClient(std::move(*socket));
}

Result<bool> ControlClient::poll_socket(short events, uint64_t longest_ms) {
  std::array<pollfd, 2> waiting{pollfd{stream_->fd().get(), events, 0}, pollfd{meanwhile_.fd, POLLIN, 0}};
  const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(longest_ms));
  if (ready < 0 && errno != EINTR) return errno_error("cannot wait for arenad");
  return ready > 0 && waiting[0].revents != 0;
}

Result<void> ControlClient::wait_for_socket(short events, uint64_t deadline_ns) {
  const uint64_t longest_ms = meanwhile_.every_ms == 0 ? 60'000 : meanwhile_.every_ms;
  for (;;) {
    const uint64_t now = monotonic_ns();
    if (now >= deadline_ns) return make_error(ErrorCode::timeout, "arenad has not answered in time");
    const auto ready = poll_socket(events, std::min((deadline_ns - now) / kMillisecond + 1, longest_ms));
    if (!ready) return ready.error();
    if (ready.value()) return {};
    if (!meanwhile_.look) continue;
    if (auto looked = meanwhile_.look(); !looked) return looked;
  }
}

std::optional<ControlIncoming> ControlClient::next_message() {
  ControlIncoming incoming;
  incoming.message = stream_->next();
  if (!incoming.message) return std::nullopt;
  const uint16_t count = incoming.root().getFds();
  for (uint16_t i = 0; i < count; ++i) incoming.fds.push_back(stream_->take_fd());
  return incoming;
}

Result<uint64_t> ControlClient::queue(const std::function<void(wire::Request::Builder)>& fill, std::span<const int> fds) {
  capnp::MallocMessageBuilder message;
  auto request = message.initRoot<wire::Request>();
  const uint64_t id = next_id_++;
  request.setId(id);
  request.setFds(static_cast<uint16_t>(fds.size()));
  fill(request);
  if (auto checked = check_request(request.asReader()); !checked) return checked.error();
  if (auto queued = stream_->queue(message, fds); !queued) return queued.error();
  return id;
}

Result<ControlIncoming> ControlClient::reply_to(uint64_t first_id, uint64_t last_id, uint64_t deadline_ns) {
  for (bool at_end = false;;) {
    if (!at_end && stream_->flush() != ControlStream::Io::ok) return gone();
    const bool unsent = stream_->unsent_bytes() != 0;
    while (auto message = next_message()) {
      auto incoming = keep_if_for_later(std::move(*message));
      if (!incoming) continue;
      const uint64_t id = incoming->root().getReply().getId();
      if (id < first_id || id > last_id) continue;  // of a request that was given up
      return reply_in(std::move(*incoming));
    }
    if (at_end || stream_->broken()) return gone();
    if (auto waited = wait_for_socket(static_cast<short>(unsent ? POLLIN | POLLOUT : POLLIN), deadline_ns); !waited) {
      return waited.error();
    }
    // What came before the end still counts, but there is no more than that.
    at_end = stream_->receive() != ControlStream::Io::ok;
  }
}

Result<ControlIncoming> ControlClient::call(const std::function<void(wire::Request::Builder)>& fill, std::span<const int> fds,
                                            uint64_t timeout_ms) {
  const uint64_t deadline_ns = monotonic_ns() + timeout_ms * kMillisecond;
  const auto id = queue(fill, fds);
  if (!id) return id.error();
  return reply_to(id.value(), id.value(), deadline_ns);
}

Result<std::optional<ControlIncoming>> ControlClient::begin(const std::function<void(wire::Request::Builder)>& fill,
                                                            std::span<const int> fds, uint64_t timeout_ms) {
  const uint64_t deadline_ns = monotonic_ns() + timeout_ms * kMillisecond;
  const auto id = queue(fill, fds);
  if (!id) return id.error();
  // This one is answered as soon as it is looked at, which is after the first.
  const auto next = queue([](wire::Request::Builder request) { request.setVersion(); }, {});
  if (!next) return next.error();
  auto reply = reply_to(id.value(), next.value(), deadline_ns);
  if (!reply) return reply.error();
  if (reply->root().getReply().getId() == next.value()) return std::optional<ControlIncoming>();
  return std::optional<ControlIncoming>(std::move(*reply));
}

Result<uint64_t> ControlClient::post(const std::function<void(wire::Request::Builder)>& fill, std::span<const int> fds) {
  const auto id = queue(fill, fds);
  if (!id) return id.error();
  if (stream_->flush() != ControlStream::Io::ok) return gone();
  posted_[id.value()];
  return id.value();
}

std::optional<Result<ControlIncoming>> ControlClient::take_reply(uint64_t posted) {
  const auto found = posted_.find(posted);
  if (found == posted_.end() || !found->second) return std::nullopt;
  ControlIncoming incoming = std::move(*found->second);
  posted_.erase(found);
  return reply_in(std::move(incoming));
}

Result<ControlIncoming> ControlClient::wait_for_reply(uint64_t posted, uint64_t timeout_ms) {
  if (auto reply = take_reply(posted)) return std::move(*reply);
  posted_.erase(posted);
  return reply_to(posted, posted, monotonic_ns() + timeout_ms * kMillisecond);
}

std::optional<ControlIncoming> ControlClient::keep_if_for_later(ControlIncoming incoming) {
  const auto root = incoming.root();
  if (root.isNotice()) {
    notices_.push_back(std::move(incoming));
    return std::nullopt;
  }
  const auto found = posted_.find(root.getReply().getId());
  if (found == posted_.end()) return incoming;
  found->second = std::move(incoming);
  return std::nullopt;
}

bool ControlClient::poll() {
  const auto sent = stream_->flush();
  const auto received = stream_->receive();
  while (auto message = next_message()) (void)keep_if_for_later(std::move(*message));
  return sent == ControlStream::Io::ok && received == ControlStream::Io::ok && !stream_->broken();
}

std::optional<ControlIncoming> ControlClient::next_notice() {
  if (notices_.empty()) return std::nullopt;
  ControlIncoming first = std::move(notices_.front());
  notices_.pop_front();
  return first;
}

}  // namespace arenad
