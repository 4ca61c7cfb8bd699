// Loaded into arenad with LD_PRELOAD: puts the FaultyVfs before SQLite, with orders that a test gives through the file that
// ARENAD_TEST_FAULTS names. arenad's children do not get it; a keeper passes it on to each arenad.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/faulty_vfs.h"

namespace {

__attribute__((constructor)) void stand_before_sqlite() {
  if (std::strcmp(::program_invocation_short_name, "arenad") != 0) return;
  const char* path = std::getenv("ARENAD_TEST_FAULTS");
  ::unsetenv("LD_PRELOAD");
  if (path == nullptr) return;
  const int fd = ::open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) std::abort();
  void* memory = ::mmap(nullptr, sizeof(arenad::test::FaultOrders), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) std::abort();
  ::close(fd);
  // Never unregistered: the process ends with it.
  new arenad::test::FaultyVfs(*static_cast<arenad::test::FaultOrders*>(memory));
}

}  // namespace
