// What arenad does with bytes on its control socket that no library sends: the connection is closed or left alone, everyone else is
// answered as before.
#include <csignal>
#include <memory>
#include <poll.h>
#include <vector>

#include <capnp/serialize.h>
#include <doctest/doctest.h>

#include "chaos/rig/raw_control.h"
#include "ipc/control.capnp.h"
#include "ipc/control_stream.h"
#include "ipc/limits.h"
#include "ipc/socket.h"
#include "tests/real/daemon.h"
#include "tests/support/seed.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr uint64_t kQuickMs = 10'000;  // an answer; the machine may be busy

std::string word(uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string bytes_of(capnp::MessageBuilder& message) {
  const auto words = capnp::messageToFlatArray(message);
  return {words.asChars().begin(), words.asChars().size()};
}

std::string version_request() {
  capnp::MallocMessageBuilder message;
  message.initRoot<wire::Request>().setVersion();
  return bytes_of(message);
}

void check_answers_quickly(Daemon& daemon) {
  const uint64_t began_ns = monotonic_ns();
  const Finished told = daemon.arenactl({"status", "--json"});
  CAPTURE(told.err);
  CHECK(told.code == 0);
  CHECK(monotonic_ns() - began_ns < kQuickMs * kMillisecond);
}

// What is wrong with a request, as arenad says it; empty: nothing. Sent without looking at it.
std::string refusal_of(const Daemon& daemon, capnp::MessageBuilder& message) {
  auto socket = connect_unix(daemon.socket());
  REQUIRE(socket.ok());
  ControlStream stream(std::move(*socket), limits::kMaxControlMessageBytes);
  REQUIRE(stream.queue(message).ok());
  const uint64_t end_ns = monotonic_ns() + kQuickMs * kMillisecond;
  while (monotonic_ns() < end_ns) {
    REQUIRE(stream.flush() == ControlStream::Io::ok);
    pollfd readable{stream.fd().get(), POLLIN, 0};
    if (::poll(&readable, 1, 10) == 1) REQUIRE(stream.receive() == ControlStream::Io::ok);
    if (const auto answer = stream.next()) {
      const auto reply = answer->root<wire::FromDaemon>().getReply();
      if (!reply.isError()) return {};
      CHECK(reply.getError().getCode() == wire::FailureCode::INVALID);
      return reply.getError().getMessage();
    }
  }
  return "no answer in time";
}

std::string random_bytes(Random& random, size_t count) {
  std::string bytes(count, '\0');
  for (char& c : bytes) c = static_cast<char>(random());
  return bytes;
}

}  // namespace

