// Processes of a test's own, and a page that they share with it.
//
// A child runs one function and ends with its result as exit code, without ever returning into the
// test runner. It makes no checks itself: it returns what it found.
#pragma once

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include <doctest/doctest.h>

#include "ipc/process.h"

namespace arenad::test {

constexpr int kChildFine = 0;
constexpr int kChildThrew = 99;
constexpr int kDeadlineMs = 30'000;
constexpr uint64_t kDeadlineNs = uint64_t{kDeadlineMs} * 1'000'000;

class Child {
 public:
  template <class Run>  // int run()
  explicit Child(Run&& run) : pid_(::fork()) {
    if (pid_ == 0) {
      int code = kChildThrew;
      try {
        code = run();
      } catch (...) {
      }
      ::_exit(code);
    }
    REQUIRE(pid_ > 0);
    auto pidfd = open_pidfd(pid_);
    REQUIRE(pidfd.ok());
    pidfd_ = std::move(*pidfd);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (reaped_) return;
    kill();
    (void)wait();
  }

  void kill() { ::kill(pid_, SIGKILL); }
  // How it ended; the deadline is far beyond what any test takes.
  Exit wait() {
    pollfd end{pidfd_.get(), POLLIN, 0};
    if (::poll(&end, 1, kDeadlineMs) == 0) kill();
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED) != 0 && errno == EINTR) {
    }
    reaped_ = true;
    const auto how = info.si_code == CLD_EXITED ? Exit::How::exited : Exit::How::signalled;
    return {how, info.si_status};
  }
  [[nodiscard]] bool ended() const {
    pollfd end{pidfd_.get(), POLLIN, 0};
    return ::poll(&end, 1, 0) == 1;
  }
  // Waits for its end; whether the function returned kChildFine.
  bool fine() {
    const Exit exit = wait();
    CAPTURE(exit.text());
    CHECK((exit.how == Exit::How::exited && exit.value == kChildFine));
    return exit.how == Exit::How::exited && exit.value == kChildFine;
  }
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const Fd& pidfd() const { return pidfd_; }

 private:
  pid_t pid_;
  Fd pidfd_;
  bool reaped_ = false;
};

// Whether a function ends its process with an assertion. Its message is not shown.
template <class Run>
bool aborts(Run&& run) {
  Child child([&] {
    ::close(STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    run();
    return kChildFine;
  });
  const Exit exit = child.wait();
  return exit.how == Exit::How::signalled && exit.value == SIGABRT;
}

// One T that a test and its children all can write.
template <class T>
class Shared {
 public:
  Shared() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(memory != MAP_FAILED);
    value_ = new (memory) T{};
  }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() { ::munmap(value_, sizeof(T)); }
  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_ = nullptr;
};

}  // namespace arenad::test
