// Links: whole messages with their descriptors, in their order, and a clean end.
#include "ipc/link.h"

#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <capnp/message.h>
#include <doctest/doctest.h>
#include <kj/exception.h>

#include "ipc/socket.h"
#include "tests/support/child.h"
#include "tests/support/random_tree.h"
#include "tests/support/seed.h"
#include "tests/support/test_messages.capnp.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using Received = Link::Received;
using Wait = Link::Wait;

struct Ends {
  Link near;
  Link far;
};

Ends new_link() {
  auto pair = Link::make_pair();
  REQUIRE(pair.ok());
  return {Link(std::move(pair->first)), Link(std::move(pair->second))};
}

void chat(capnp::MessageBuilder& message, uint32_t sender, const std::string& text = "hello") {
  auto to = message.initRoot<Chat>();
  to.setSender(sender);
  to.setText(text);
}

uint32_t sender_of(const LinkMessage& message) {
  std::optional<MessageView> view;
  return message.root<Chat>(view).getSender();
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
  REQUIRE(count >= 0);
  return {buffer, static_cast<size_t>(count)};
}

// A message of exactly so many words.
void sized(capnp::MessageBuilder& message, size_t words) {
  constexpr size_t kBare = 1 + 1 + 7;  // root pointer, Tree's data and pointers
  REQUIRE(words > kBare);
  auto bytes = message.initRoot<Tree>().initBytes(static_cast<unsigned>((words - kBare) * 8));
  std::memset(bytes.begin(), 0x5A, bytes.size());
}

}  // namespace

TEST_CASE("link: 0, 1 and many messages, in their order, in both directions") {
  Ends link = new_link();
  LinkMessage received;
  CHECK(link.far.receive(received, Wait::no) == Received::nothing);
  CHECK(link.near.receive(received, Wait::no) == Received::nothing);
  for (uint32_t i = 0; i < 50; ++i) {
    capnp::MallocMessageBuilder message;
    chat(message, i, std::string(i, 'x'));
    REQUIRE(link.near.send(message).ok());
    capnp::MallocMessageBuilder back;
    chat(back, 1000 + i);
    REQUIRE(link.far.send_later(back).ok());
  }
  CHECK_FALSE(link.far.has_unsent());
  for (uint32_t i = 0; i < 50; ++i) {
    REQUIRE(link.far.receive(received, i % 2 == 0 ? Wait::no : Wait::yes) == Received::message);
    std::optional<MessageView> view;
    CHECK(received.root<Chat>(view).getSender() == i);
    CHECK(received.root<Chat>(view).getText().size() == i);
    CHECK(received.fds.empty());
    REQUIRE(link.near.receive(received, Wait::no) == Received::message);
    CHECK(sender_of(received) == 1000 + i);
  }
  CHECK(link.far.receive(received, Wait::no) == Received::nothing);
}

TEST_CASE("link: a message that was built in many pieces arrives in one") {
  Random random(test_seed());
  Ends link = new_link();
  for (int round = 0; round < 200; ++round) {
    capnp::MallocMessageBuilder message(1, capnp::AllocationStrategy::FIXED_SIZE);
    fill_tree(message.initRoot<Tree>(), random, 3);
    const std::string text = kj::str(message.getRoot<Tree>().asReader()).cStr();
    REQUIRE(link.near.send(message).ok());
    LinkMessage received;
    REQUIRE(link.far.receive(received, Wait::no) == Received::message);
    MessageView view(received.words.data(), received.words.size(), unbounded_reader_options());
    CHECK(std::string(kj::str(view.root<Tree>()).cStr()) == text);
  }
  SUBCASE("also one without anything in it") {
    capnp::MallocMessageBuilder message;
    REQUIRE(link.near.send(message).ok());
    LinkMessage received;
    REQUIRE(link.far.receive(received, Wait::no) == Received::message);
    CHECK(sender_of(received) == 0);
  }
}

TEST_CASE("link: descriptors go with their message") {
  Ends link = new_link();
  const Fd first = memfd_with("first");
  const Fd second = memfd_with("second");
  const std::array<int, 2> both = {second.get(), first.get()};
  capnp::MallocMessageBuilder message;
  chat(message, 1);
  REQUIRE(link.near.send(message, both).ok());
  REQUIRE(link.near.send(message).ok());
  REQUIRE(link.near.send(message, {both.data() + 1, 1}).ok());
  LinkMessage received;
  REQUIRE(link.far.receive(received, Wait::no) == Received::message);
  REQUIRE(received.fds.size() == 2);
  CHECK(text_in(received.fds[0]) == "second");
  CHECK(text_in(received.fds[1]) == "first");
  CHECK(received.fds[0].get() != second.get());
  CHECK((::fcntl(received.fds[0].get(), F_GETFD) & FD_CLOEXEC) != 0);
  const int number = received.fds[0].get();
  REQUIRE(link.far.receive(received, Wait::no) == Received::message);
  CHECK(received.fds.empty());
  CHECK(::fcntl(number, F_GETFD) == -1);  // what nobody took is closed
  REQUIRE(link.far.receive(received, Wait::no) == Received::message);
  REQUIRE(received.fds.size() == 1);
  CHECK(text_in(received.fds[0]) == "first");
}

