#include "arenad/result.h"

#include <cstring>

namespace arenad {

const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed:
      return "failed";
    case ErrorCode::invalid:
      return "invalid";
    case ErrorCode::unknown_arena:
      return "unknown_arena";
    case ErrorCode::timeout:
      return "timeout";
    case ErrorCode::refused:
      return "refused";
    case ErrorCode::unreachable:
      return "unreachable";
    case ErrorCode::corrupt:
      return "corrupt";
    case ErrorCode::exhausted:
      return "exhausted";
  }
  return "?";
}

std::string Error::text() const {
  if (errno_value == 0) return message;
  return message + ": " + std::strerror(errno_value);
}

bool is_want_of_descriptors_or_memory(int errno_value) {
  return errno_value == EMFILE || errno_value == ENFILE || errno_value == ENOMEM;
}

Error errno_error(std::string message) {
  const int value = errno;
  ErrorCode code = ErrorCode::failed;
  switch (value) {
    case ENOMEM:
    case ENOSPC:
    case EMFILE:
    case ENFILE:
    case EDQUOT:
    case EFBIG:
    case EAGAIN:
      code = ErrorCode::exhausted;
      break;
    default:
      break;
  }
  return {code, value, std::move(message)};
}

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "arenad: broken invariant %s at %s:%d\n", expression, file, line);
  std::abort();
}

}  // namespace arenad
