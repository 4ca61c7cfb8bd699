// The thread that writes the log: nobody waits for whoever reads it.
#include "supervisor/log_writer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "ipc/fd.h"

using namespace arenad;

namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    read = Fd(ends[0]);
    write = Fd(ends[1]);
  }
  Fd read;
  Fd write;
};

std::string lost_line(uint64_t lost) {
  return "lost " + std::to_string(lost) + "\n";
}

// Until this was read, or nothing came for long.
std::string read_until(const Fd& from, const std::string& end) {
  std::string all;
  char buffer[65536];
  pollfd readable{from.get(), POLLIN, 0};
  while (all.find(end) == std::string::npos && ::poll(&readable, 1, 30'000) == 1) {
    const ssize_t count = ::read(from.get(), buffer, sizeof buffer);
    if (count <= 0) break;
    all.append(buffer, static_cast<size_t>(count));
  }
  return all;
}

// Of datagrams.
Fd listen_at(const std::string& path) {
  sockaddr_un at{};
  at.sun_family = AF_UNIX;
  REQUIRE(path.size() < sizeof at.sun_path);
  std::memcpy(at.sun_path, path.data(), path.size());
  Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  return socket;
}

std::string received(const Fd& from) {
  pollfd readable{from.get(), POLLIN, 0};
  if (::poll(&readable, 1, 30'000) != 1) return "nothing";
  char buffer[64];
  const ssize_t count = ::recv(from.get(), buffer, sizeof buffer, 0);
  return {buffer, static_cast<size_t>(std::max<ssize_t>(count, 0))};
}

}  // namespace

TEST_CASE("lines come in their order") {
  Pipe pipe;
  LogWriter writer(LogWriter::lines_to(pipe.write.get()), lost_line);
  std::string expected;
  for (int i = 0; i < 1000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    expected += line;
    writer.write(line);
  }
  CHECK(read_until(pipe.read, "line 999\n") == expected);
}

TEST_CASE("a pipe that nobody reads holds nobody up; what did not fit is counted") {
  Pipe pipe;
  const std::string line = std::string(1000, 'x') + "\n";
  const uint64_t began_ns = monotonic_ns();
  {
    LogWriter writer(LogWriter::lines_to(pipe.write.get()), lost_line);
    for (int i = 0; i < 20'000; ++i) writer.write(line);  // 20 MB
    CHECK(monotonic_ns() - began_ns < 5 * kSecond);
    SUBCASE("and is said when it is read again") {
      const std::string all = read_until(pipe.read, "lost ");
      CHECK(all.find("lost ") != std::string::npos);
      CHECK(all.size() < 10 * LogWriter::kMostWaitingBytes);
      writer.write("the last\n");
      CHECK(read_until(pipe.read, "the last\n").ends_with("the last\n"));
    }
    SUBCASE("also not at the end") {}
  }
  CHECK(monotonic_ns() - began_ns < 60 * kSecond);
  // Whoever still hangs in a write goes on now, and ends; until then its number must not become another file's.
  pipe.read.reset();
  (void)pipe.write.release();
}

TEST_CASE("a full disk loses lines, and nothing else") {
  Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  REQUIRE(full);
  LogWriter writer(LogWriter::lines_to(full.get()), lost_line);
  for (int i = 0; i < 1000; ++i) writer.write("line\n");
  writer.flush(30'000);
  // There is room again: another file under the same number.
  Pipe pipe;
  REQUIRE(::dup2(pipe.write.get(), full.get()) >= 0);
  writer.write("room again\n");
  CHECK(read_until(pipe.read, "room again\n") == "lost 1000\nroom again\n");
}

TEST_CASE("datagrams stay whole, and come to whoever listens then") {
  std::string folder = (std::filesystem::temp_directory_path() / "arenad-log-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/socket";
  CHECK(LogWriter::datagrams_to(path) == nullptr);
  Fd listener = listen_at(path);
  auto outlet = LogWriter::datagrams_to(path);
  REQUIRE(outlet != nullptr);
  LogWriter writer(std::move(outlet), lost_line);
  writer.write("one");
  writer.write("two");
  CHECK(received(listener) == "one");
  CHECK(received(listener) == "two");
  // Nobody is there, and then there is somebody else.
  listener.reset();
  writer.write("nobody hears this");
  writer.flush(30'000);
  REQUIRE(std::filesystem::remove(path));
  writer.write("nor this");
  writer.flush(30'000);
  listener = listen_at(path);
  writer.write("three");
  CHECK(received(listener) == "lost 2\n");
  CHECK(received(listener) == "three");
  std::filesystem::remove_all(folder);
}
