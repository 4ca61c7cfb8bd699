// Control connections: whole messages out of a stream of bytes, and nothing at all out of anything else.
#include "ipc/control_stream.h"

#include <algorithm>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <vector>

#include <capnp/message.h>
#include <capnp/serialize.h>
#include <doctest/doctest.h>
#include <kj/exception.h>

#include "ipc/control.capnp.h"
#include "ipc/socket.h"
#include "tests/support/random_tree.h"
#include "tests/support/seed.h"
#include "tests/support/test_messages.capnp.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using Io = ControlStream::Io;

constexpr uint64_t kMaximum = 64 * 1024;

// A stream and the bare socket at its other end.
struct Connection {
  ControlStream stream;
  Fd peer;
  void send(std::string_view bytes, std::span<const int> fds = {}) const {
    REQUIRE(send_with_fds(peer.get(), bytes.data(), bytes.size(), fds, 0) == static_cast<ssize_t>(bytes.size()));
  }
};

std::pair<Fd, Fd> new_sockets() {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

Connection new_connection(uint64_t maximum = kMaximum) {
  auto [near, far] = new_sockets();
  return {ControlStream(std::move(near), maximum), std::move(far)};
}

std::string framed(capnp::MessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  return {reinterpret_cast<const char*>(words.begin()), words.asBytes().size()};
}

std::string chat(uint32_t sender, const std::string& text = "hello") {
  capnp::MallocMessageBuilder message;
  auto to = message.initRoot<Chat>();
  to.setSender(sender);
  to.setText(text);
  return framed(message);
}

std::string table(const std::vector<uint32_t>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * 4};
}

// Of exactly so many bytes with its frame.
std::string sized(uint64_t bytes) {
  constexpr uint64_t kBare = 8 + 8 + 8 + 7 * 8;  // table, root pointer, Tree's data and pointers
  capnp::MallocMessageBuilder message(static_cast<unsigned>(bytes / 8));
  message.initRoot<Tree>().initBytes(static_cast<unsigned>(bytes - kBare));
  const std::string result = framed(message);
  REQUIRE(result.size() == bytes);
  return result;
}

Fd memfd_with(const std::string& text) {
  Fd fd(::memfd_create("arenad-test", MFD_CLOEXEC));
  REQUIRE(fd);
  REQUIRE(::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  return fd;
}

std::string text_in(const Fd& fd) {
  char buffer[64];
  const ssize_t count = ::pread(fd.get(), buffer, sizeof buffer, 0);
  return count < 0 ? "no file" : std::string(buffer, static_cast<size_t>(count));
}

}  // namespace

TEST_CASE("control stream: a message comes out as it went in") {
  Connection c = new_connection();
  CHECK(c.stream.receive() == Io::ok);
  CHECK(c.stream.next() == nullptr);
  c.send(chat(7, "one"));
  CHECK(c.stream.next() == nullptr);  // nobody has read it yet
  CHECK(c.stream.receive() == Io::ok);
  const auto message = c.stream.next();
  REQUIRE(message != nullptr);
  CHECK(message->root<Chat>().getSender() == 7);
  CHECK(message->root<Chat>().getText() == "one");
  CHECK(c.stream.next() == nullptr);
  CHECK_FALSE(c.stream.broken());
}

TEST_CASE("control stream: one byte at a time") {
  Connection c = new_connection();
  for (uint32_t i = 0; i < 3; ++i) {
    const std::string bytes = chat(i, std::string(i * 13, 'x'));
    for (size_t at = 0; at < bytes.size(); ++at) {
      CHECK(c.stream.next() == nullptr);
      c.send({bytes.data() + at, 1});
      REQUIRE(c.stream.receive() == Io::ok);
    }
    const auto message = c.stream.next();
    REQUIRE(message != nullptr);
    CHECK(message->root<Chat>().getSender() == i);
    CHECK_FALSE(c.stream.broken());
  }
}

