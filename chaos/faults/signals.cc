#include "chaos/faults/signals.h"

#include <csignal>

#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

Result<void> send(pid_t pid, int number, const char* whom) {
  if (pid <= 0) return make_error(ErrorCode::refused, std::string("there is no ") + whom + " at the moment");
  if (::kill(pid, number) != 0) return errno_error(std::string("cannot send a signal to ") + whom);
  return {};
}

}  // namespace

Result<void> signal_worker(const Stage& stage, size_t arena, int number) {
  return send(stage.arenas()[arena].worker, number, "worker");
}

Result<void> signal_arenad(const Stage& stage, int number) {
  return send(stage.rig().arenad(), number, "arenad");
}

}  // namespace arenad::chaos
