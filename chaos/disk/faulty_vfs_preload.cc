// Loaded into arenad with LD_PRELOAD: puts the FaultyVfs before SQLite, with orders that a test gives through the file that
// ARENAD_TEST_FAULTS names. arenad's children do not get it, but what ARENAD_TEST_PRELOAD_OF_CHILDREN names; a keeper passes it on to each arenad, and an arenad that is upgraded to the next one.
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

#include "chaos/disk/faulty_vfs.h"

namespace {

std::string& preloaded() {
  static std::string variable;
  return variable;
}

__attribute__((constructor)) void stand_before_sqlite() {
  if (std::strcmp(::program_invocation_short_name, "arenad") != 0) return;
  const char* path = std::getenv("ARENAD_TEST_FAULTS");
  if (const char* libraries = std::getenv("LD_PRELOAD")) preloaded() = std::string("LD_PRELOAD=") + libraries;
  ::unsetenv("LD_PRELOAD");
  if (const char* theirs = std::getenv("ARENAD_TEST_PRELOAD_OF_CHILDREN")) ::setenv("LD_PRELOAD", theirs, 1);
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

// arenad calls it for its upgrade, and for nothing else.
extern "C" int fexecve(int fd, char* const* arguments, char* const* environment) {
  std::vector<char*> variables;
  for (; *environment != nullptr; ++environment) {
    if (std::strncmp(*environment, "LD_PRELOAD=", std::strlen("LD_PRELOAD=")) != 0) variables.push_back(*environment);
  }
  if (!preloaded().empty()) variables.push_back(preloaded().data());
  variables.push_back(nullptr);
  const auto next = reinterpret_cast<decltype(&::fexecve)>(::dlsym(RTLD_NEXT, "fexecve"));
  return next(fd, arguments, variables.data());
}
