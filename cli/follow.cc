#include "cli/follow.h"

#include <algorithm>

#include "cli/interrupt.h"
#include "ipc/clock.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

constexpr uint64_t kPollIntervalMs = 200;
constexpr uint64_t kPollTimeoutMs = 5000;
constexpr uint64_t kFirstAnswerMs = 30'000;  // one that has never answered may not be there at all

bool may_come_back(const Error& error) {
  return error.code == ErrorCode::unreachable || error.code == ErrorCode::timeout;
}

}  // namespace

ExitCode follow(const Session& session, const std::function<Result<bool>(const Session&)>& next) {
  const Interrupt interrupt;
  const Session asking{session.console, session.socket_path, session.format, kPollTimeoutMs};
  const uint64_t began_ns = monotonic_ns();
  bool has_answered = false;
  bool is_lost = false;
  for (;;) {
    const auto more = next(asking);
    if (!more && !may_come_back(more.error())) return session.fail(more.error());
    if (!more && !has_answered && monotonic_ns() - began_ns >= kFirstAnswerMs * kMillisecond) return session.fail(more.error());
    if (!more && !is_lost) session.console.note(printable(more.error().text()) + "; asking again");
    is_lost = !more;
    has_answered |= more.ok();
    session.console.flush();
    uint64_t pause_ms = more && more.value() ? 0 : kPollIntervalMs;
    if (session.timeout_ms && *session.timeout_ms != 0) {
      const uint64_t passed_ms = (monotonic_ns() - began_ns) / kMillisecond;
      if (passed_ms >= *session.timeout_ms) return ExitCode::ok;
      pause_ms = std::min(pause_ms, *session.timeout_ms - passed_ms);
    }
    if (interrupt.wait_or_unread(pause_ms)) return ExitCode::ok;
  }
}

}  // namespace arenad::cli
