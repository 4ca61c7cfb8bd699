#include "supervisor/acceptor.h"

#include <unistd.h>

#include "ipc/clock.h"
#include "ipc/mutant.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr uint64_t kPauseMs = 100;
// At most so many in one turn of the loop: the rest are still there in the next.
constexpr int kMostAtATime = 64;

}  // namespace

Acceptor::Acceptor(uv_loop_t* loop, FactQueue& facts)
    : loop_(loop), facts_(facts), pause_(loop, [this] {
        if (listener_ && begun_) poll_.watch(UV_READABLE);
      }) {}

Result<void> Acceptor::listen(const std::string& path, SocketKind kind, Accepted accepted) {
  ::unlink(path.c_str());
  auto listener = listen_unix(path, kind);
  if (!listener) return listener.error();
  take_on(std::move(*listener), path, std::move(accepted));
  return {};
}

void Acceptor::take_on(Fd listener, std::string path, Accepted accepted) {
  path_ = std::move(path);
  accepted_ = std::move(accepted);
  listener_ = std::move(listener);
  poll_ = UvPoll(loop_, listener_.get(), [this](int) { facts_.post([this] { accept(); }); });
}

void Acceptor::begin() {
  begun_ = true;
  if (listener_) poll_.watch(UV_READABLE);
}

void Acceptor::pause() {
  begun_ = false;
  if (listener_) poll_.watch(0);
}

void Acceptor::close() {
  poll_.close();
  pause_.close();
  if (listener_ && !ARENAD_MUTANT("shutdown.sockets_left")) ::unlink(path_.c_str());
  listener_.reset();
}

void Acceptor::accept() {
  for (int i = 0; i < kMostAtATime && listener_ && begun_; ++i) {
    auto connection = accept_unix(listener_);
    if (!connection) return rest(connection.error());
    if (!*connection) return;
    accepted_(std::move(*connection));
  }
}

void Acceptor::rest(const Error& error) {
  poll_.watch(0);
  pause_.start(kPauseMs);
  const auto times = failed_.happened(monotonic_ns());
  if (times) log_error("msg=\"{} at {} ({} times); who waits there is taken when there is room\"", error.text(), path_, *times);
}

}  // namespace arenad
