// Owners of libuv handles. libuv may touch a handle until its close callback has run, so the handle lives on the heap and is
// freed there; the owner may be destroyed at any time, also within its own callback.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include <uv.h>

#include "arenad/result.h"
#include "supervisor/patience.h"

namespace arenad {

class UvPoll {
 public:
  using Callback = std::function<void(int events)>;
  UvPoll() = default;
  // Watches a descriptor, which must stay open as long as this object lives, for UV_READABLE | UV_WRITABLE.
  UvPoll(uv_loop_t* loop, int fd, Callback callback);
  UvPoll(UvPoll&& other) noexcept { *this = std::move(other); }
  UvPoll& operator=(UvPoll&& other) noexcept;
  ~UvPoll() { close(); }
  void watch(int events);
  void close();

 private:
  struct Handle;
  Handle* handle_ = nullptr;
};

class UvTimer {
 public:
  using Callback = std::function<void()>;
  UvTimer() = default;
  UvTimer(uv_loop_t* loop, Callback callback);
  UvTimer(UvTimer&& other) noexcept { *this = std::move(other); }
  UvTimer& operator=(UvTimer&& other) noexcept;
  ~UvTimer() { close(); }
  void start(uint64_t delay_ms, uint64_t repeat_ms = 0);
  void stop();
  void close();

 private:
  struct Handle;
  Handle* handle_ = nullptr;
};

// A limit for what others do: libuv runs timers before it reads what has arrived, so after arenad was stopped a plain timer would
// find everybody late (patience.h). Stays where it is: its timer knows its address.
class UvDeadline {
 public:
  UvDeadline(uv_loop_t* loop, UvTimer::Callback over);
  UvDeadline(const UvDeadline&) = delete;
  UvDeadline& operator=(const UvDeadline&) = delete;
  void start(uint64_t limit_ms);
  void stop() { timer_.stop(); }
  void close() { timer_.close(); }

 private:
  Patience patience_;
  UvTimer::Callback over_;
  UvTimer timer_;
};

// Wakes the loop from another thread.
class UvAsync {
 public:
  using Callback = std::function<void()>;
  UvAsync(uv_loop_t* loop, Callback callback);
  UvAsync(const UvAsync&) = delete;
  UvAsync& operator=(const UvAsync&) = delete;
  ~UvAsync() { close(); }
  void send();
  void close();

 private:
  struct Handle;
  Handle* handle_ = nullptr;
};

class UvSignal {
 public:
  using Callback = std::function<void()>;
  UvSignal(uv_loop_t* loop, int signal, Callback callback);
  UvSignal(const UvSignal&) = delete;
  UvSignal& operator=(const UvSignal&) = delete;
  ~UvSignal() { close(); }
  void close();

 private:
  struct Handle;
  Handle* handle_ = nullptr;
};

// Runs before and after each time that the loop looks for events: after its timers, which run before, and after its polls.
class UvTurn {
 public:
  using Callback = std::function<void()>;
  UvTurn(uv_loop_t* loop, Callback callback);
  UvTurn(const UvTurn&) = delete;
  UvTurn& operator=(const UvTurn&) = delete;
  ~UvTurn() { close(); }
  void close();

 private:
  struct Before;
  struct After;
  Before* before_ = nullptr;
  After* after_ = nullptr;
};

}  // namespace arenad
