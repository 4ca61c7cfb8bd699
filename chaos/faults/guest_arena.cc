#include "chaos/faults/guest_arena.h"

#include <optional>
#include <utility>

#include "chaos/faults/patience.h"
#include "ipc/clock.h"

namespace arenad::chaos {

std::string without_ledger(const Stage& stage) {
  return stage.arenas().front().player->ledger() != nullptr ? "" : "it is for the ledger, and this is another game";
}

Result<std::unique_ptr<GuestArena>> GuestArena::start(Stage& stage, const sweep::Rig::Params& params) {
  const uint64_t draw = random_u64();
  const ArenaId id = ArenaId::make(unix_ms(), stage.arenas().size(), draw);
  std::unique_ptr<GuestArena> guest(new GuestArena(stage, id, "guest-" + std::to_string(draw % 1'000'000'000)));
  stage.note_guest_arena();
  // After a fault of the disk arenad may not know yet that the database takes something again.
  std::string refused;
  const auto starts = [&] {
    auto started = stage.rig().start_arena(id, guest->name_, "ledger", params);
    if (!started) refused = started.error().text();
    return started.ok();
  };
  if (auto begun = wait_until(stage, "an arena of the fault's own", starts); !begun)
    return make_error(begun.error().code, begun.error().message + ": " + refused);
  auto running = guest->wait_for("an arena of the fault's own", [](const sweep::ArenaStatus& status) {
    return status.state == "running" && status.durable_frame != 0;
  });
  if (!running) return running.error();
  return guest;
}

Result<sweep::ArenaStatus> GuestArena::wait_for(const std::string& what,
                                                const std::function<bool(const sweep::ArenaStatus&)>& is_so) {
  std::optional<sweep::ArenaStatus> last;
  auto waited = wait_until(stage_, what, [&] {
    last = stage_.rig().status(id_);
    return last && is_so(*last);
  });
  if (waited) return *last;
  if (!last) return waited.error();
  return make_error(ErrorCode::timeout, waited.error().message + ": it is " + last->state + " at epoch " +
                                            std::to_string(last->epoch) + ", frame " + std::to_string(last->frame) + " " +
                                            last->reason);
}

Result<void> GuestArena::stop() {
  if (std::exchange(is_over_, true)) return {};
  // arenad may be on its way; an arena that is not there any more has ended too.
  return wait_until(stage_, "the end of the fault's own arena", [&] {
    const auto status = stage_.rig().status(id_);
    if (!status || status->state == "stopped") return true;
    (void)stage_.rig().stop_arena(id_);
    return false;
  });
}

}  // namespace arenad::chaos
