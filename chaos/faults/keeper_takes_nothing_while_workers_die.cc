#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
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

// Of which the keeper has a descriptor: what arenad has told it dies with it otherwise.
std::set<pid_t> processes_kept_by(pid_t keeper) {
  std::set<pid_t> kept;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(keeper) + "/fdinfo", error)) {
    std::ifstream facts(entry.path());
    pid_t process = 0;
    for (std::string word; facts >> word;) {
      if (word == "Pid:" && facts >> process) kept.insert(process);
    }
  }
  return kept;
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
      .heal_after_ms = 100,
      .plays_on = 5,
      .settled =
          [](Stage& stage, const Strike&) {
            const std::set<pid_t> kept = processes_kept_by(stage.rig().keeper());
            return std::ranges::all_of(stage.arenas(), [&](const Stage::Arena& arena) { return kept.contains(arena.worker); });
          }};
}

}  // namespace arenad::chaos
