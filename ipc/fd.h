// Owner of one file descriptor.
#pragma once

#include <utility>

#include "arenad/result.h"

namespace arenad {

class Fd {
 public:
  Fd() = default;
  explicit Fd(int value) : value_(value) {}
  Fd(Fd&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      value_ = std::exchange(other.value_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return value_; }
  explicit operator bool() const { return value_ >= 0; }
  int release() { return std::exchange(value_, -1); }
  void reset();
  // A second descriptor for the same open file, close-on-exec.
  [[nodiscard]] Result<Fd> duplicate() const;

 private:
  int value_ = -1;
};

// Whether both mean the same file: for memfds, the same memory.
bool is_same_file(const Fd& a, const Fd& b);

}  // namespace arenad