TEST_CASE("control stream: several messages in one read, and a part of the next") {
  for (size_t cut = 0; cut < chat(9).size(); ++cut) {
    CAPTURE(cut);
    Connection c = new_connection();
    c.send(chat(1) + chat(2, "") + chat(3, std::string(1000, 'x')) + chat(9).substr(0, cut));
    REQUIRE(c.stream.receive() == Io::ok);
    for (uint32_t i = 1; i <= 3; ++i) {
      const auto message = c.stream.next();
      REQUIRE(message != nullptr);
      CHECK(message->root<Chat>().getSender() == i);
    }
    CHECK(c.stream.next() == nullptr);
    c.send(chat(9).substr(cut));
    REQUIRE(c.stream.receive() == Io::ok);
    const auto message = c.stream.next();
    REQUIRE(message != nullptr);
    CHECK(message->root<Chat>().getSender() == 9);
  }
}

TEST_CASE("control stream: a message outlives the stream's buffer and the stream") {
  std::unique_ptr<ControlMessage> message;
  {
    Connection c = new_connection();
    c.send(chat(1, "kept"));
    REQUIRE(c.stream.receive() == Io::ok);
    message = c.stream.next();
    c.send(chat(2, std::string(5000, 'x')));
    REQUIRE(c.stream.receive() == Io::ok);
    REQUIRE(c.stream.next() != nullptr);
  }
  REQUIRE(message != nullptr);
  CHECK(message->root<Chat>().getText() == "kept");
}

TEST_CASE("control stream: messages of many segments") {
  Random random(test_seed());
  Connection c = new_connection(1 << 20);
  for (int round = 0; round < 200; ++round) {
    // Segments of 64 words, then as many as it takes; more than 64 of them are refused.
    capnp::MallocMessageBuilder message(64, capnp::AllocationStrategy::FIXED_SIZE);
    fill_tree(message.initRoot<Tree>(), random, 3);
    const std::string text = kj::str(message.getRoot<Tree>().asReader()).cStr();
    const size_t segments = message.getSegmentsForOutput().size();
    if (segments > 64) continue;
    c.send(framed(message));
    REQUIRE(c.stream.receive() == Io::ok);
    const auto received = c.stream.next();
    REQUIRE(received != nullptr);
    CHECK(std::string(kj::str(received->root<Tree>()).cStr()) == text);
  }
}

TEST_CASE("control stream: 64 segments, and 65") {
  for (const uint32_t segments : {1, 2, 3, 63, 64, 65}) {
    CAPTURE(segments);
    Connection c = new_connection();
    std::vector<uint32_t> numbers = {segments - 1};
    for (uint32_t i = 0; i < segments; ++i) numbers.push_back(1);
    if (numbers.size() % 2 != 0) numbers.push_back(0);
    c.send(table(numbers) + std::string(segments * 8, '\0'));
    REQUIRE(c.stream.receive() == Io::ok);
    const auto message = c.stream.next();
    CHECK((message != nullptr) == (segments <= 64));
    CHECK(c.stream.broken() == (segments > 64));
    if (message) CHECK(message->root<Chat>().getSender() == 0);
  }
}

TEST_CASE("control stream: the largest message, and one that is larger") {
  SUBCASE("takes what is just small enough") {
    Connection c = new_connection();
    c.send(sized(kMaximum));
    REQUIRE(c.stream.receive() == Io::ok);
    const auto message = c.stream.next();
    REQUIRE(message != nullptr);
    CHECK(message->root<Tree>().getBytes().size() == kMaximum - 80);
  }
  SUBCASE("refuses more as soon as its size is known") {
    Connection c = new_connection();
    c.send(sized(kMaximum + 8).substr(0, 8));
    REQUIRE(c.stream.receive() == Io::ok);
    CHECK(c.stream.next() == nullptr);
    CHECK(c.stream.broken());
  }
  SUBCASE("takes many of the largest that are there at once") {
    Connection c = new_connection(16 * 1024);
    for (int i = 0; i < 10; ++i) c.send(sized(16 * 1024));
    int taken = 0;
    for (int reads = 0; reads < 20 && taken < 10; ++reads) {
      REQUIRE(c.stream.receive() == Io::ok);
      while (c.stream.next() != nullptr) ++taken;
    }
    CHECK(taken == 10);
    CHECK_FALSE(c.stream.broken());
  }
}

