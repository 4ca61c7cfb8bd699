#include "ipc/region.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

namespace arenad {
namespace {

constexpr int kSeals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

Result<Mapping> map_linear(const Fd& fd, uint64_t bytes, int protection) {
  void* data = ::mmap(nullptr, bytes, protection, MAP_SHARED, fd.get(), 0);
  if (data == MAP_FAILED) return errno_error("cannot map a shared memory region of " + std::to_string(bytes) + " bytes");
  return Mapping(static_cast<std::byte*>(data), bytes);
}

Result<Mapping> map_mirrored(const Fd& fd, uint64_t offset, uint64_t capacity, int protection) {
  void* reserved = ::mmap(nullptr, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return errno_error("cannot reserve addresses for a ring");
  Mapping mapping(static_cast<std::byte*>(reserved), 2 * capacity);
  for (int half = 0; half < 2; ++half) {
    void* at = mapping.data() + static_cast<uint64_t>(half) * capacity;
    if (::mmap(at, capacity, protection, MAP_SHARED | MAP_FIXED, fd.get(), static_cast<off_t>(offset)) == MAP_FAILED) {
      return errno_error("cannot map a ring");
    }
  }
  return mapping;
}

}  // namespace

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Mapping::~Mapping() {
  if (data_ != nullptr) ::munmap(data_, bytes_);
}

Result<Region> Region::create(const char* name, uint64_t bytes) {
  bytes = round_up(bytes, kPageBytes);
  Region region;
  region.fd_ = Fd(::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!region.fd_) return errno_error("cannot create a shared memory region");
  int error = 0;
  do {
    error = ::posix_fallocate(region.fd_.get(), 0, static_cast<off_t>(bytes));
  } while (error == EINTR);
  if (error != 0) {
    errno = error;
    return errno_error("no shared memory for a region of " + std::to_string(bytes / 1024) + " KiB");
  }
  auto base = map_linear(region.fd_, bytes, PROT_READ | PROT_WRITE);
  if (!base) return base.error();
  region.base_ = std::move(*base);
  return region;
}

Result<std::byte*> Region::map_ring(uint64_t offset, uint64_t capacity) {
  auto ring = map_mirrored(fd_, offset, capacity, PROT_READ | PROT_WRITE);
  if (!ring) return ring.error();
  rings_.push_back(std::move(*ring));
  return rings_.back().data();
}

Result<void> Region::seal() {
  if (::fcntl(fd_.get(), F_ADD_SEALS, kSeals) != 0) return errno_error("cannot seal a shared memory region");
  return {};
}

Result<uint64_t> check_sealed_region(const Fd& fd) {
  const int seals = ::fcntl(fd.get(), F_GET_SEALS);
  if (seals < 0) return errno_error("not a shared memory region");
  if ((seals & kSeals) != kSeals) return make_error(ErrorCode::invalid, "a shared memory region is not sealed by its writer");
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return errno_error("cannot look at a shared memory region");
  return static_cast<uint64_t>(status.st_size);
}

Result<RegionView> RegionView::map(Fd fd, uint64_t minimum_bytes) {
  auto bytes = check_sealed_region(fd);
  if (!bytes) return bytes.error();
  if (*bytes < minimum_bytes) {
    return make_error(ErrorCode::corrupt, "a shared memory region has " + std::to_string(*bytes) + " bytes, at least " +
                                              std::to_string(minimum_bytes) + " are needed");
  }
  RegionView view;
  view.fd_ = std::move(fd);
  auto base = map_linear(view.fd_, *bytes, PROT_READ);
  if (!base) return base.error();
  view.base_ = std::move(*base);
  return view;
}

Result<const std::byte*> RegionView::map_ring(uint64_t offset, uint64_t capacity) {
  const bool aligned = offset % kPageBytes == 0 && capacity % kPageBytes == 0 && capacity != 0;
  if (!aligned || offset > bytes() || capacity > bytes() - offset) {
    return make_error(ErrorCode::corrupt, "a ring lies outside of its region");
  }
  auto ring = map_mirrored(fd_, offset, capacity, PROT_READ);
  if (!ring) return ring.error();
  rings_.push_back(std::move(*ring));
  return static_cast<const std::byte*>(rings_.back().data());
}

}  // namespace arenad
