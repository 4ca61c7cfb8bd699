// One object that this process and the peers that it forks later see alike. T is made of lock-free atomics and plain words.
#pragma once

#include <new>
#include <sys/mman.h>
#include <utility>

#include "arenad/result.h"

namespace arenad::bench {

template <class T>
class Shared {
 public:
  static Result<Shared> make() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return errno_error("cannot map shared memory");
    return Shared(new (memory) T{});
  }
  Shared(Shared&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  Shared& operator=(Shared&&) = delete;
  ~Shared() {
    if (object_ != nullptr) ::munmap(object_, sizeof(T));
  }
  T* operator->() const { return object_; }
  T& operator*() const { return *object_; }

 private:
  explicit Shared(T* object) : object_(object) {}
  T* object_;
};

}  // namespace arenad::bench
