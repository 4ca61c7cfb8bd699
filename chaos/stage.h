// What a chaos run plays on: arena-keeper, arenad and workers in a private folder, and a player in each arena. It is what faults are done to,
// and what shows whether they are survived; it judges nothing. arenad's disk obeys (faulty_vfs.h), and so does the wall clock of arenad and the
// workers (faulty_clock.h), unless there are none (equipment.h).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "chaos/child_process.h"
#include "chaos/disk/faulty_vfs.h"
#include "chaos/former_databases.h"
#include "chaos/plan.h"
#include "chaos/player.h"
#include "chaos/preload/faulty_clock.h"
#include "chaos/rig/rig.h"
#include "ipc/clock.h"

namespace arenad::chaos {

class Stage {
 public:
  struct Arena {
    ArenaId id;
    std::string name;
    uint32_t hz = 0;       // of its ticks; 0: none
    uint64_t entries = 0;  // that its player says in all
    uint64_t planned = 0;  // how many of them the plan has; more are said if a fault's moment takes longer to come
    std::optional<uint64_t> planned_state;  // the player's digest when those had come back
    uint64_t limit = 0;                     // says no more than so many for now
    std::unique_ptr<Player> player;
    pid_t worker = 0;  // of the newest incarnation, as its shared memory says; arenad may be dead. 0: none is known
  };

  // Every arena runs and its player is in it when this returns. is_called_off is asked all the time: nothing is waited for any more then.
  static Result<std::unique_ptr<Stage>> set(
      const std::filesystem::path& folder, const Plan& plan, std::function<bool()> is_called_off = [] { return false; });

  // Every player says an entry if it may and few are on their way, and hears what there is. Takes about a millisecond.
  void turn();
  // Done in every turn, and now and then while arenad's answer is waited for; asks arenad nothing itself.
  void do_meanwhile(std::function<void()> work);
  [[nodiscard]] bool is_called_off() const { return is_called_off_(); }
  // After arenad has ended in order, and its keeper with it: both once more, with the disk and the clock that obey.
  Result<void> begin_again();
  // Nobody says or hears anything any more; arenad and its keeper end in order. An error says what was not.
  Result<void> strike();

  [[nodiscard]] sweep::Rig& rig() { return *rig_; }
  [[nodiscard]] const sweep::Rig& rig() const { return *rig_; }
  [[nodiscard]] std::vector<Arena>& arenas() { return arenas_; }
  [[nodiscard]] const std::vector<Arena>& arenas() const { return arenas_; }
  // Processes of faults that are to be healed.
  [[nodiscard]] std::vector<ChildProcess>& helpers() { return helpers_; }
  [[nodiscard]] uint64_t epoch(size_t arena) const { return arenas_[arena].player->epoch(); }
  // Of arenad's disk; nullptr: it is one that does not obey.
  [[nodiscard]] test::FaultOrders* disk() const { return disk_; }
  // It was sent SIGKILL, no later than now.
  void note_kill(pid_t process) { kills_ns_[process] = monotonic_ns(); }
  // By CLOCK_MONOTONIC; 0: it was not.
  [[nodiscard]] uint64_t killed_ns(pid_t process) const {
    const auto found = kills_ns_.find(process);
    return found == kills_ns_.end() ? 0 : found->second;
  }
  // Of the wall clock of arenad and the workers; nullptr: it is one that does not obey.
  [[nodiscard]] test::ClockOrders* clock() const { return clock_; }
  [[nodiscard]] FormerDatabases& former_databases() { return former_databases_; }
  // The file that arenad's configuration names, if the ledger is played.
  [[nodiscard]] std::filesystem::path ledger_module() const;
  // What arenad has stored of an arena, and what it had stored in databases that were taken from it; in order. Nothing: arenad does not say.
  std::optional<std::vector<sweep::StoredAward>> stored_awards(size_t arena);
  // A fault has had an arena of its own (faults/guest_arena.h), and it is over. arenad keeps the last one until there is another.
  void note_guest_arena() { has_had_guest_arena_ = true; }
  [[nodiscard]] bool has_had_guest_arena() const { return has_had_guest_arena_; }
  // What a fault has put on the stage, until it is undone.
  std::shared_ptr<void>& prop(const std::string& fault, size_t arena) { return props_[{fault, arena}]; }
  [[nodiscard]] std::shared_ptr<void> prop(const std::string& fault, size_t arena) const {
    const auto found = props_.find({fault, arena});
    return found == props_.end() ? nullptr : found->second;
  }

 private:
  explicit Stage(std::unique_ptr<sweep::Rig> rig) : rig_(std::move(rig)), former_databases_(rig_->folder()) {}
  std::unique_ptr<sweep::Rig> rig_;
  std::vector<std::pair<const char*, std::string>> variables_;  // that the keeper is started with
  std::function<bool()> is_called_off_;
  std::function<void()> meanwhile_ = [] {};
  FormerDatabases former_databases_;
  test::FaultOrders* disk_ = nullptr;   // shared with arenad until the process ends
  test::ClockOrders* clock_ = nullptr;  // with the workers too
  std::vector<Arena> arenas_;
  std::map<pid_t, uint64_t> kills_ns_;
  bool has_had_guest_arena_ = false;
  std::map<std::pair<std::string, size_t>, std::shared_ptr<void>> props_;
  std::vector<ChildProcess> helpers_;
};

}  // namespace arenad::chaos
