#include "keeper/fd_store.h"

#include <algorithm>
#include <linux/kcmp.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace arenad {
namespace {

// Whether two descriptors mean the same open file. Inodes would not do: pidfds share one.
bool same_file(const Fd& a, const Fd& b) {
  const pid_t self = ::getpid();
  return ::syscall(SYS_kcmp, self, self, KCMP_FILE, a.get(), b.get()) == 0;
}

}  // namespace

FdStore::Stored FdStore::store(const std::string& name, Fd fd) {
  const auto [begin, end] = entries_.equal_range(name);
  if (std::any_of(begin, end, [&](const auto& entry) { return same_file(entry.second, fd); })) return Stored::already_there;
  if (entries_.size() >= maximum_) return Stored::full;
  entries_.emplace(name, std::move(fd));
  return Stored::stored;
}

void FdStore::remove(const std::string& name) {
  entries_.erase(name);
}

void FdStore::remove(int fd) {
  std::erase_if(entries_, [&](const auto& entry) { return entry.second.get() == fd; });
}

FdStore::Listing FdStore::list() const {
  Listing listing;
  for (const auto& [name, fd] : entries_) {
    if (!listing.names.empty()) listing.names += ':';
    listing.names += name;
    listing.fds.push_back(fd.get());
  }
  return listing;
}

}  // namespace arenad
