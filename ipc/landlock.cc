#include "ipc/landlock.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace arenad {
namespace {

// From the kernel's include/uapi/linux/landlock.h: these never change.
constexpr long kCreateRuleset = 444;  // the same numbers on all machines
constexpr long kAddRule = 445;
constexpr long kRestrictSelf = 446;
constexpr uint32_t kVersionFlag = 1;
constexpr int kPathBeneath = 1;

struct RulesetAttributes {
  uint64_t handled_files;
  uint64_t handled_network;  // ABI 4
  uint64_t scoped;           // ABI 6
};

struct [[gnu::packed]] PathBeneathAttributes {
  uint64_t allowed;
  int32_t parent;
};

constexpr uint64_t kWriteFile = 1U << 1;
constexpr uint64_t kReadFile = 1U << 2;
constexpr uint64_t kReadFolder = 1U << 3;
constexpr uint64_t kTruncate = 1U << 14;
constexpr uint64_t kOfFiles = 1U | kWriteFile | kReadFile | kTruncate | (1U << 15);  // the others are of folders only
constexpr uint64_t kTcp = 3;                                                         // bind, connect
constexpr uint64_t kAbstractSockets = 1U << 0;
constexpr uint64_t kSignals = 1U << 1;

// All rights to files that a kernel of this ABI knows.
constexpr uint64_t file_rights(int abi) {
  if (abi >= 5) return (1U << 16) - 1;
  if (abi >= 3) return (1U << 15) - 1;
  if (abi >= 2) return (1U << 14) - 1;
  return (1U << 13) - 1;
}

size_t attributes_bytes(int abi) {
  if (abi >= 6) return 24;
  return abi >= 4 ? 16 : 8;
}

Result<Fd> make_ruleset(const RulesetAttributes& attributes, int abi) {
  const long fd = ::syscall(kCreateRuleset, &attributes, attributes_bytes(abi), 0);
  if (fd < 0) return errno_error("cannot make a Landlock domain");
  return Fd(static_cast<int>(fd));
}

Result<void> add_rule(const Fd& domain, const LandlockRule& rule, int abi) {
  const Fd place(::open(rule.path.c_str(), O_PATH | O_CLOEXEC));
  struct stat status {};
  if (!place || ::fstat(place.get(), &status) != 0) return {};
  // Never to execute: what a game loads is mapped, which is reading.
  uint64_t allowed = kReadFile | kReadFolder;
  if (rule.access == PathAccess::write) allowed = file_rights(abi) & ~uint64_t{1};
  if (!S_ISDIR(status.st_mode)) allowed &= kOfFiles;
  const PathBeneathAttributes attributes{allowed & file_rights(abi), place.get()};
  if (::syscall(kAddRule, domain.get(), kPathBeneath, &attributes, 0) != 0) return errno_error("cannot allow " + rule.path);
  return {};
}

}  // namespace

int landlock_abi() {
  const long abi = ::syscall(kCreateRuleset, nullptr, 0, kVersionFlag);
  return abi < 0 ? 0 : static_cast<int>(std::min<long>(abi, kLandlockNewestAbi));
}

Result<Fd> make_landlock_domain(std::span<const LandlockRule> rules, LandlockNetwork network) {
  const int abi = landlock_abi();
  if (abi == 0) return Fd();
  RulesetAttributes attributes{file_rights(abi), 0, 0};
  if (abi >= 4 && network == LandlockNetwork::denied) attributes.handled_network = kTcp;
  if (abi >= kLandlockSignalAbi) attributes.scoped = kSignals | kAbstractSockets;
  auto domain = make_ruleset(attributes, abi);
  if (!domain) return domain;
  for (const LandlockRule& rule : rules) {
    if (auto added = add_rule(*domain, rule, abi); !added) return added.error();
  }
  return domain;
}

Result<Fd> make_landlock_signal_domain() {
  const int abi = landlock_abi();
  if (abi < kLandlockSignalAbi) return Fd();
  return make_ruleset({0, 0, kSignals | kAbstractSockets}, abi);
}

Result<void> enter_landlock_domain(const Fd& domain) {
  if (!domain) return {};
  if (::syscall(kRestrictSelf, domain.get(), 0) != 0) return errno_error("cannot enter a Landlock domain");
  return {};
}

}  // namespace arenad
