// Loaded with LD_PRELOAD into arenad, its keeper and its workers: puts a clock before the system's that goes by the orders in the file that
// ARENAD_TEST_CLOCK names.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "chaos/preload/faulty_clock.h"

namespace {

using arenad::test::ClockOrders;

constexpr int64_t kNsOfASecond = 1'000'000'000;

ClockOrders* orders = nullptr;
std::atomic<uint64_t> nobody_counts{0};
std::atomic<uint64_t>* asked = &nobody_counts;
decltype(&::clock_gettime) system_clock_gettime = nullptr;

__attribute__((constructor)) void stand_before_the_clock() {
  system_clock_gettime = reinterpret_cast<decltype(&::clock_gettime)>(::dlsym(RTLD_NEXT, "clock_gettime"));
  const char* path = std::getenv(arenad::test::kClockVariable);
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* memory = ::mmap(nullptr, sizeof(ClockOrders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (memory == MAP_FAILED) return;
  orders = static_cast<ClockOrders*>(memory);
  const char* name = ::program_invocation_short_name;
  if (std::strcmp(name, "arenad") == 0) asked = &orders->asked_by_arenad;
  if (std::strcmp(name, "arena-worker") == 0) asked = &orders->asked_by_workers;
}

int right_time(clockid_t clock, timespec* time) {
  if (system_clock_gettime != nullptr) return system_clock_gettime(clock, time);
  return static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
}

void move(timespec& time) {
  const int64_t ahead_ns = orders == nullptr ? 0 : orders->ahead_ns.load(std::memory_order_relaxed);
  if (ahead_ns == 0) return;
  asked->fetch_add(1, std::memory_order_relaxed);
  const int64_t ns = time.tv_sec * kNsOfASecond + time.tv_nsec + ahead_ns;
  time.tv_sec = ns / kNsOfASecond;
  time.tv_nsec = ns % kNsOfASecond;
}

}  // namespace

extern "C" int clock_gettime(clockid_t clock, timespec* time) noexcept {
  const int done = right_time(clock, time);
  if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) move(*time);
  return done;
}

extern "C" int gettimeofday(timeval* time, void* /*zone*/) noexcept {
  timespec exact{};
  const int done = ::clock_gettime(CLOCK_REALTIME, &exact);
  if (done == 0) *time = {exact.tv_sec, exact.tv_nsec / 1000};
  return done;
}

extern "C" time_t time(time_t* where) noexcept {
  timespec exact{};
  if (::clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  if (where != nullptr) *where = exact.tv_sec;
  return exact.tv_sec;
}
