#include "chaos/environment.h"

#include <filesystem>
#include <sched.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace arenad::chaos {
namespace {

// Files that container engines put there.
constexpr const char* kSignsOfContainers[] = {"/.dockerenv", "/run/.containerenv", "/run/systemd/container"};

std::string container() {
  std::error_code error;
  for (const char* sign : kSignsOfContainers) {
    if (std::filesystem::exists(sign, error)) return std::string("there is ") + sign;
  }
  return "";
}

}  // namespace

Environment look_around() {
  Environment found;
  utsname name{};
  if (::uname(&name) == 0) {
    found.kernel = std::string(name.sysname) + " " + name.release;
    found.architecture = name.machine;
  }
  cpu_set_t processors;
  if (::sched_getaffinity(0, sizeof processors, &processors) == 0)
    found.processors = static_cast<uint64_t>(CPU_COUNT(&processors));
  const long pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  if (pages > 0 && page_bytes > 0) found.memory_bytes = static_cast<uint64_t>(pages) * static_cast<uint64_t>(page_bytes);
  found.container = container();
  found.user = ::geteuid() == 0 ? "root" : "user " + std::to_string(::geteuid());
  return found;
}

}  // namespace arenad::chaos
