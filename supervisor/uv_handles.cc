#include "supervisor/uv_handles.h"

#include <utility>

namespace arenad {
namespace {

// Stops the callbacks at once and frees the handle when libuv has let go of it.
template <class Handle>
void close_handle(Handle*& handle) {
  if (handle == nullptr) return;
  Handle* closing = std::exchange(handle, nullptr);
  closing->callback = nullptr;
  uv_close(reinterpret_cast<uv_handle_t*>(&closing->uv), [](uv_handle_t* uv) { delete static_cast<Handle*>(uv->data); });
}

// The callback may close its own handle, and with it the function that runs.
template <class Handle, class... Arguments>
void call(Handle* handle, Arguments... arguments) {
  auto callback = handle->callback;
  if (callback) callback(arguments...);
}

}  // namespace

struct UvPoll::Handle {
  uv_poll_t uv{};
  Callback callback;
};

UvPoll::UvPoll(uv_loop_t* loop, int fd, Callback callback) : handle_(new Handle) {
  handle_->callback = std::move(callback);
  ARENAD_ASSERT(uv_poll_init(loop, &handle_->uv, fd) == 0);
  handle_->uv.data = handle_;
}

UvPoll& UvPoll::operator=(UvPoll&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

void UvPoll::watch(int events) {
  if (handle_ == nullptr) return;
  if (events == 0) {
    uv_poll_stop(&handle_->uv);
    return;
  }
  uv_poll_start(&handle_->uv, events, [](uv_poll_t* uv, int status, int ready) {
    // An error is for whoever reads the descriptor to find.
    call(static_cast<Handle*>(uv->data), status < 0 ? UV_READABLE : ready);
  });
}

void UvPoll::close() {
  close_handle(handle_);
}

struct UvTimer::Handle {
  uv_timer_t uv{};
  Callback callback;
};

UvTimer::UvTimer(uv_loop_t* loop, Callback callback) : handle_(new Handle) {
  handle_->callback = std::move(callback);
  uv_timer_init(loop, &handle_->uv);
  handle_->uv.data = handle_;
}

UvTimer& UvTimer::operator=(UvTimer&& other) noexcept {
  std::swap(handle_, other.handle_);
  return *this;
}

void UvTimer::start(uint64_t delay_ms, uint64_t repeat_ms) {
  if (handle_ == nullptr) return;
  uv_update_time(handle_->uv.loop);
  uv_timer_start(
      &handle_->uv, [](uv_timer_t* uv) { call(static_cast<Handle*>(uv->data)); }, delay_ms, repeat_ms);
}

void UvTimer::stop() {
  if (handle_ != nullptr) uv_timer_stop(&handle_->uv);
}

void UvTimer::close() {
  close_handle(handle_);
}

UvDeadline::UvDeadline(uv_loop_t* loop, UvTimer::Callback over)
    : over_(std::move(over)), timer_(loop, [this] {
        if (!patience_.look()) return;
        timer_.stop();
        over_();
      }) {}

void UvDeadline::start(uint64_t limit_ms) {
  patience_.begin();
  timer_.start(Patience::interval(limit_ms), Patience::interval(limit_ms));
}

struct UvAsync::Handle {
  uv_async_t uv{};
  Callback callback;
};

UvAsync::UvAsync(uv_loop_t* loop, Callback callback) : handle_(new Handle) {
  handle_->callback = std::move(callback);
  ARENAD_ASSERT(uv_async_init(loop, &handle_->uv, [](uv_async_t* uv) { call(static_cast<Handle*>(uv->data)); }) == 0);
  handle_->uv.data = handle_;
}

void UvAsync::send() {
  uv_async_send(&handle_->uv);
}
void UvAsync::close() {
  close_handle(handle_);
}

struct UvSignal::Handle {
  uv_signal_t uv{};
  Callback callback;
};

UvSignal::UvSignal(uv_loop_t* loop, int signal, Callback callback) : handle_(new Handle) {
  handle_->callback = std::move(callback);
  uv_signal_init(loop, &handle_->uv);
  handle_->uv.data = handle_;
  uv_signal_start(
      &handle_->uv, [](uv_signal_t* uv, int) { call(static_cast<Handle*>(uv->data)); }, signal);
}

void UvSignal::close() {
  close_handle(handle_);
}

struct UvTurn::Before {
  uv_prepare_t uv{};
  Callback callback;
};

struct UvTurn::After {
  uv_check_t uv{};
  Callback callback;
};

UvTurn::UvTurn(uv_loop_t* loop, Callback callback) : before_(new Before), after_(new After) {
  before_->callback = callback;
  uv_prepare_init(loop, &before_->uv);
  before_->uv.data = before_;
  uv_prepare_start(&before_->uv, [](uv_prepare_t* uv) { call(static_cast<Before*>(uv->data)); });
  after_->callback = std::move(callback);
  uv_check_init(loop, &after_->uv);
  after_->uv.data = after_;
  uv_check_start(&after_->uv, [](uv_check_t* uv) { call(static_cast<After*>(uv->data)); });
}

void UvTurn::close() {
  close_handle(before_);
  close_handle(after_);
}

}  // namespace arenad
