#include "ipc/link.h"

#include <array>
#include <sys/socket.h>

#include "ipc/socket.h"

namespace arenad {
namespace {

// One segment, root pointer first.
std::vector<uint64_t> flatten(capnp::MessageBuilder& message) {
  const auto segments = message.getSegmentsForOutput();
  if (segments.size() == 1) {
    std::vector<uint64_t> words(segments[0].size());
    std::memcpy(words.data(), segments[0].begin(), segments[0].size() * 8);
    return words;
  }
  const auto root = message.getRoot<capnp::AnyPointer>().asReader();
  std::vector<uint64_t> words(root.targetSize().wordCount + 1);
  InPlaceBuilder flat(words.data(), words.size());
  flat.setRoot(root);
  words.resize(flat.used_words());
  return words;
}

Error too_large() {
  return make_error(ErrorCode::invalid, "a message to or from a worker is too large");
}

// The other end is there, and the kernel has no room for it now. ETOOMANYREFS: of descriptors that nobody has received yet.
bool is_temporary(int error) {
  return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == ETOOMANYREFS;
}

}  // namespace

Result<std::pair<Fd, Fd>> Link::make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno_error("cannot make a link to a worker");
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

Result<void> Link::send(capnp::MessageBuilder& message, std::span<const int> fds) {
  const auto words = flatten(message);
  if (words.size() * 8 > kMaxLinkMessageBytes || fds.size() > kMaxLinkFds) return too_large();
  if (send_with_fds(socket_.get(), words.data(), words.size() * 8, fds, 0) < 0) return errno_error("the link is broken");
  return {};
}

Result<void> Link::send_later(capnp::MessageBuilder& message, std::span<const int> fds) {
  auto words = flatten(message);
  if (words.size() * 8 > kMaxLinkMessageBytes || fds.size() > kMaxLinkFds) return too_large();
  if (unsent_.empty()) {
    if (send_with_fds(socket_.get(), words.data(), words.size() * 8, fds, MSG_DONTWAIT) >= 0) return {};
    if (!is_temporary(errno)) return errno_error("the link is broken");
  }
  Unsent unsent{std::move(words), {}};
  for (const int fd : fds) {
    Fd borrowed(fd);
    auto copy = borrowed.duplicate();
    borrowed.release();
    if (!copy) return copy.error();
    unsent.fds.push_back(std::move(*copy));
  }
  unsent_.push_back(std::move(unsent));
  return {};
}

Result<void> Link::flush() {
  while (!unsent_.empty()) {
    const Unsent& next = unsent_.front();
    std::vector<int> fds;
    for (const Fd& fd : next.fds) fds.push_back(fd.get());
    if (send_with_fds(socket_.get(), next.words.data(), next.words.size() * 8, fds, MSG_DONTWAIT) < 0) {
      if (is_temporary(errno)) return {};
      return errno_error("the link is broken");
    }
    unsent_.pop_front();
  }
  return {};
}

Link::Received Link::receive(LinkMessage& message, Wait wait) {
  message.fds.clear();
  message.words.clear();
  // On the stack: most messages are a hundred bytes, and each would come with a buffer for the largest.
  std::array<uint64_t, kMaxLinkMessageBytes / 8> words;
  bool truncated = false;
  const int flags = wait == Wait::no ? MSG_DONTWAIT : 0;
  const auto take = [&] {
    return receive_with_fds(socket_.get(), words.data(), kMaxLinkMessageBytes, message.fds, truncated, flags);
  };
  ssize_t count = take();
  // The other end has gone with something unread. That is told first, and once; what it has sent before is there still.
  if (count < 0 && errno == ECONNRESET) count = take();
  if (count == 0) return Received::closed;
  if (count < 0) {
    if (errno == EAGAIN) return Received::nothing;
    return errno == ECONNRESET ? Received::closed : Received::broken;
  }
  if (truncated || count % 8 != 0) return Received::broken;
  message.words.assign(words.begin(), words.begin() + count / 8);
  return Received::message;
}

}  // namespace arenad
