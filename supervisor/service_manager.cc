#include "supervisor/service_manager.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipc/clock.h"
#include "ipc/crash_point.h"
#include "ipc/socket.h"
#include "supervisor/log.h"

namespace arenad {
namespace {

constexpr int kFirstListenFd = 3;
constexpr size_t kMaxUnsent = 100'000;
constexpr uint64_t kPatienceMs = 1000;
constexpr uint64_t kAgainMs = 10;

int number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() ? value : 0;
}

}  // namespace

std::string ServiceManager::take_variable(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) return {};
  std::string text = value;
  ::unsetenv(name);
  environment_.push_back(std::string(name) + "=" + text);
  return text;
}

ServiceManager::ServiceManager(uv_loop_t* loop) : loop_(loop) {
  collect_kept();
  environment_.clear();  // those are not for a second time
  const std::string address = take_variable("NOTIFY_SOCKET");
  const int watchdog_usec = number(take_variable("WATCHDOG_USEC"));
  const std::string watched = take_variable("WATCHDOG_PID");
  if (!address.empty()) connect(address);
  if (!socket_ || watchdog_usec <= 0 || (!watched.empty() && number(watched) != ::getpid())) return;
  watchdog_ns_ = static_cast<uint64_t>(watchdog_usec) * 1000;
}

void ServiceManager::collect_kept() {
  const int pid = number(take_variable("LISTEN_PID"));
  const int count = number(take_variable("LISTEN_FDS"));
  const std::string names = take_variable("LISTEN_FDNAMES");
  if (pid != ::getpid()) return;
  size_t begin = 0;
  for (int i = 0; i < count; ++i) {
    const int fd = kFirstListenFd + i;
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    const size_t end = std::min(names.find(':', begin), names.size());
    kept_.push_back({names.substr(begin, end - begin), Fd(fd)});
    begin = std::min(end + 1, names.size());
  }
}

void ServiceManager::connect(const std::string& address) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address.size() >= sizeof to.sun_path || (address[0] != '/' && address[0] != '@')) {
    log_error("msg=\"NOTIFY_SOCKET is not the address of a Unix socket: {}\"", address);
    return;
  }
  std::memcpy(to.sun_path, address.data(), address.size());
  if (address[0] == '@') to.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.size());
  socket_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket_ || ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), length) != 0) {
    log_error("msg=\"{}\"", errno_error("cannot speak to the service manager at " + address).text());
    socket_.reset();
    return;
  }
  poll_ = UvPoll(loop_, socket_.get(), [this](int) { flush(); });
  again_ = UvTimer(loop_, [this] { flush(); });
}

void ServiceManager::close() {
  flush();
  poll_.close();
  again_.close();
  socket_.reset();
}

std::vector<KeptDescriptor> ServiceManager::take_kept() {
  return std::exchange(kept_, {});
}

void ServiceManager::store(const std::string& name, const Fd& fd) {
  ARENAD_CRASH_POINT("arenad.keep.before");
  send("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name, &fd);
  wait_until_sent();
  ARENAD_CRASH_POINT("arenad.keep.after");
}

void ServiceManager::forget(const std::string& name) {
  ARENAD_CRASH_POINT("arenad.forget.before");
  send("FDSTOREREMOVE=1\nFDNAME=" + name, nullptr);
  ARENAD_CRASH_POINT("arenad.forget.after");
}

void ServiceManager::ready() {
  send("READY=1", nullptr);
}

void ServiceManager::reloading() {
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(monotonic_ns() / 1000), nullptr);
}

void ServiceManager::stopping() {
  send("STOPPING=1", nullptr);
}

void ServiceManager::tell(std::string message) {
  send(std::move(message), nullptr);
}

void ServiceManager::send(std::string text, const Fd* fd) {
  if (!socket_) return;
  // Most is taken at once, and needs no copy of its descriptor: there may be none left to be had.
  if (unsent_.empty() && offer(text, fd) != Sent::not_now) return;
  Unsent unsent{std::move(text), {}};
  if (fd != nullptr) {
    auto copy = fd->duplicate();
    if (!copy) {
      log_error("msg=\"cannot give a descriptor to the service manager: {}\"", copy.error().text());
      return;
    }
    unsent.fd = std::move(*copy);
  }
  if (unsent_.size() >= kMaxUnsent) {
    log_error("msg=\"the service manager takes no messages: a crash of arenad would lose what it does not keep\"");
    return;
  }
  unsent_.push_back(std::move(unsent));
}

ServiceManager::Sent ServiceManager::offer(const std::string& text, const Fd* fd) {
  const int number = fd != nullptr ? fd->get() : -1;
  const std::span<const int> fds(&number, fd != nullptr ? 1 : 0);
  if (send_with_fds(socket_.get(), text.data(), text.size(), fds, MSG_DONTWAIT) >= 0) return Sent::yes;
  switch (errno) {
    case EAGAIN:
      poll_.watch(UV_WRITABLE);
      return Sent::not_now;
    case ENOBUFS:
    case ENOMEM:
    case ETOOMANYREFS:
      again_.start(kAgainMs);
      return Sent::not_now;
    default:
      log_error("msg=\"{}\"", errno_error("the service manager is gone").text());
      unsent_.clear();
      poll_.close();
      again_.close();
      socket_.reset();
      return Sent::never;
  }
}

// The socket holds few messages (net.unix.max_dgram_qlen, often 10), and what is still here dies with arenad.
void ServiceManager::wait_until_sent() {
  if (is_stuck_) return;
  const uint64_t began_ns = monotonic_ns();
  while (socket_ && !unsent_.empty()) {
    const uint64_t waited_ms = (monotonic_ns() - began_ns) / kMillisecond;
    if (waited_ms >= kPatienceMs) {
      is_stuck_ = true;
      log_error("msg=\"the service manager takes nothing: what arenad holds is not kept over its death until it does\"");
      return;
    }
    pollfd writable{socket_.get(), POLLOUT, 0};
    const int is_writable = ::poll(&writable, 1, static_cast<int>(kPatienceMs - waited_ms));
    flush();
    if (is_writable == 1 && !unsent_.empty()) ::usleep(1000);
  }
}

void ServiceManager::flush() {
  while (socket_ && !unsent_.empty()) {
    const Unsent& next = unsent_.front();
    if (offer(next.text, next.fd ? &next.fd : nullptr) != Sent::yes) return;
    unsent_.pop_front();
  }
  is_stuck_ = false;
  if (socket_) poll_.watch(0);
}

}  // namespace arenad