TEST_CASE("bytes that can never become a request close their connection") {
  Daemon daemon(echo_section());
  daemon.start();
  struct Garbage {
    const char* title;
    std::string bytes;
  };
  const Garbage all[] = {
      {"0xFF", std::string(4096, '\xff')},
      {"text", "GET / HTTP/1.1\r\nHost: arenad\r\n\r\n"},
      {"too many segments", word(100'000) + std::string(64, '\0')},
      {"a huge length", word(0) + word(0x7FFFFFFF)},
      {"just over the limit", word(0) + word(1024 * 1024 / 8 + 1)},
      {"many huge segments", word(3) + word(0xFFFFFFFF) + word(0xFFFFFFFF) + word(0xFFFFFFFF) + word(0xFFFFFFFF) + word(0)},
  };
  for (const Garbage& garbage : all) {
    CAPTURE(garbage.title);
    RawControl raw(daemon.socket());
    raw.send(garbage.bytes);
    CHECK(raw.is_closed_by_peer(kPatienceMs));
  }
  check_answers_quickly(daemon);
}

TEST_CASE("valid framing with nonsense inside closes its connection, or is refused") {
  Daemon daemon(echo_section());
  daemon.start();
  Random random(test_seed());
  for (int i = 0; i < 200; ++i) {
    const size_t words = 1 + random.below(40);
    RawControl raw(daemon.socket());
    raw.send(word(0) + word(static_cast<uint32_t>(words)) + random_bytes(random, words * 8));
    raw.send(word(0) + word(1) + std::string(8, '\xff'));
    CHECK((raw.gets_an_answer(kPatienceMs) || raw.is_closed_by_peer(kPatienceMs)));
  }
  SUBCASE("a request of a kind that does not exist is answered") {
    capnp::MallocMessageBuilder message;
    message.initRoot<wire::Request>().setVersion();
    std::string bytes = bytes_of(message);
    bytes[8 + 8 + 10] = 77;  // the union's tag, at bits 80 to 95 of the data
    RawControl raw(daemon.socket());
    raw.send(bytes);
    CHECK(raw.gets_an_answer(kPatienceMs));
  }
  check_answers_quickly(daemon);
}

// Whether it has become an order that arenad is right to follow, such as a shutdown.
bool is_another_order(const std::string& bytes) {
  try {
    capnp::FlatArrayMessageReader reader(
        {reinterpret_cast<const capnp::word*>(bytes.data()), bytes.size() / sizeof(capnp::word)});
    const auto which = reader.getRoot<wire::Request>().which();
    return which != wire::Request::STATUS && which != wire::Request::START;
  } catch (const kj::Exception&) {
    return false;
  }
}

TEST_CASE("a valid request with random bytes flipped does no harm") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("good");
  const ArenaFacts before = daemon.arena("good");
  Random random(test_seed());
  for (int i = 0; i < 300; ++i) {
    capnp::MallocMessageBuilder message;
    auto request = message.initRoot<wire::Request>();
    request.setId(7);
    if (random.one_in(2)) {
      request.initStatus().initArenas(3).set(1, "good");
    } else {
      auto start = request.initStart();
      start.setGame("no such game");
      auto params = start.initParams(2);
      params[0].setKey("a");
      params[1].setValue("b");
    }
    std::string bytes = bytes_of(message);
    for (uint64_t flips = 1 + random.below(8); flips > 0; --flips)
      bytes[8 + random.below(bytes.size() - 8)] ^= static_cast<char>(random());
    if (is_another_order(bytes)) continue;
    RawControl raw(daemon.socket());
    raw.send(bytes);
  }
  check_answers_quickly(daemon);
  CHECK(daemon.arena("good").epoch == before.epoch);
}

TEST_CASE("a request that comes one byte at a time is answered") {
  Daemon daemon(echo_section());
  daemon.start();
  RawControl raw(daemon.socket());
  for (const char c : version_request()) {
    REQUIRE(raw.send({&c, 1}));
    CHECK(daemon.facts().running == 0);  // between any two bytes others are served
  }
  CHECK(raw.gets_an_answer(kPatienceMs));
}

TEST_CASE("half a request and then the end") {
  Daemon daemon(echo_section());
  daemon.start();
  const std::string whole = version_request();
  for (size_t length = 1; length < whole.size(); ++length) {
    RawControl raw(daemon.socket());
    REQUIRE(raw.send(std::string_view(whole).substr(0, length)));
    raw.close();
  }
  check_answers_quickly(daemon);
}

TEST_CASE("descriptors that nobody announced, and announced ones that do not come") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("good");
  const std::vector<int> many(100, 0);
  auto send_them_all = [&] {
    {
      RawControl raw(daemon.socket());
      raw.send(version_request(), many);
      raw.send(version_request(), many);
      CHECK(raw.is_closed_by_peer(kPatienceMs));
    }
    {
      RawControl raw(daemon.socket());
      raw.send("\1", std::span(many).first(3));
      raw.close();
    }
    // Announced, but not there: the request is answered with an error.
    capnp::MallocMessageBuilder message;
    auto request = message.initRoot<wire::Request>();
    request.setFds(65'535);
    auto attach = request.initAttach();
    attach.setArena("good");
    attach.setPlayer("ann");
    RawControl raw(daemon.socket());
    raw.send(message);
    CHECK((raw.gets_an_answer(kPatienceMs) || raw.is_closed_by_peer(kPatienceMs)));
  };
  // Spares that are forked meanwhile have a few descriptors; what leaks has hundreds.
  constexpr size_t kOfSpares = 16;
  const size_t open_before = open_files_of(daemon.pid());
  for (int round = 0; round < 5; ++round) send_them_all();
  CHECK(eventually([&] { return open_files_of(daemon.pid()) <= open_before + kOfSpares; }));
  CHECK(daemon.arena("good").clients == 0);
  check_answers_quickly(daemon);
}

TEST_CASE("descriptors sent with every request do not pile up") {
  Daemon daemon(echo_section());
  daemon.start();
  const size_t open_before = open_files_of(daemon.pid());
  RawControl raw(daemon.socket());
  const std::vector<int> one(1, 0);
  for (int i = 0; i < 200 && raw.send(version_request(), one); ++i) {
  }
  CHECK(raw.is_closed_by_peer(kPatienceMs));
  constexpr size_t kOfSpares = 16;
  CHECK(eventually([&] { return open_files_of(daemon.pid()) <= open_before + kOfSpares; }));
}

TEST_CASE("200 connections that say nothing") {
  Daemon daemon(echo_section());
  daemon.start();
  std::vector<std::unique_ptr<RawControl>> silent;
  for (int i = 0; i < 200; ++i) silent.push_back(std::make_unique<RawControl>(daemon.socket()));
  check_answers_quickly(daemon);
  daemon.start_arena("good");
  silent.clear();
  check_answers_quickly(daemon);
}

TEST_CASE("a client that never reads its answers") {
  Daemon daemon(echo_section());
  daemon.start();
  RawControl raw(daemon.socket());
  capnp::MallocMessageBuilder message;
  message.initRoot<wire::Request>().initStatus().setAll(true);
  const std::string bytes = bytes_of(message);
  for (int i = 0; i < 5000; ++i) {
    if (!raw.send(bytes)) break;
  }
  check_answers_quickly(daemon);
}

TEST_CASE("2,000 connections of garbage leave nothing behind") {
  Daemon daemon(echo_section());
  daemon.start();
  Random random(test_seed());
  const auto batter = [&](int count) {
    for (int i = 0; i < count; ++i) {
      RawControl raw(daemon.socket());
      const std::vector<int> fds(random.below(4), 0);
      raw.send(random.one_in(2) ? random_bytes(random, 1 + random.below(2000))
                                : word(0) + word(8) + random_bytes(random, 8 * random.below(9)),
               fds);
    }
  };
  batter(2000);  // until its memory has the size that so many at once need
  const size_t files = open_files_of(daemon.pid());
  REQUIRE(eventually([&] { return daemon.facts().running == 0; }));
  const size_t memory_kib = resident_kib_of(daemon.pid());
  batter(2000);
  check_answers_quickly(daemon);
  CHECK(eventually([&] { return open_files_of(daemon.pid()) <= files + 2; }));
#ifdef ARENAD_SANITIZED
  constexpr size_t kSlackKib = 65536;  // what was freed is kept for a while
#else
  constexpr size_t kSlackKib = 4096;
#endif
  CHECK(resident_kib_of(daemon.pid()) <= memory_kib + kSlackKib);
}

// Nobody else waits for somebody who has asked for much: users take turns, and so do the connections of one user.
TEST_CASE("thousands of requests in one connection let others in between") {
  Daemon daemon(echo_section());
  daemon.start();
  capnp::MallocMessageBuilder forgets;
  forgets.initRoot<wire::Request>().initResetFailed().setAll(true);
  const std::string one = bytes_of(forgets);
  ControlClient other = daemon.connect();
  const auto undrain = [](wire::Request::Builder request) { request.initUndrain().setAll(true); };
  REQUIRE(other.call(undrain, {}, kPatienceMs).ok());
  RawControl raw(daemon.socket());
  raw.send(version_request());
  REQUIRE(raw.gets_an_answer(kPatienceMs));

  // While arenad stands still both come to have asked: thousands first, then the other one.
  constexpr uint64_t kMany = 1500;
  REQUIRE(::kill(daemon.pid(), SIGSTOP) == 0);
  std::string many;
  for (uint64_t i = 0; i < kMany; ++i) many += one;
  REQUIRE(raw.send(many));
  REQUIRE_FALSE(other.call(undrain, {}, 1).ok());
  REQUIRE(::kill(daemon.pid(), SIGCONT) == 0);

  // The order in which they were taken is the order of the history.
  const auto number_of_last = [&](const char* verb) -> uint64_t {
    auto answer = other.call([](wire::Request::Builder request) { request.initHistory().setLimit(10'000); }, {}, kPatienceMs);
    REQUIRE(answer.ok());
    for (const auto entry : answer->root().getReply().getHistory()) {
      if (entry.getVerb() == verb) return entry.getId();
    }
    return 0;
  };
  REQUIRE(eventually([&] { return number_of_last("reset-failed") >= kMany; }));
  CHECK(number_of_last("undrain") < kMany / 2);
}

TEST_CASE("a connection that asks again and again takes no more memory for it") {
  Daemon daemon(echo_section());
  daemon.start();
  ControlClient asking = daemon.connect();
  // Each comes whole, and the next one when it is answered.
  const std::string game(16'000, 'x');
  const auto ask = [&](int times) {
    for (int i = 0; i < times; ++i) {
      REQUIRE(asking.call([&](wire::Request::Builder request) { request.setRollouts(game); }, {}, kPatienceMs).ok());
    }
  };
  ask(100);
  const size_t memory_kib = resident_kib_of(daemon.pid());
  ask(4000);
#ifdef ARENAD_SANITIZED
  constexpr size_t kSlackKib = 48 * 1024;  // what was freed is kept for a while
#else
  constexpr size_t kSlackKib = 16 * 1024;  // 64 MB have come
#endif
  CHECK(resident_kib_of(daemon.pid()) <= memory_kib + kSlackKib);
}

TEST_CASE("tens of thousands of names in a request are refused before anything is done with them") {
  Daemon daemon(echo_section());
  daemon.start();
  daemon.start_arena("duel");
  constexpr unsigned kNames = 40'000;
  const auto fill = [](capnp::List<capnp::Text>::Builder names) {
    for (unsigned i = 0; i < names.size(); ++i) names.set(i, "*a*");
  };
  const std::string expected = "40000 arenas were given, and a request takes no more than 1000";
  capnp::MallocMessageBuilder status;
  fill(status.initRoot<wire::Request>().initStatus().initArenas(kNames));
  CHECK(refusal_of(daemon, status) == expected);
  capnp::MallocMessageBuilder logs;
  fill(logs.initRoot<wire::Request>().initLogs().initSelection().initArenas(kNames));
  CHECK(refusal_of(daemon, logs) == expected);
  capnp::MallocMessageBuilder events;
  fill(events.initRoot<wire::Request>().initEvents().initTypes(kNames));
  CHECK(refusal_of(daemon, events) == "40000 types were given, and a request takes no more than 1000");
  capnp::MallocMessageBuilder stop;
  fill(stop.initRoot<wire::Request>().initStop().initArenas(kNames));
  CHECK(refusal_of(daemon, stop) == expected);
  capnp::MallocMessageBuilder drop;
  drop.initRoot<wire::Request>().initQuarantineDrop(kNames);
  CHECK(refusal_of(daemon, drop) == "40000 entries were given, and a request takes no more than 1000");
  check_answers_quickly(daemon);
  CHECK(daemon.arena("duel").state == "running");
}