TEST_CASE("hostile control stream: frames that cannot be") {
  auto broken_by = [](const std::string& bytes) {
    Connection c = new_connection();
    c.send(bytes);
    REQUIRE(c.stream.receive() == Io::ok);
    const bool nothing = c.stream.next() == nullptr;
    CHECK(nothing);
    CHECK(c.stream.next() == nullptr);  // and never again
    return c.stream.broken();
  };
  for (const uint32_t count : {64u, 65u, 1000u, 0x7FFFFFFFu, 0x80000000u, UINT32_MAX - 1, UINT32_MAX}) {
    CAPTURE(count);
    CHECK(broken_by(table({count})));
    CHECK(broken_by(table({count, 1, 1, 1})));
  }
  for (const uint32_t words :
       {static_cast<uint32_t>(kMaximum / 8), 0x10000000u, 0x1FFFFFFFu, 0x20000000u, 0x80000000u, UINT32_MAX}) {
    CAPTURE(words);
    CHECK(broken_by(table({0, words})));
    CHECK(broken_by(table({1, 0, words, 0})));
    CHECK(broken_by(table({1, words, words, 0})));
  }
  CHECK(broken_by(table(std::vector<uint32_t>(66, 63))) == false);  // 64 segments of 63 words: just not whole
  std::vector<uint32_t> all(66, UINT32_MAX);
  all[0] = 63;
  CHECK(broken_by(table(all)));
}

TEST_CASE("hostile control stream: a message without a root") {
  for (const std::vector<uint32_t>& frame : {std::vector<uint32_t>{0, 0}, std::vector<uint32_t>{1, 0, 0, 0}}) {
    Connection c = new_connection();
    c.send(table(frame) + chat(3));
    REQUIRE(c.stream.receive() == Io::ok);
    const auto message = c.stream.next();
    REQUIRE(message != nullptr);
    CHECK_THROWS_AS((void)message->root<Chat>().getSender(), kj::Exception);
    const auto next = c.stream.next();
    REQUIRE(next != nullptr);
    CHECK(next->root<Chat>().getSender() == 3);
  }
}

TEST_CASE("control stream: closed by the peer") {
  SUBCASE("after a message") {
    Connection c = new_connection();
    c.send(chat(4));
    c.peer.reset();
    CHECK(c.stream.receive() == Io::closed);
    const auto message = c.stream.next();
    REQUIRE(message != nullptr);
    CHECK(message->root<Chat>().getSender() == 4);
    CHECK(c.stream.receive() == Io::closed);
  }
  SUBCASE("in the middle of one, anywhere") {
    const std::string bytes = chat(4);
    for (size_t count = 0; count < bytes.size(); ++count) {
      Connection c = new_connection();
      if (count > 0) c.send(bytes.substr(0, count));
      c.peer.reset();
      CHECK(c.stream.receive() == Io::closed);
      CHECK(c.stream.next() == nullptr);
      CHECK_FALSE(c.stream.broken());
    }
  }
  SUBCASE("while something is sent to it") {
    Connection c = new_connection();
    c.peer.reset();
    capnp::MallocMessageBuilder message;
    message.initRoot<Chat>().setSender(1);
    REQUIRE(c.stream.queue(message).ok());
    CHECK(c.stream.flush() == Io::closed);
  }
}

