// One life of the simulated arenad: its arenas, the adoption of what the last life has left (as supervisor/adoption.cc, with the real plan),
// the checkpointer, and the look at every worker.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "tests/sim/arena_shell.h"
#include "tests/sim/faults.h"

namespace arenad::sim {

// Thrown where arenad dies in the middle of something.
struct ArenadDies {
  ArenadPoint where;
};

class Arenad {
 public:
  Arenad(World& world, uint64_t life)
      : world_(world), life_(life), store_(world), adoption_deadline_(world, [this] { nobody_came(); }) {}
  void begin();

  void point(ArenadPoint where);
  [[nodiscard]] uint64_t life() const { return life_; }
  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] StoreThread& store() { return store_; }
  [[nodiscard]] bool is_open() const { return open_; }
  [[nodiscard]] bool takes_offers() const { return takes_offers_; }
  [[nodiscard]] ArenaShell* find(ArenaId id);
  [[nodiscard]] const std::map<ArenaId, std::unique_ptr<ArenaShell>>& arenas() const { return arenas_; }

  void start_arena(ArenaId id);
  void hear(Pid from, const FromWorker& message);
  void take_offer(const Offer& offer);
  void process_ended(Pid pid, ExitHow how);

 private:
  struct Left {
    std::map<uint64_t, std::shared_ptr<Region>> regions;  // by epoch
    std::map<uint64_t, Pid> processes;
    std::map<uint64_t, bool> lives;
    std::vector<AssignedChannel> channels;
    std::vector<KeepKey> keys;
  };
  void take_up(ArenaId id, Durable durable);
  void take_up(ArenaShell& arena, Durable durable, Wait wait);
  [[nodiscard]] std::vector<KeptIncarnation> kept_of(ArenaId id) const;
  Inheritance inherit(ArenaShell& arena, Epoch epoch);
  void end_workers(ArenaId id);
  void nobody_came();
  void settle_if_done();
  void checkpoint();
  void watch();

  World& world_;
  uint64_t life_;
  StoreThread store_;
  std::map<ArenaId, std::unique_ptr<ArenaShell>> arenas_;
  std::map<ArenaId, Left> left_;
  std::map<ArenaId, Durable> awaited_;
  Deadline adoption_deadline_;
  size_t unknown_ = 0;
  bool takes_offers_ = false;
  bool is_late_ = false;
  bool settled_ = false;
  bool open_ = false;
  bool checkpoint_in_flight_ = false;
};

}  // namespace arenad::sim
