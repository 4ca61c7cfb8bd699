// Loaded into arenad with LD_PRELOAD: what it writes to its standard error does not return while the orders in the file that ARENAD_TEST_LOG_ORDERS names
// say so.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "chaos/preload/faulty_log.h"

namespace {

using arenad::test::LogOrders;

LogOrders* log_orders = nullptr;
decltype(&::write) system_write = nullptr;

__attribute__((constructor)) void stand_before_standard_error() {
  system_write = reinterpret_cast<decltype(&::write)>(::dlsym(RTLD_NEXT, "write"));
  const char* path = std::getenv(arenad::test::kLogVariable);
  if (path == nullptr || std::strcmp(::program_invocation_short_name, "arenad") != 0) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void* memory = ::mmap(nullptr, sizeof(LogOrders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  ::close(fd);
  if (memory != MAP_FAILED) log_orders = static_cast<LogOrders*>(memory);
}

}  // namespace

extern "C" ssize_t write(int fd, const void* bytes, size_t count) {
  if (fd == STDERR_FILENO && log_orders != nullptr) {
    constexpr timespec kMoment{0, 1'000'000};
    for (uint32_t order = 0; (order = log_orders->blocked_by) != 0; ::nanosleep(&kMoment, nullptr)) log_orders->met = order;
  }
  if (system_write != nullptr) return system_write(fd, bytes, count);
  return ::syscall(SYS_write, fd, bytes, count);
}