TEST_CASE("link: as many descriptors as may be, and one more") {
  Ends link = new_link();
  const Fd file = memfd_with("x");
  capnp::MallocMessageBuilder message;
  chat(message, 1);
  const std::vector<int> most(kMaxLinkFds, file.get());
  const std::vector<int> more(kMaxLinkFds + 1, file.get());
  LinkMessage received;
  REQUIRE(link.near.send(message, most).ok());
  REQUIRE(link.far.receive(received, Wait::no) == Received::message);
  CHECK(received.fds.size() == kMaxLinkFds);
  received.fds.clear();
  REQUIRE(link.near.send_later(message, most).ok());
  REQUIRE(link.far.receive(received, Wait::no) == Received::message);
  CHECK(received.fds.size() == kMaxLinkFds);
  for (const auto& sent : {link.near.send(message, more), link.near.send_later(message, more)}) {
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().code == ErrorCode::invalid);
  }
  CHECK(link.far.receive(received, Wait::no) == Received::nothing);
}

TEST_CASE("link: the largest message, and one that is larger") {
  Ends link = new_link();
  LinkMessage received;
  {
    capnp::MallocMessageBuilder message(kMaxLinkMessageBytes / 8);
    sized(message, kMaxLinkMessageBytes / 8);
    REQUIRE(link.near.send(message).ok());
    REQUIRE(link.far.receive(received, Wait::no) == Received::message);
    CHECK(received.words.size() == kMaxLinkMessageBytes / 8);
    std::optional<MessageView> view;
    CHECK(received.root<Tree>(view).getBytes().size() == kMaxLinkMessageBytes - 72);
  }
  capnp::MallocMessageBuilder message(kMaxLinkMessageBytes / 8 + 1);
  sized(message, kMaxLinkMessageBytes / 8 + 1);
  for (const auto& sent : {link.near.send(message), link.near.send_later(message)}) {
    REQUIRE_FALSE(sent.ok());
    CHECK(sent.error().code == ErrorCode::invalid);
  }
  CHECK_FALSE(link.near.has_unsent());
  CHECK(link.far.receive(received, Wait::no) == Received::nothing);
}

