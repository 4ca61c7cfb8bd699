// One end of a control connection: whole messages (control.capnp) over a byte stream, with the descriptors that came with them.
//
// A message is looked at only when it has arrived whole in a bounded buffer, and is read with tight limits: libcapnp 0.9.2's own
// stream readers are not safe against a hostile peer. A peer that breaks the framing, sends more than it may, or sends descriptors that
// no message announces is cut off.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>

#include "arenad/result.h"
#include "ipc/fd.h"
#include "ipc/limits.h"

namespace arenad {

// A received message. Fields are read through root(), which throws kj::Exception if they are not what the schema says.
class ControlMessage {
 public:
  explicit ControlMessage(kj::Array<capnp::word> words);
  template <class T>
  typename T::Reader root() {
    return reader_.getRoot<T>();
  }

 private:
  kj::Array<capnp::word> words_;
  capnp::FlatArrayMessageReader reader_;
};

class ControlStream {
 public:
  ControlStream(Fd socket, uint64_t maximum_message_bytes)
      : socket_(std::move(socket)), maximum_bytes_(maximum_message_bytes) {}

  enum class Io { ok, closed, broken };
  // Reads what is there now.
  Io receive();
  // Whether next() would give one.
  [[nodiscard]] bool has_next();
  // Whether there is a part of one that is not whole.
  [[nodiscard]] bool has_begun_one() const { return received_.size() > consumed_; }
  // The next whole message, if there is one. Sets broken() if there can never be one again.
  std::unique_ptr<ControlMessage> next();
  [[nodiscard]] bool broken() const { return broken_; }
  // The descriptor that belongs to the message taken last, in order; invalid if there are no more.
  Fd take_fd();

  // Queues a message; duplicates the descriptors. flush() sends as much as the socket takes without waiting.
  Result<void> queue(capnp::MessageBuilder& message, std::span<const int> fds = {});
  Io flush();
  // Both, but only a message that has to wait needs copies of its descriptors: an answer does not fail because there are none
  // left to be had.
  Io send(capnp::MessageBuilder& message, std::span<const int> fds = {});
  [[nodiscard]] size_t unsent_bytes() const { return unsent_bytes_; }

  // What is on the way, for a program that takes the place of this one. Bytes and descriptors of one part go together.
  struct Part {
    kj::ArrayPtr<const kj::byte> bytes;
    const std::deque<Fd>* fds;
  };
  [[nodiscard]] Part received() const;
  [[nodiscard]] std::vector<Part> unsent() const;
  // On a stream that has done nothing yet.
  void restore_received(kj::ArrayPtr<const kj::byte> bytes, std::deque<Fd> fds);
  void restore_unsent(kj::ArrayPtr<const kj::byte> bytes, std::deque<Fd> fds);

  [[nodiscard]] const Fd& fd() const { return socket_; }

 private:
  struct Unsent {
    kj::Array<capnp::word> words;
    size_t sent = 0;
    std::deque<Fd> fds;
  };
  Result<void> keep(kj::Array<capnp::word> words, size_t sent, std::span<const int> fds);
  // The size of the message at the head of the buffer in bytes, 0 if that cannot be told yet.
  size_t framed_bytes();

  Fd socket_;
  uint64_t maximum_bytes_;
  std::vector<char> received_;
  size_t consumed_ = 0;
  std::deque<Fd> received_fds_;
  std::deque<Unsent> unsent_;
  size_t unsent_bytes_ = 0;
  bool broken_ = false;
};

}  // namespace arenad
