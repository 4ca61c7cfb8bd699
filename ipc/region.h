// Shared memory with one writer for ever.
//
// A region is a memfd. Its writer allocates it in full (lack of memory is an error here and never a SIGBUS later), maps it
// writable and then seals it: it can neither shrink nor grow, and nobody, its writer included, can ever map it writable
// again. Everyone else maps it read-only. So whatever a process does, it can spoil only the regions that it created itself.
//
// Rings inside a region are mapped twice in a row, so that a record is always contiguous, wherever it begins: no padding, and a
// record's place in its stream does not depend on the capacity of the ring.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad {

constexpr size_t kPageBytes = 4096;
constexpr uint64_t round_up(uint64_t value, uint64_t to) {
  return (value + to - 1) / to * to;
}

// One stretch of mapped memory; unmaps on destruction.
class Mapping {
 public:
  Mapping() = default;
  Mapping(std::byte* data, size_t bytes) : data_(data), bytes_(bytes) {}
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();
  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] size_t bytes() const { return bytes_; }

 private:
  std::byte* data_ = nullptr;
  size_t bytes_ = 0;
};

// The writer's side.
class Region {
 public:
  // bytes is rounded up to pages. The memory is zero.
  static Result<Region> create(const char* name, uint64_t bytes);

  // A second, mirrored mapping of [offset, offset + capacity), 2 * capacity bytes long. Offset and capacity are multiples of
  // kPageBytes. Only before seal().
  Result<std::byte*> map_ring(uint64_t offset, uint64_t capacity);
  Result<void> seal();

  [[nodiscard]] std::byte* data() const { return base_.data(); }
  [[nodiscard]] uint64_t bytes() const { return base_.bytes(); }
  [[nodiscard]] const Fd& fd() const { return fd_; }

 private:
  Fd fd_;
  Mapping base_;
  std::vector<Mapping> rings_;
};

// Everyone else's side.
class RegionView {
 public:
  // Takes a region from another process: it must be sealed by its writer and at least minimum_bytes long.
  static Result<RegionView> map(Fd fd, uint64_t minimum_bytes);
  Result<const std::byte*> map_ring(uint64_t offset, uint64_t capacity);

  [[nodiscard]] const std::byte* data() const { return base_.data(); }
  [[nodiscard]] uint64_t bytes() const { return base_.bytes(); }
  [[nodiscard]] const Fd& fd() const { return fd_; }

 private:
  Fd fd_;
  Mapping base_;
  std::vector<Mapping> rings_;
};

// Checks the seals without mapping anything; gives the region's size.
Result<uint64_t> check_sealed_region(const Fd& fd);

}  // namespace arenad
