// Runs a function in the very moment in which a page is first read: so a test puts a writer's step
// into the middle of a reader's copy, each time at the same place.
//
// One at a time, for the thread that reads; the page must be mapped for reading and for nothing else.
#pragma once

#include <csignal>
#include <cstddef>
#include <functional>
#include <sys/mman.h>
#include <utility>

#include <doctest/doctest.h>

#include "ipc/region.h"

namespace arenad::test {

class FirstTouch {
 public:
  FirstTouch(const std::byte* page, std::function<void()> run) : page_(const_cast<std::byte*>(page)), run_(std::move(run)) {
    REQUIRE(reinterpret_cast<uintptr_t>(page) % kPageBytes == 0);
    REQUIRE(current_ == nullptr);
    current_ = this;
    struct sigaction action {};
    action.sa_sigaction = &FirstTouch::touched;
    action.sa_flags = SA_SIGINFO | SA_NODEFER;
    REQUIRE(::sigaction(SIGSEGV, &action, &before_) == 0);
    REQUIRE(::mprotect(page_, kPageBytes, PROT_NONE) == 0);
  }
  FirstTouch(const FirstTouch&) = delete;
  FirstTouch& operator=(const FirstTouch&) = delete;
  ~FirstTouch() {
    ::mprotect(page_, kPageBytes, PROT_READ);
    ::sigaction(SIGSEGV, &before_, nullptr);
    current_ = nullptr;
  }
  [[nodiscard]] bool happened() const { return happened_; }

 private:
  static void touched(int, siginfo_t* info, void*) {
    FirstTouch* self = current_;
    const auto* at = static_cast<const std::byte*>(info->si_addr);
    if (self == nullptr || self->happened_ || at < self->page_ || at >= self->page_ + kPageBytes) {
      std::signal(SIGSEGV, SIG_DFL);  // a real one: it happens again at once
      return;
    }
    self->happened_ = true;
    self->run_();
    ::mprotect(self->page_, kPageBytes, PROT_READ);
  }
  static inline FirstTouch* current_ = nullptr;
  std::byte* page_;
  std::function<void()> run_;
  struct sigaction before_ {};
  bool happened_ = false;
};

}  // namespace arenad::test
