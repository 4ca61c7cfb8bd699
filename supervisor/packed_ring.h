// The newest of many small records (packed.h), in memory of a fixed size that is taken, and touched, when the ring is made: so what a process
// keeps does not make it grow afterwards, and growth means something. Pure.
//
// A record is contiguous: one that does not fit before the end of the memory begins at its beginning. The oldest go when there is no room for
// one more, or when there would be too many.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

#include "arenad/result.h"

namespace arenad {

class PackedRing {
 public:
  PackedRing(size_t bytes, size_t most_records) : memory_(bytes, '\0'), places_(most_records) {
    ARENAD_ASSERT(bytes > 0 && most_records > 0);
  }

  // Not empty, and not longer than the ring.
  void push_back(std::string_view record) {
    ARENAD_ASSERT(!record.empty() && record.size() <= memory_.size());
    if (count_ == places_.size()) pop_front();
    size_t at = end_;
    if (at + record.size() > memory_.size()) {
      // What lies between here and the end is older than what lies at the beginning.
      while (count_ > 0 && places_[first_].at >= at) pop_front();
      at = 0;
    }
    while (count_ > 0 && overlaps(places_[first_], at, record.size())) pop_front();
    std::memcpy(memory_.data() + at, record.data(), record.size());
    places_[(first_ + count_) % places_.size()] = {at, record.size()};
    ++count_;
    end_ = at + record.size();
  }
  void pop_front() {
    first_ = (first_ + 1) % places_.size();
    --count_;
  }

  void clear() { count_ = 0; }

  [[nodiscard]] size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  // By age, the oldest first; until the next push_back().
  [[nodiscard]] std::string_view operator[](size_t index) const {
    const Place& place = places_[(first_ + index) % places_.size()];
    return {memory_.data() + place.at, place.bytes};
  }
  [[nodiscard]] std::string_view front() const { return (*this)[0]; }
  [[nodiscard]] std::string_view back() const { return (*this)[count_ - 1]; }

 private:
  struct Place {
    size_t at = 0;
    size_t bytes = 0;
  };
  static bool overlaps(const Place& place, size_t at, size_t bytes) {
    return place.at < at + bytes && at < place.at + place.bytes;
  }

  std::vector<char> memory_;
  std::vector<Place> places_;  // a ring of its own
  size_t first_ = 0;           // index of the oldest in places_
  size_t count_ = 0;
  size_t end_ = 0;  // of the newest in memory_
};

}  // namespace arenad
