#include "chaos/rig/raw_control.h"

#include <array>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>

#include <capnp/serialize.h>

#include "ipc/clock.h"
#include "ipc/socket.h"

namespace arenad::test {
namespace {

constexpr int kTakesNothingMs = 20'000;

}  // namespace

RawControl::RawControl(const std::string& socket_path) {
  auto socket = connect_unix(socket_path);
  if (!socket) throw std::runtime_error(socket.error().text());
  socket_ = std::move(*socket);
}

bool RawControl::send(std::string_view bytes, std::span<const int> fds) {
  while (!bytes.empty()) {
    pollfd room{socket_.get(), POLLOUT, 0};
    if (::poll(&room, 1, kTakesNothingMs) == 0) return false;
    const ssize_t sent = send_with_fds(socket_.get(), bytes.data(), bytes.size(), fds, MSG_DONTWAIT);
    if (sent < 0 && errno == EAGAIN) continue;
    if (sent < 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
    fds = {};
  }
  return true;
}

bool RawControl::send(capnp::MessageBuilder& message, std::span<const int> fds) {
  const auto words = capnp::messageToFlatArray(message);
  const auto bytes = words.asChars();
  return send({bytes.begin(), bytes.size()}, fds);
}

bool RawControl::is_closed_by_peer(uint64_t patience_ms) {
  const uint64_t deadline_ns = monotonic_ns() + patience_ms * kMillisecond;
  for (;;) {
    const uint64_t now = monotonic_ns();
    if (now >= deadline_ns) return false;
    pollfd readable{socket_.get(), POLLIN, 0};
    if (::poll(&readable, 1, static_cast<int>((deadline_ns - now) / kMillisecond + 1)) <= 0) continue;
    std::array<char, 4096> bytes;
    const ssize_t got = ::recv(socket_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return true;
  }
}

bool RawControl::gets_an_answer(uint64_t patience_ms) {
  pollfd readable{socket_.get(), POLLIN, 0};
  if (::poll(&readable, 1, static_cast<int>(patience_ms)) <= 0) return false;
  char byte = 0;
  return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
}

}  // namespace arenad::test
