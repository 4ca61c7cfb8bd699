#include "worker/cage.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "ipc/landlock.h"
#include "ipc/limits.h"
#include "ipc/process.h"

namespace arenad {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kSanitized = true;  // reads /proc, and takes address space without measure
#else
constexpr bool kSanitized = false;
#endif

constexpr uint64_t kMiB = uint64_t{1} << 20;
// A channel for each slot and what a message brings at once, four times over.
constexpr uint64_t kMaxOpenFiles = 1024;
static_assert(limits::kMaxSlots + 256 < kMaxOpenFiles / 2);
constexpr uint64_t kMaxStackBytes = 8 * kMiB;

// Only ever lower: an operator's own limits stay.
Result<void> lower_limit(__rlimit_resource resource, uint64_t value) {
  rlimit limit{};
  if (::getrlimit(resource, &limit) != 0) return errno_error("cannot read a limit of resources");
  limit.rlim_max = std::min<rlim_t>(limit.rlim_max, value);
  limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
  if (::setrlimit(resource, &limit) != 0) return errno_error("cannot lower a limit of resources");
  return {};
}

Result<void> lower_limits(const CageOptions& options) {
  struct Limit {
    __rlimit_resource resource;
    uint64_t value;
    bool applies;
  };
  for (const Limit& limit : {Limit{RLIMIT_CORE, 0, !options.core_dumps}, Limit{RLIMIT_NOFILE, kMaxOpenFiles, true},
                             // Not RLIMIT_FSIZE: what a game prints goes to an ever later place in its output.
                             Limit{RLIMIT_MEMLOCK, 0, true}, Limit{RLIMIT_STACK, kMaxStackBytes, true},
                             // Not RLIMIT_AS: regions and channels are mapped too, and are bounded where they are made.
                             Limit{RLIMIT_DATA, options.memory_bytes, options.memory_bytes != 0 && !kSanitized}}) {
    if (!limit.applies) continue;
    if (auto lowered = lower_limit(limit.resource, limit.value); !lowered) return lowered;
  }
  return {};
}

std::vector<LandlockRule> paths_of(const CageOptions& options, const std::string& module_path) {
  std::vector<LandlockRule> rules;
  const auto folder = std::filesystem::path(module_path).parent_path();
  rules.push_back({folder.empty() ? "." : folder.string(), PathAccess::read});
  for (const char* path : {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo",
                           "/usr/share/locale", "/etc/ld.so.cache", "/etc/localtime", "/dev/urandom", "/dev/random",
                           "/dev/zero", "/sys/devices/system/cpu", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"}) {
    rules.push_back({path, PathAccess::read});
  }
  if (options.network) {
    for (const char* path :
         {"/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/services", "/etc/ssl"}) {
      rules.push_back({path, PathAccess::read});
    }
  }
  rules.push_back({"/dev/null", PathAccess::write});
  for (const std::string& path : options.readable) rules.push_back({path, PathAccess::read});
  for (const std::string& path : options.writable) rules.push_back({path, PathAccess::write});
  return rules;
}

}  // namespace

Result<Cage> Cage::of_environment() {
  const char* text = ::getenv(kCageVariable);
  if (text == nullptr) return Cage({});
  auto options = CageOptions::parse(text);
  if (!options) return options.error();
  return Cage(std::move(*options));
}

Result<void> Cage::close_around_template(const std::string& module_path) {
  if (options_.mode == CageMode::off) return {};
  ::close_range(kLinkDescriptor + 1, ~0U, 0);
  if (auto lowered = lower_limits(options_); !lowered) return lowered;
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno_error("cannot give up new privileges");
  if (options_.mode == CageMode::kill) {
    if (!kSanitized) {
      const auto network = options_.network ? LandlockNetwork::allowed : LandlockNetwork::denied;
      auto domain = make_landlock_domain(paths_of(options_, module_path), network);
      if (!domain) return domain.error();
      if (auto entered = enter_landlock_domain(*domain); !entered) return entered;
    }
    auto signals = make_landlock_signal_domain();
    if (!signals) return signals.error();
    signal_domain_ = std::move(*signals);
    // Landlock keeps workers from each other's memory. Without it the kernel takes them for one user's own.
    if (landlock_abi() == 0 && !options_.core_dumps) ::prctl(PR_SET_DUMPABLE, 0);
  }
  auto around_workers = worker_filter(options_);
  if (!around_workers) return around_workers.error();
  worker_filter_ = std::move(*around_workers);
  auto around_this = template_filter(options_);
  if (!around_this) return around_this.error();
  if (auto entered = enter_filter(signals_but_to_filter(options_.mode, ::getppid())); !entered) return entered;
  return enter_filter(*around_this);
}

Result<void> Cage::close_around_worker() const {
  if (options_.mode == CageMode::off) return {};
  // Workers of one template are in one domain until now.
  if (auto entered = enter_landlock_domain(signal_domain_); !entered) return entered;
  if (!options_.threads && !kSanitized) {
    if (auto lowered = lower_limit(RLIMIT_NPROC, 0); !lowered) return lowered;
  }
  // The larger one last: it does not let through what the first one needs.
  if (auto entered = enter_filter(own_signals_filter(options_.mode, ::getpid())); !entered) return entered;
  return enter_filter(worker_filter_);
}

}  // namespace arenad
