// What a chaos run plays on: arena-keeper, arenad and workers in a private folder, and a player in each arena. It is what faults are done to,
// and what shows whether they are survived; it judges nothing.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "chaos/child_process.h"
#include "chaos/plan.h"
#include "tests/real/ledger_player.h"
#include "tests/sweep/rig.h"

namespace arenad::chaos {

class Stage {
 public:
  struct Arena {
    ArenaId id;
    std::string name;
    uint64_t entries = 0;  // that its player says in all
    uint64_t limit = 0;    // says no more than so many for now
    std::unique_ptr<test::LedgerPlayer> player;
    pid_t worker = 0;  // of the newest incarnation, as its shared memory says; arenad may be dead. 0: none is known
  };

  // Every arena runs and its player is in it when this returns.
  static Result<std::unique_ptr<Stage>> set(const std::filesystem::path& folder, const Plan& plan);

  // Every player says an entry if it may and few are on their way, and hears what there is. Takes about a millisecond.
  void turn();
  // Nobody says or hears anything any more; arenad and its keeper end in order. An error says what was not.
  Result<void> strike();

  [[nodiscard]] sweep::Rig& rig() { return *rig_; }
  [[nodiscard]] const sweep::Rig& rig() const { return *rig_; }
  [[nodiscard]] std::vector<Arena>& arenas() { return arenas_; }
  [[nodiscard]] const std::vector<Arena>& arenas() const { return arenas_; }
  // Processes of faults that are to be healed.
  [[nodiscard]] std::vector<ChildProcess>& helpers() { return helpers_; }
  [[nodiscard]] uint64_t epoch(size_t arena) const { return arenas_[arena].player->epoch(); }

 private:
  explicit Stage(std::unique_ptr<sweep::Rig> rig) : rig_(std::move(rig)) {}
  std::unique_ptr<sweep::Rig> rig_;
  std::vector<Arena> arenas_;
  std::vector<ChildProcess> helpers_;
};

}  // namespace arenad::chaos