TEST_CASE("control stream: descriptors come in the order in which they were sent") {
  Connection c = new_connection();
  const Fd a = memfd_with("a");
  const Fd b = memfd_with("b");
  const Fd d = memfd_with("d");
  const std::array<int, 2> both = {a.get(), b.get()};
  const int third = d.get();
  CHECK_FALSE(c.stream.take_fd());
  c.send(chat(1), both);
  c.send(chat(2));
  c.send(chat(3), {&third, 1});
  REQUIRE(c.stream.receive() == Io::ok);
  REQUIRE(c.stream.next() != nullptr);
  CHECK(text_in(c.stream.take_fd()) == "a");
  CHECK(text_in(c.stream.take_fd()) == "b");
  REQUIRE(c.stream.next() != nullptr);
  REQUIRE(c.stream.next() != nullptr);
  CHECK(text_in(c.stream.take_fd()) == "d");
  CHECK_FALSE(c.stream.take_fd());
}

TEST_CASE("hostile control stream: descriptors that nobody takes") {
  const Fd file = memfd_with("x");
  const int fd = file.get();
  SUBCASE("a few wait, one too many breaks it") {
    Connection c = new_connection();
    for (int i = 0; i < 64; ++i) {
      c.send("x", {&fd, 1});
      REQUIRE(c.stream.receive() == Io::ok);
    }
    c.send("x", {&fd, 1});
    CHECK(c.stream.receive() == Io::broken);
    CHECK(c.stream.broken());
  }
  SUBCASE("many at once") {
    Connection c = new_connection();
    const std::vector<int> most(253, fd);
    c.send("x", most);
    CHECK(c.stream.receive() == Io::broken);
  }
  SUBCASE("they are closed with the stream") {
    int number = -1;
    {
      Connection c = new_connection();
      c.send("x", {&fd, 1});
      REQUIRE(c.stream.receive() == Io::ok);
      Fd taken = c.stream.take_fd();
      number = taken.get();
      taken.reset();
      c.send("x", {&fd, 1});
      REQUIRE(c.stream.receive() == Io::ok);
      CHECK(::fcntl(number, F_GETFD) != -1);
    }
    CHECK(::fcntl(number, F_GETFD) == -1);
  }
}

TEST_CASE("control stream: what the socket does not take is kept and goes on where it stopped, with its descriptors") {
  auto [near, far] = new_sockets();
  ControlStream sender(std::move(near), kMaximum);
  ControlStream receiver(std::move(far), kMaximum);
  constexpr uint32_t kMessages = 60;
  size_t bytes = 0;
  for (uint32_t i = 0; i < kMessages; ++i) {
    capnp::MallocMessageBuilder message;
    auto to = message.initRoot<Chat>();
    to.setSender(i);
    to.setText(std::string(i * 997, 'x'));
    const Fd file = memfd_with(std::to_string(i));
    const int fd = file.get();
    REQUIRE(sender.queue(message, {&fd, i % 3 == 0 ? 1U : 0U}).ok());
    bytes += framed(message).size();
    CHECK(sender.unsent_bytes() == bytes);
  }
  REQUIRE(sender.flush() == Io::ok);
  CHECK(sender.unsent_bytes() > 0);
  CHECK(sender.unsent_bytes() < bytes);
  uint32_t next = 0;
  for (int turn = 0; turn < 1000 && next < kMessages; ++turn) {
    REQUIRE(sender.flush() == Io::ok);
    REQUIRE(receiver.receive() == Io::ok);
    while (const auto message = receiver.next()) {
      CHECK(message->root<Chat>().getSender() == next);
      CHECK(message->root<Chat>().getText().size() == next * 997);
      if (next % 3 == 0) CHECK(text_in(receiver.take_fd()) == std::to_string(next));
      ++next;
    }
  }
  CHECK(next == kMessages);
  CHECK(sender.unsent_bytes() == 0);
  CHECK_FALSE(receiver.take_fd());
  CHECK(sender.flush() == Io::ok);
}

