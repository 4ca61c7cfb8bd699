#include "supervisor/log_writer.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "ipc/fd.h"

namespace arenad {
namespace {

constexpr uint64_t kLastWritesMs = 1000;
constexpr int kPatienceMs = 100;  // then it is looked whether anything has changed

// False if this cannot be written. Waits as long as it takes.
bool write_all(int descriptor, const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
    if (count >= 0) {
      done += static_cast<size_t>(count);
    } else if (errno == EAGAIN) {
      pollfd writable{descriptor, POLLOUT, 0};
      (void)::poll(&writable, 1, kPatienceMs);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

class Lines final : public LogWriter::Outlet {
 public:
  explicit Lines(int descriptor) : descriptor_(descriptor) {}
  bool put(const std::string& line) override { return write_all(descriptor_, line); }

 private:
  const int descriptor_;
};

// Not connected: a connection is to one listener, and is dead when that one is.
class Datagrams final : public LogWriter::Outlet {
 public:
  Datagrams(Fd socket, const sockaddr_un& to) : socket_(std::move(socket)), to_(to) {}
  bool put(const std::string& line) override {
    for (;;) {
      const auto* to = reinterpret_cast<const sockaddr*>(&to_);
      if (::sendto(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL, to, sizeof to_) >= 0) return true;
      if (errno != EINTR) return false;
    }
  }

 private:
  const Fd socket_;
  const sockaddr_un to_;
};

}  // namespace

struct LogWriter::Shared {
  Shared(std::unique_ptr<Outlet> to, LostLine line) : outlet(std::move(to)), lost_line(std::move(line)) {}

  const std::unique_ptr<Outlet> outlet;
  const LostLine lost_line;

  std::mutex mutex;  // guards everything below
  std::condition_variable changed;
  std::condition_variable written;
  std::deque<std::string> waiting;
  size_t waiting_bytes = 0;
  uint64_t lost = 0;
  bool is_writing = false;
  bool ends = false;

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return ends || !waiting.empty(); });
      if (waiting.empty()) return;
      std::deque<std::string> lines;
      lines.swap(waiting);
      waiting_bytes = 0;
      uint64_t lost_before = std::exchange(lost, 0);
      is_writing = true;
      lock.unlock();
      for (const std::string& line : lines) {
        // In its place: what was lost was older than what waits.
        if (lost_before != 0 && outlet->put(lost_line(lost_before))) lost_before = 0;
        if (!outlet->put(line)) ++lost_before;
      }
      lock.lock();
      lost += lost_before;
      is_writing = false;
      written.notify_all();
    }
  }
};

std::unique_ptr<LogWriter::Outlet> LogWriter::lines_to(int descriptor) {
  return std::make_unique<Lines>(descriptor);
}

std::unique_ptr<LogWriter::Outlet> LogWriter::datagrams_to(const std::string& path) {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (path.size() >= sizeof to.sun_path) return nullptr;
  std::memcpy(to.sun_path, path.data(), path.size());
  const auto socket = [] { return Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)); };
  const Fd probe = socket();
  if (!probe || ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) return nullptr;
  Fd sending = socket();
  return sending ? std::make_unique<Datagrams>(std::move(sending), to) : nullptr;
}

LogWriter::LogWriter(std::unique_ptr<Outlet> outlet, LostLine lost_line)
    : shared_(std::make_shared<Shared>(std::move(outlet), std::move(lost_line))) {
  // Signals are the loop's.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([shared = shared_] { shared->run(); }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

LogWriter::~LogWriter() {
  flush(kLastWritesMs);
  const std::lock_guard lock(shared_->mutex);
  shared_->ends = true;
  shared_->changed.notify_one();
}

void LogWriter::write(std::string line) {
  const std::lock_guard lock(shared_->mutex);
  shared_->waiting_bytes += line.size();
  shared_->waiting.push_back(std::move(line));
  while (shared_->waiting_bytes > kMostWaitingBytes) {
    shared_->waiting_bytes -= shared_->waiting.front().size();
    shared_->waiting.pop_front();
    ++shared_->lost;
  }
  shared_->changed.notify_one();
}

void LogWriter::flush(uint64_t timeout_ms) {
  std::unique_lock lock(shared_->mutex);
  shared_->written.wait_for(lock, std::chrono::milliseconds(timeout_ms),
                            [this] { return shared_->waiting.empty() && !shared_->is_writing; });
}

}  // namespace arenad
