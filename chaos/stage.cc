#include "chaos/stage.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "ipc/clock.h"
#include "ipc/incarnation.h"

namespace arenad::chaos {
namespace {

// Entries of a player that have not come back.
constexpr uint64_t kMostOnTheirWay = 4;

// A hang is found within a moment, a restart waits for no more than a moment, and little memory is all that a worker may take; otherwise as a service
// runs.
std::string config(const std::filesystem::path& folder) {
  return fmt::format(
      "[daemon]\ndirectory = \"{0}/state\"\nruntime_directory = \"{0}/run\"\nsocket = \"arenad.sock\"\nworker = \"{1}\"\n"
      "log_format = \"plain\"\n"
      "[checkpoint]\ninterval_ms = 50\n"
      "[hang]\nsoft_limit_ms = 100\nhard_limit_ms = 1000\n"
      "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 1\nmax_delay_ms = 100\nhealthy_ms = 1\n"
      "[games.ledger]\nmodule = \"{2}/ledger.so\"\nsnapshot_interval_ms = 20\nspares = 2\nmemory_mib = 64\n",
      folder.string(), ARENAD_TEST_WORKER, ARENAD_TEST_GAMES);
}

}  // namespace

Result<std::unique_ptr<Stage>> Stage::set(const std::filesystem::path& folder, const Plan& plan) {
  auto rig = sweep::Rig::start(folder, config(folder));
  if (!rig) return rig.error();
  std::unique_ptr<Stage> stage(new Stage(std::move(*rig)));
  stage->arenas_.reserve(plan.arenas.size());  // hooks point into it
  for (const PlannedArena& planned : plan.arenas) {
    Arena& arena = stage->arenas_.emplace_back(Arena{.id = ArenaId::make(unix_ms(), stage->arenas_.size(), random_u64()),
                                                     .name = planned.name,
                                                     .entries = planned.entries,
                                                     .player = nullptr});
    if (auto started = stage->rig().start_arena(arena.id, arena.name, "ledger", planned.hz); !started) return started.error();
    arena.player = std::make_unique<test::LedgerPlayer>(stage->rig().socket(), "ann");
    if (auto attached = arena.player->attach(arena.id); !attached) return attached.error();
    arena.player->attachment()->on_incarnation([&arena](int region_fd, Epoch) {
      if (auto view = IncarnationView::map(Fd(::fcntl(region_fd, F_DUPFD_CLOEXEC, 0))))
        arena.worker = static_cast<pid_t>(view->pid());
    });
  }
  return stage;
}

void Stage::turn() {
  for (Arena& arena : arenas_) {
    test::LedgerPlayer& player = *arena.player;
    if (player.said() < std::min(arena.entries, arena.limit) && player.said() - player.heard_back() < kMostOnTheirWay) {
      (void)player.say();
    }
    player.listen();
  }
  ::usleep(1000);
}

Result<void> Stage::strike() {
  for (Arena& arena : arenas_) arena.player->leave();
  return rig_->stop();
}

}  // namespace arenad::chaos
