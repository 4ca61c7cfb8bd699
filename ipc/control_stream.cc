#include "ipc/control_stream.h"

#include <array>
#include <cstring>
#include <sys/socket.h>

#include "arenad/message.h"
#include "ipc/socket.h"

namespace arenad {
namespace {

constexpr uint32_t kMaxSegments = 64;
constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kMaxWaitingFds = 64;

uint32_t word32(const char* at) {
  uint32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

ControlMessage::ControlMessage(kj::Array<capnp::word> words)
    : words_(kj::mv(words)), reader_(words_, bounded_reader_options(words_.size())) {}

ControlStream::Io ControlStream::receive() {
  // Who takes one message at a time never sees next() find none.
  received_.erase(received_.begin(), received_.begin() + static_cast<ptrdiff_t>(std::exchange(consumed_, 0)));
  for (;;) {
    // Not into the buffer itself: thousands of connections that send a few bytes must not hold a buffer's worth each.
    std::array<char, kReadBytes> chunk;
    std::vector<Fd> fds;
    bool truncated = false;
    const ssize_t count = receive_with_fds(socket_.get(), chunk.data(), chunk.size(), fds, truncated, MSG_DONTWAIT);
    if (count == 0) return Io::closed;
    if (count < 0) return errno == EAGAIN ? Io::ok : Io::closed;
    // A message whose descriptors could not be taken, for want of any, must not look like one that came without.
    if (truncated || received_fds_.size() + fds.size() > kMaxWaitingFds) {
      broken_ = true;
      return Io::broken;
    }
    received_.insert(received_.end(), chunk.begin(), chunk.begin() + count);
    for (Fd& fd : fds) received_fds_.push_back(std::move(fd));
    // One whole message beyond the largest is enough to go on with; the rest waits in the socket.
    if (received_.size() - consumed_ > maximum_bytes_ + kReadBytes) return Io::ok;
  }
}

size_t ControlStream::framed_bytes() {
  const size_t available = received_.size() - consumed_;
  const char* at = received_.data() + consumed_;
  if (available < 4) return 0;
  const uint64_t segments = uint64_t{word32(at)} + 1;
  if (segments > kMaxSegments) {
    broken_ = true;
    return 0;
  }
  const size_t table_bytes = (4 + segments * 4 + 7) / 8 * 8;
  if (available < table_bytes) return 0;
  uint64_t bytes = table_bytes;
  for (uint64_t i = 0; i < segments; ++i) bytes += uint64_t{word32(at + 4 + i * 4)} * 8;
  if (bytes > maximum_bytes_) {
    broken_ = true;
    return 0;
  }
  return bytes;
}

bool ControlStream::has_next() {
  const size_t bytes = framed_bytes();
  return bytes != 0 && received_.size() - consumed_ >= bytes;
}

std::unique_ptr<ControlMessage> ControlStream::next() {
  const size_t bytes = framed_bytes();
  if (bytes == 0 || received_.size() - consumed_ < bytes) {
    if (consumed_ != 0) {
      received_.erase(received_.begin(), received_.begin() + static_cast<ptrdiff_t>(consumed_));
      consumed_ = 0;
    }
    return nullptr;
  }
  auto words = kj::heapArray<capnp::word>(bytes / 8);
  std::memcpy(words.begin(), received_.data() + consumed_, bytes);
  consumed_ += bytes;
  try {
    return std::make_unique<ControlMessage>(kj::mv(words));
  } catch (const kj::Exception&) {
    broken_ = true;
    return nullptr;
  }
}

Fd ControlStream::take_fd() {
  if (received_fds_.empty()) return {};
  Fd fd = std::move(received_fds_.front());
  received_fds_.pop_front();
  return fd;
}

Result<void> ControlStream::queue(capnp::MessageBuilder& message, std::span<const int> fds) {
  return keep(capnp::messageToFlatArray(message), 0, fds);
}

ControlStream::Io ControlStream::send(capnp::MessageBuilder& message, std::span<const int> fds) {
  auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asBytes();
  size_t sent = 0;
  if (unsent_.empty()) {
    const ssize_t count = send_with_fds(socket_.get(), bytes.begin(), bytes.size(), fds, MSG_DONTWAIT);
    if (count < 0 && errno != EAGAIN) return Io::closed;
    sent = count < 0 ? 0 : static_cast<size_t>(count);
    if (sent == bytes.size()) return Io::ok;
  }
  if (sent != 0) fds = {};  // they went with the first byte
  if (!keep(kj::mv(words), sent, fds)) return Io::closed;
  return flush();
}

Result<void> ControlStream::keep(kj::Array<capnp::word> words, size_t sent, std::span<const int> fds) {
  Unsent unsent{kj::mv(words), sent, {}};
  for (const int fd : fds) {
    Fd borrowed(fd);
    auto copy = borrowed.duplicate();
    borrowed.release();
    if (!copy) return copy.error();
    unsent.fds.push_back(std::move(*copy));
  }
  unsent_bytes_ += unsent.words.asBytes().size() - sent;
  unsent_.push_back(std::move(unsent));
  return {};
}

ControlStream::Part ControlStream::received() const {
  const auto* bytes = reinterpret_cast<const kj::byte*>(received_.data());
  return {kj::arrayPtr(bytes + consumed_, bytes + received_.size()), &received_fds_};
}

std::vector<ControlStream::Part> ControlStream::unsent() const {
  std::vector<Part> parts;
  for (const Unsent& one : unsent_) {
    const auto bytes = one.words.asPtr().asBytes();
    parts.push_back({bytes.slice(one.sent, bytes.size()), &one.fds});
  }
  return parts;
}

void ControlStream::restore_received(kj::ArrayPtr<const kj::byte> bytes, std::deque<Fd> fds) {
  received_.assign(bytes.begin(), bytes.end());
  received_fds_ = std::move(fds);
}

void ControlStream::restore_unsent(kj::ArrayPtr<const kj::byte> bytes, std::deque<Fd> fds) {
  // The end of a message: what was sent of it stands for nothing any more.
  Unsent unsent{kj::heapArray<capnp::word>((bytes.size() + sizeof(capnp::word) - 1) / sizeof(capnp::word)), 0, std::move(fds)};
  unsent.sent = unsent.words.asBytes().size() - bytes.size();
  std::memcpy(unsent.words.asBytes().begin() + unsent.sent, bytes.begin(), bytes.size());
  unsent_bytes_ += bytes.size();
  unsent_.push_back(std::move(unsent));
}

ControlStream::Io ControlStream::flush() {
  while (!unsent_.empty()) {
    Unsent& next = unsent_.front();
    std::vector<int> fds;
    for (const Fd& fd : next.fds) fds.push_back(fd.get());
    const auto bytes = next.words.asBytes();
    const ssize_t count = send_with_fds(socket_.get(), bytes.begin() + next.sent, bytes.size() - next.sent, fds, MSG_DONTWAIT);
    if (count < 0) return errno == EAGAIN ? Io::ok : Io::closed;
    next.fds.clear();  // they went with the first byte
    next.sent += static_cast<size_t>(count);
    unsent_bytes_ -= static_cast<size_t>(count);
    if (next.sent == bytes.size()) unsent_.pop_front();
  }
  return Io::ok;
}

}  // namespace arenad
