// Shared memory for harnesses: made once, written anew for each input.
#pragma once

#include <string_view>

#include "fuzz/harness.h"
#include "ipc/region.h"

namespace arenad::fuzz {

// A region that is sealed as its writer seals it, with whatever an input says in it.
class WrittenRegion {
 public:
  explicit WrittenRegion(uint64_t bytes) {
    auto region = Region::create("arenad-fuzz", bytes);
    ARENAD_ASSERT(region && region.value().seal());
    region_ = std::move(region.value());
  }
  [[nodiscard]] std::byte* data() { return region_.data(); }
  [[nodiscard]] uint64_t bytes() const { return region_.bytes(); }
  // From this offset on; what was there before is gone.
  void put(uint64_t offset, std::string_view bytes) {
    const uint64_t count = std::min<uint64_t>(bytes.size(), region_.bytes() - offset);
    if (count != 0) std::memcpy(region_.data() + offset, bytes.data(), count);
    if (written_ > offset + count) std::memset(region_.data() + offset + count, 0, written_ - offset - count);
    written_ = offset + count;
  }
  [[nodiscard]] Fd fd() const {
    auto copy = region_.fd().duplicate();
    ARENAD_ASSERT(copy);
    return std::move(copy.value());
  }

 private:
  Region region_;
  uint64_t written_ = 0;  // up to here it is not zero
};

// A ring as it is mapped, twice in a row, with `bytes` in it from stream position `begin` on, as often as they fit.
class WrittenRing {
 public:
  explicit WrittenRing(uint64_t capacity) : capacity_(capacity), words_(2 * capacity / sizeof(uint64_t)) {}
  void put(uint64_t begin, std::string_view bytes) {
    std::fill(words_.begin(), words_.end(), 0);
    const uint64_t at = begin & (capacity_ - 1);
    const uint64_t count = std::min<uint64_t>(bytes.size(), capacity_);
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t place = (at + i) & (capacity_ - 1);
      data()[place] = data()[place + capacity_] = static_cast<std::byte>(bytes[i]);
    }
  }
  [[nodiscard]] std::byte* data() { return reinterpret_cast<std::byte*>(words_.data()); }
  [[nodiscard]] uint64_t capacity() const { return capacity_; }

 private:
  uint64_t capacity_;
  std::vector<uint64_t> words_;
};

}  // namespace arenad::fuzz
