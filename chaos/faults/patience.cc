#include "chaos/faults/patience.h"

#include <algorithm>

namespace arenad::chaos {

void let_say_more(Stage::Arena& arena) {
  arena.limit = arena.player->said() + 1;
  arena.entries = std::max(arena.entries, arena.limit);
}

Result<void> wait_until(Stage& stage, const std::string& what, const std::function<bool()>& is_there) {
  const uint64_t deadline_ns = monotonic_ns() + kFaultPatienceNs;
  while (!is_there()) {
    if (stage.is_called_off()) return make_error(ErrorCode::timeout, what + " was waited for when the run was called off");
    if (monotonic_ns() > deadline_ns)
      return make_error(ErrorCode::timeout, what + " did not come in " + std::to_string(kFaultPatienceNs / kSecond) + " s");
    stage.turn();
  }
  return {};
}

}  // namespace arenad::chaos