TEST_CASE("control stream: an answer needs no descriptor that is free, unless it has to wait") {
  auto [near, far] = new_sockets();
  ControlStream sender(std::move(near), kMaximum);
  ControlStream receiver(std::move(far), kMaximum);
  const Fd file = memfd_with("it");
  const int fd = file.get();
  const auto send = [&](size_t text_bytes) {
    capnp::MallocMessageBuilder message;
    message.initRoot<Chat>().setText(std::string(text_bytes, 'x'));
    return sender.send(message, {&fd, 1});
  };
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit none{0, before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  const Io without = send(10);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(without == Io::ok);
  CHECK(sender.unsent_bytes() == 0);
  // Each has its descriptor, also those of which a part or nothing went at once.
  uint32_t sent = 1;
  while (sender.unsent_bytes() < 200'000) {
    REQUIRE(send(50'000) == Io::ok);
    ++sent;
  }
  uint32_t received = 0;
  for (int turn = 0; turn < 1000 && received < sent; ++turn) {
    REQUIRE(sender.flush() == Io::ok);
    REQUIRE(receiver.receive() == Io::ok);
    while (const auto message = receiver.next()) {
      CHECK(message->root<Chat>().getText().size() == (received == 0 ? 10 : 50'000));
      CHECK(text_in(receiver.take_fd()) == "it");
      ++received;
    }
  }
  CHECK(received == sent);
  CHECK(sender.unsent_bytes() == 0);
  CHECK_FALSE(receiver.take_fd());
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  Io waiting = Io::ok;
  for (int i = 0; i < 100 && waiting == Io::ok; ++i) waiting = send(50'000);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(waiting == Io::closed);
}

TEST_CASE("control stream: requests and replies as clients and arenad send them") {
  auto [near, far] = new_sockets();
  ControlStream client(std::move(near), limits::kMaxControlMessageBytes);
  ControlStream daemon(std::move(far), limits::kMaxControlMessageBytes);
  capnp::MallocMessageBuilder request;
  auto to = request.initRoot<wire::Request>();
  to.setId(11);
  to.initAttach().setPlayer("ann");
  REQUIRE(client.queue(request).ok());
  REQUIRE(client.flush() == Io::ok);
  REQUIRE(daemon.receive() == Io::ok);
  const auto message = daemon.next();
  REQUIRE(message != nullptr);
  CHECK(message->root<wire::Request>().getId() == 11);
  REQUIRE(message->root<wire::Request>().isAttach());
  CHECK(message->root<wire::Request>().getAttach().getPlayer() == "ann");
}

TEST_CASE("hostile control stream: garbage of every kind is refused or read, without harm") {
  Random random(test_seed());
  const std::string good = chat(1) + chat(2, std::string(100, 'x'));
  capnp::MallocMessageBuilder tree_message;
  fill_tree(tree_message.initRoot<Tree>(), random, 2);
  const std::string tree = framed(tree_message);
  for (int round = 0; round < 10'000; ++round) {
    std::string bytes;
    switch (random.below(3)) {
      case 0:
        bytes.resize(1 + random.below(300));
        for (char& c : bytes) c = static_cast<char>(random());
        break;
      case 1:
        // A frame that could be, with anything in it.
        bytes = table({0, static_cast<uint32_t>(random.below(20))});
        while (bytes.size() < 200) {
          const uint64_t word = random() >> random.below(64);
          bytes.append(reinterpret_cast<const char*>(&word), 8);
        }
        break;
      default:
        bytes = good + tree;
        for (uint64_t n = 1 + random.below(4); n > 0; --n) {
          bytes[random.below(bytes.size())] = static_cast<char>(random() >> random.below(64));
        }
        break;
    }
    Connection c = new_connection(4096);
    size_t sent = 0;
    while (sent < bytes.size()) {
      const size_t count = std::min<size_t>(1 + random.below(bytes.size()), bytes.size() - sent);
      c.send({bytes.data() + sent, count});
      sent += count;
      REQUIRE(c.stream.receive() == Io::ok);
      int messages = 0;
      while (const auto message = c.stream.next()) {
        REQUIRE(++messages <= 1000);
        try {
          (void)kj::str(message->root<Tree>());
          (void)kj::str(message->root<wire::Request>());
        } catch (const kj::Exception&) {
        }
      }
      if (c.stream.broken()) break;
    }
    if (c.stream.broken()) REQUIRE(c.stream.next() == nullptr);
  }
}
