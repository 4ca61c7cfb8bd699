// Result<T>: the one way in which an operating failure is returned. Broken invariants use ARENAD_ASSERT instead, and stay on
// in release: a worker aborts and is resumed, the supervisor asserts only about its own memory.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>
#include <variant>

namespace arenad {

// What kind of failure; arenactl's exit codes follow from it (cli/exit_code.h).
enum class ErrorCode {
  failed,         // the operation was tried and did not work
  invalid,        // the caller's input is wrong
  unknown_arena,  // no arena of this id or name
  timeout,        // not finished within the given time
  refused,        // the state does not allow it: draining, full, already running
  unreachable,    // the daemon does not answer
  corrupt,        // bytes that do not pass their checks
  exhausted,      // no memory, no disk space, no file descriptors
};

const char* to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::failed;
  int errno_value = 0;  // 0 if no system call is behind it
  std::string message;  // what happened, to what, and what to do

  // message, followed by the system's text for errno_value if there is one.
  [[nodiscard]] std::string text() const;
};

inline Error make_error(ErrorCode code, std::string message) {
  return {code, 0, std::move(message)};
}
// Not a full disk, which it is for the next one too.
bool is_want_of_descriptors_or_memory(int errno_value);
// Takes errno as it is now. ENOMEM, ENOSPC, EMFILE and their like become ErrorCode::exhausted.
Error errno_error(std::string message);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : value_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return value_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return *checked(); }
  const T& value() const& { return *std::get_if<0>(&value_); }
  T&& value() && { return std::move(*checked()); }
  T* operator->() { return checked(); }
  T& operator*() & { return *checked(); }
  T&& operator*() && { return std::move(*checked()); }
  [[nodiscard]] const Error& error() const { return *std::get_if<1>(&value_); }

 private:
  T* checked() {
    T* value = std::get_if<0>(&value_);
    if (value == nullptr) {
      std::fprintf(stderr, "arenad: unchecked failure used as a value: %s\n", error().text().c_str());
      std::abort();
    }
    return value;
  }
  std::variant<T, Error> value_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : failed_(true), error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)
  [[nodiscard]] bool ok() const { return !failed_; }
  explicit operator bool() const { return ok(); }
  [[nodiscard]] const Error& error() const { return error_; }

 private:
  bool failed_ = false;
  Error error_;
};

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
#define ARENAD_ASSERT(expression) ((expression) ? (void)0 : ::arenad::assertion_failed(#expression, __FILE__, __LINE__))

}  // namespace arenad
