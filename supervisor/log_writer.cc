#include "supervisor/log_writer.h"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <utility>

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

bool send_whole(int descriptor, const std::string& datagram) {
  for (;;) {
    if (::send(descriptor, datagram.data(), datagram.size(), MSG_NOSIGNAL) >= 0) return true;
    if (errno != EINTR) return false;
  }
}

}  // namespace

struct LogWriter::Shared {
  Shared(int to, Manner how, LostLine line) : descriptor(to), manner(how), lost_line(std::move(line)) {}

  const int descriptor;
  const Manner manner;
  const LostLine lost_line;

  std::mutex mutex;  // guards everything below
  std::condition_variable changed;
  std::condition_variable written;
  std::deque<std::string> waiting;
  size_t waiting_bytes = 0;
  uint64_t lost = 0;
  bool is_writing = false;
  bool ends = false;

  bool put(const std::string& line) const {
    return manner == Manner::lines ? write_all(descriptor, line) : send_whole(descriptor, line);
  }

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
        if (lost_before != 0 && put(lost_line(lost_before))) lost_before = 0;
        if (!put(line)) ++lost_before;
      }
      lock.lock();
      lost += lost_before;
      is_writing = false;
      written.notify_all();
    }
  }
};

LogWriter::LogWriter(int descriptor, Manner manner, LostLine lost_line)
    : shared_(std::make_shared<Shared>(descriptor, manner, std::move(lost_line))) {
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
