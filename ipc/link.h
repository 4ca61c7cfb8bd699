// One end of the SOCK_SEQPACKET pair between arenad and a process of its own: whole messages with their file descriptors
// (link.capnp). The messages are small; what is large goes through shared memory.
#pragma once

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "arenad/message.h"
#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad {

// What the messages of link.capnp mean. It changes when an older program would misunderstand a newer one.
constexpr uint32_t kLinkVersion = 1;
constexpr size_t kMaxLinkMessageBytes = 128 * 1024;
constexpr size_t kMaxLinkFds = 250;  // SCM_MAX_FD is 253

struct LinkMessage {
  std::vector<uint64_t> words;
  std::vector<Fd> fds;
  // The root; throws kj::Exception on a message that is not one: see parse().
  template <class T>
  typename T::Reader root(std::optional<MessageView>& view) const {
    view.emplace(words.data(), words.size());
    return view->root<T>();
  }
};

class Link {
 public:
  Link() = default;
  explicit Link(Fd socket) : socket_(std::move(socket)) {}
  static Result<std::pair<Fd, Fd>> make_pair();

  // Waits if the other side is slow.
  Result<void> send(capnp::MessageBuilder& message, std::span<const int> fds = {});
  // Never waits: what the socket does not take now is kept, with duplicates of the descriptors, until flush().
  Result<void> send_later(capnp::MessageBuilder& message, std::span<const int> fds = {});
  Result<void> flush();
  [[nodiscard]] bool has_unsent() const { return !unsent_.empty(); }

  enum class Received { message, nothing, closed, broken };
  enum class Wait { no, yes };
  Received receive(LinkMessage& message, Wait wait);

  [[nodiscard]] const Fd& fd() const { return socket_; }
  void close() { socket_.reset(); }
  // Gives the socket back.
  Fd take() { return std::move(socket_); }

 private:
  struct Unsent {
    std::vector<uint64_t> words;
    std::vector<Fd> fds;
  };
  Fd socket_;
  std::deque<Unsent> unsent_;
};

}  // namespace arenad
