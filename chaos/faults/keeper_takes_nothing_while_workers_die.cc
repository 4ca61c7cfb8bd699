#include <csignal>
#include <memory>
#include <vector>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/keeper_socket.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kTakesNothing = "keeper.takes_nothing_while_workers_die";
// Far more than the system lets wait (net.unix.max_dgram_qlen).
constexpr int kMostWaiting = 100'000;

using Epochs = std::vector<uint64_t>;

Epochs epochs_of(const Stage& stage) {
  Epochs epochs;
  for (size_t arena = 0; arena < stage.arenas().size(); ++arena) epochs.push_back(stage.epoch(arena));
  return epochs;
}

}  // namespace

Fault keeper_takes_nothing_while_workers_die() {
  return {
      .name = kTakesNothing,
      .does =
          "SIGSTOP to the keeper, whose socket is then filled, and SIGKILL to all workers; SIGCONT when all arenas are back",
      .holds =
          "arenad waits for the keeper no longer than a moment, all arenas come back without it, and it is told everything "
          "later",
      .worker = Ends::must,
      .other_workers = Ends::must,
      .told = "KILL",
      .alone = true,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        auto socket = KeeperSocket::connect(stage.rig().keeper());
        if (!socket) return socket.error();
        if (auto stopped = signal_keeper(stage, SIGSTOP); !stopped) return stopped;
        for (int sent = 0; sent < kMostWaiting && socket->send("STATUS=full"); ++sent) {
        }
        stage.prop(kTakesNothing, strike.arena) = std::make_shared<Epochs>(epochs_of(stage));
        for (size_t arena = 0; arena < stage.arenas().size(); ++arena) (void)signal_worker(stage, arena, SIGKILL);
        return {};
      },
      .fired =
          [](const Stage& stage, const Strike& strike) {
            const auto before = std::static_pointer_cast<Epochs>(stage.prop(kTakesNothing, strike.arena));
            const Epochs now = epochs_of(stage);
            for (size_t arena = 0; before && arena < now.size(); ++arena) {
              if (now[arena] == (*before)[arena]) return false;
            }
            return before != nullptr;
          },
      .heal = [](Stage& stage, const Strike&) { return signal_keeper(stage, SIGCONT); },
      .heal_after_ms = 100};
}

}  // namespace arenad::chaos
