#include "ipc/crash_action.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <stdexcept>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad {
namespace {

// Should nothing stop it, this does, long after it has shown what it does.
constexpr int kMostProcesses = 200;
constexpr int kMostDescriptors = 4096;

void write_to(uintptr_t place) {
  // Through volatile, so that the compiler cannot know what comes.
  volatile uintptr_t address = place;
  *reinterpret_cast<volatile int*>(address) = 1;
}

void divide_by_zero() {
  volatile int divisor = 0;
  volatile int quotient = 42 / divisor;
  (void)quotient;
}

unsigned recurse(unsigned depth) {
  if (depth == 0) return 0;  // never
  std::array<char, 4096> frame{};
  volatile char* const place = &frame[depth % frame.size()];
  *place = static_cast<char>(depth);
  return recurse(depth + 1) + static_cast<unsigned char>(*place);
}

void burn_until(uint64_t end_ns) {
  while (monotonic_ns() < end_ns) {
  }
}

// Sources of signals do not shorten it.
void sleep_until(uint64_t end_ns) {
  for (uint64_t now = monotonic_ns(); now < end_ns; now = monotonic_ns())
    ::usleep(static_cast<useconds_t>((end_ns - now) / 1000 + 1));
}

void take_memory(size_t filled) noexcept {
  constexpr size_t kBytes = size_t{1} << 20;
  for (;;) std::memset(new char[kBytes], 'm', filled == 0 ? kBytes : filled);
}

void take_descriptors(uint64_t for_ms) {
  std::array<int, kMostDescriptors> taken{};
  size_t count = 0;
  while (count < taken.size() && (taken[count] = ::open("/dev/null", O_RDONLY)) >= 0) ++count;
  if (for_ms == 0) return;
  sleep_until(monotonic_ns() + for_ms * kMillisecond);
  while (count > 0) ::close(taken[--count]);
}

template <class Each>
void for_each_socket(Each&& each) {
  for (int fd = STDERR_FILENO + 1; fd < kMostDescriptors; ++fd) {
    int type = 0;
    socklen_t size = sizeof type;
    if (::getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0) each(fd);
  }
}

// Only a file in memory has seals.
template <class Each>
void for_each_memory(Each&& each) {
  for (int fd = STDERR_FILENO + 1; fd < kMostDescriptors; ++fd) {
    if (::fcntl(fd, F_GET_SEALS) >= 0) each(fd);
  }
}

// Of what is not refused the readers of this memory tell.
void spoil_memory(int fd) {
  constexpr off_t kAll = off_t{1} << 40;
  constexpr std::array<unsigned char, 64> kNothing{0xff, 0xff, 0xff, 0xff, 0x13};
  (void)::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, kAll);
  (void)!::pwrite(fd, kNothing.data(), kNothing.size(), 0);
  (void)::fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW);
  void* const mapped = ::mmap(nullptr, kNothing.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return;
  std::memset(mapped, 0, kNothing.size());
  ::munmap(mapped, kNothing.size());
}

void babble(int fd) {
  constexpr std::array<unsigned char, 64> kNothing{0xff, 0xff, 0xff, 0xff, 0x13};
  (void)!::write(fd, kNothing.data(), kNothing.size());
}

void fork_forever() {
  for (int i = 0; i < kMostProcesses; ++i) {
    if (::fork() == 0) {
      ::pause();
      ::_exit(0);
    }
  }
}

void start_threads() {
  for (int i = 0; i < kMostProcesses; ++i) {
    pthread_t thread{};
    ::pthread_create(
        &thread, nullptr, [](void*) -> void* { return ::pause(), nullptr; }, nullptr);
  }
}

[[noreturn]] void throw_error() {
  throw std::runtime_error("the rules do not allow that");
}

// What nobody catches, whatever is above this on the stack.
[[noreturn]] void throw_through() noexcept {
  throw_error();
}

}  // namespace

void carry_out(CrashAction action, uint64_t argument) {
  const uint64_t until_ns = monotonic_ns() + argument * kMillisecond;
  switch (action) {
    case CrashAction::kill:
      ::kill(::getpid(), SIGKILL);
      return;
    case CrashAction::abort:
      std::abort();
    case CrashAction::segv:
      ::raise(SIGSEGV);
      return;
    case CrashAction::stop:
      ::kill(::getpid(), SIGSTOP);
      return;
    case CrashAction::exit:
      ::_exit(0);
    case CrashAction::exit_with:
      std::exit(static_cast<int>(argument));  // NOLINT(concurrency-mt-unsafe)
    case CrashAction::throw_exception:
      throw_through();
    case CrashAction::write_to_nothing:
      return write_to(16);
    case CrashAction::write_to_code:
      return write_to(reinterpret_cast<uintptr_t>(&carry_out));
    case CrashAction::divide_by_zero:
      return divide_by_zero();
    case CrashAction::overflow_stack:
      recurse(1);
      return;
    case CrashAction::hang:
      return burn_until(UINT64_MAX);
    case CrashAction::burn:
      return burn_until(until_ns);
    case CrashAction::sleep:
      return sleep_until(until_ns);
    case CrashAction::take_memory:
      return take_memory(argument);
    case CrashAction::take_descriptors:
      return take_descriptors(argument);
    case CrashAction::close_descriptors:
      for (int fd = STDERR_FILENO + 1; fd < kMostDescriptors; ++fd) ::close(fd);
      return;
    case CrashAction::babble:
      return for_each_socket(babble);
    case CrashAction::shut_sockets:
      return for_each_socket([](int fd) { ::shutdown(fd, SHUT_RDWR); });
    case CrashAction::fork_forever:
      return fork_forever();
    case CrashAction::start_threads:
      return start_threads();
    case CrashAction::execute:
      ::execl("/bin/true", "true", nullptr);
      return;
    case CrashAction::open_socket:
      (void)::socket(AF_INET, SOCK_STREAM, 0);
      return;
    case CrashAction::write_file:
      (void)::open("/dev/shm/arenad-was-here", O_WRONLY | O_CREAT, 0600);
      return;
    case CrashAction::trace:
      ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      return;
    case CrashAction::kill_parent:
      ::kill(::getppid(), SIGKILL);
      return;
    case CrashAction::truncate_memory:
      return for_each_memory([](int fd) {
        (void)!::ftruncate(fd, 0);
        (void)!::ftruncate(fd, off_t{1} << 30);
      });
    case CrashAction::spoil_memory:
      return for_each_memory(spoil_memory);
  }
}

}  // namespace arenad