TEST_CASE("link: what the socket does not take is kept and sent in order") {
  Ends link = new_link();
  constexpr size_t kWords = 1000;
  uint32_t sent = 0;
  // Each message has a file of its own, which its sender closes at once.
  auto send_next = [&] {
    capnp::MallocMessageBuilder message(kWords + 10);
    chat(message, sent, std::string(kWords * 8, 'x'));
    const Fd file = memfd_with(std::to_string(sent));
    const int fd = file.get();
    REQUIRE(link.near.send_later(message, {&fd, 1}).ok());
    ++sent;
  };
  while (!link.near.has_unsent()) {
    REQUIRE(sent < 10'000);
    send_next();
  }
  for (int i = 0; i < 100; ++i) send_next();
  CHECK(link.near.flush().ok());
  CHECK(link.near.has_unsent());
  uint32_t next = 0;
  LinkMessage received;
  auto take_all = [&] {
    while (link.far.receive(received, Wait::no) == Received::message) {
      REQUIRE(sender_of(received) == next);
      REQUIRE(received.fds.size() == 1);
      REQUIRE(text_in(received.fds[0]) == std::to_string(next));
      ++next;
    }
  };
  SUBCASE("when it is flushed") {
    while (link.near.has_unsent()) {
      take_all();
      REQUIRE(link.near.flush().ok());
    }
    take_all();
  }
  SUBCASE("before anything that is sent later") {
    take_all();
    CHECK(next < sent);
    for (int i = 0; i < 20; ++i) send_next();  // there would be room now
    while (link.near.has_unsent()) {
      REQUIRE(link.near.flush().ok());
      take_all();
    }
    take_all();
  }
  CHECK(next == sent);
  CHECK(link.near.flush().ok());
}

TEST_CASE("link: a closed peer") {
  Ends link = new_link();
  capnp::MallocMessageBuilder message;
  chat(message, 5);
  LinkMessage received;
  SUBCASE("what it sent before is still read") {
    REQUIRE(link.near.send(message).ok());
    link.near.close();
    CHECK(link.far.receive(received, Wait::no) == Received::message);
    CHECK(sender_of(received) == 5);
    CHECK(link.far.receive(received, Wait::no) == Received::closed);
    CHECK(link.far.receive(received, Wait::yes) == Received::closed);
  }
  SUBCASE("what is sent to it is an error and no signal") {
    link.far.close();
    CHECK_FALSE(link.near.send(message).ok());
    CHECK_FALSE(link.near.send_later(message).ok());
    CHECK(link.near.flush().ok());
    CHECK(link.near.receive(received, Wait::no) == Received::closed);
  }
  SUBCASE("what is kept for it is an error when it is flushed") {
    while (!link.near.has_unsent()) {
      capnp::MallocMessageBuilder large;
      chat(large, 1, std::string(10'000, 'x'));
      REQUIRE(link.near.send_later(large).ok());
    }
    link.far.close();
    CHECK_FALSE(link.near.flush().ok());
    CHECK(link.near.has_unsent());
    CHECK(link.near.receive(received, Wait::no) == Received::closed);
  }
  SUBCASE("a link that is not open") {
    Link none;
    CHECK_FALSE(none.send(message).ok());
    CHECK_FALSE(none.send_later(message).ok());
    CHECK(none.receive(received, Wait::no) == Received::broken);
  }
}

// The kernel tells whoever has not been read of that first (unix(7), ECONNRESET).
TEST_CASE("link: what a peer has sent is there, though it has gone with something unread") {
  for (const int sent : {0, 1, 3}) {
    CAPTURE(sent);
    Ends ends = new_link();
    capnp::MallocMessageBuilder unread;
    chat(unread, 99);
    REQUIRE(ends.near.send(unread));
    for (int i = 0; i < sent; ++i) {
      capnp::MallocMessageBuilder message;
      chat(message, static_cast<uint32_t>(i));
      REQUIRE(ends.far.send(message));
    }
    ends.far.close();
    LinkMessage message;
    for (int i = 0; i < sent; ++i) {
      REQUIRE(ends.near.receive(message, Wait::no) == Received::message);
      CHECK(sender_of(message) == static_cast<uint32_t>(i));
    }
    CHECK(ends.near.receive(message, Wait::no) == Received::closed);
    CHECK(ends.near.receive(message, Wait::no) == Received::closed);
  }
}

TEST_CASE("link: a message is waited for") {
  Ends link = new_link();
  Child other([&] {
    LinkMessage question;
    if (link.far.receive(question, Wait::yes) != Received::message) return 1;
    capnp::MallocMessageBuilder answer;
    chat(answer, sender_of(question) + 1);
    return link.far.send(answer).ok() ? kChildFine : 2;
  });
  capnp::MallocMessageBuilder question;
  chat(question, 41);
  REQUIRE(link.near.send(question).ok());
  LinkMessage received;
  REQUIRE(link.near.receive(received, Wait::yes) == Received::message);
  CHECK(sender_of(received) == 42);
  CHECK(other.fine());
}

TEST_CASE("link: a peer that is killed is a closed one") {
  Ends link = new_link();
  Child other([&] {
    link.near.close();
    LinkMessage never;
    (void)link.far.receive(never, Wait::yes);
    return 1;
  });
  link.far.close();
  other.kill();
  LinkMessage received;
  CHECK(link.near.receive(received, Wait::yes) == Received::closed);
  CHECK(other.wait().text() == "signal=KILL");
}

TEST_CASE("hostile link: packets that are no messages") {
  Ends link = new_link();
  auto send_raw = [&](size_t bytes, std::span<const int> fds = {}) {
    const std::vector<char> packet(bytes, '\xFF');
    return send_with_fds(link.far.fd().get(), packet.data(), bytes, fds, 0) == static_cast<ssize_t>(bytes);
  };
  LinkMessage received;
  for (const size_t bytes : {1, 7, 9, 4095}) {
    REQUIRE(send_raw(bytes));
    CHECK(link.near.receive(received, Wait::no) == Received::broken);
  }
  REQUIRE(send_raw(kMaxLinkMessageBytes + 8));
  CHECK(link.near.receive(received, Wait::no) == Received::broken);
  SUBCASE("words that are no message are found when they are read") {
    REQUIRE(send_raw(64));
    REQUIRE(link.near.receive(received, Wait::no) == Received::message);
    std::optional<MessageView> view;
    CHECK_THROWS_AS((void)received.root<Chat>(view).getText(), kj::Exception);
  }
  SUBCASE("more descriptors than a message has from us") {
    const Fd file = memfd_with("x");
    const std::vector<int> most(253, file.get());
    REQUIRE(send_raw(8, most));
    CHECK(link.near.receive(received, Wait::no) == Received::message);
    CHECK(received.fds.size() == 253);
  }
  SUBCASE("and after them the link still works") {
    capnp::MallocMessageBuilder message;
    chat(message, 3);
    REQUIRE(link.far.send(message).ok());
    REQUIRE(link.near.receive(received, Wait::no) == Received::message);
    CHECK(sender_of(received) == 3);
  }
}

TEST_CASE("descriptors over sockets: more than a packet can carry is refused") {
  Ends link = new_link();
  const Fd file = memfd_with("x");
  const std::vector<int> more(254, file.get());
  const uint64_t word = 0;
  CHECK(send_with_fds(link.near.fd().get(), &word, 8, more, 0) == -1);
  CHECK(errno == EINVAL);
  LinkMessage received;
  CHECK(link.far.receive(received, Wait::no) == Received::nothing);
}
