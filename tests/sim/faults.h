// Which fault falls where. By logical position: each step of a worker and each step of arenad asks here, and draws from a stream of its own;
// beside that, faults that fall at any time.
#pragma once

#include <array>
#include <cstdint>

#include "tests/sim/coverage.h"
#include "tests/sim/region.h"
#include "tests/sim/settings.h"

namespace arenad::sim {

class World;

enum class WorkerPoint {
  assigned,
  before_log,
  after_log,
  members_change,  // as after_log, of a frame that lets somebody in or out
  applying,
  applied,
  before_publish,
  after_publish,
  after_done,
  slot_torn,
  slot_written,
  replaying,
  before_live,
  count_
};
enum class ArenadPoint {
  before_registration,
  after_registration,
  before_action,
  checkpoint_submitted,
  checkpoint_committed,
  results_committed,
  taking_up,
  offer_taken,
  adopting,
  begin_decided,
  count_
};

enum class WorkerFault { none, kill, kill_and_damage, kill_all, stop };

class FaultPlan {
 public:
  FaultPlan(World& world, uint64_t seed);
  void begin();
  void heal() { healed_ = true; }
  [[nodiscard]] bool healed() const { return healed_; }
  WorkerFault at(WorkerPoint point);
  bool crash_in_tick();
  bool at(ArenadPoint point);
  // arenad begins to wait for somebody, for so long at most.
  void waits(uint64_t limit_ns);
  // Of a worker that was killed while nobody watches, or at a point with damage.
  void damage(Region& region);

 private:
  void next_timed();
  void timed();
  void operate();
  void damage_checkpoint();
  World& world_;
  std::array<Draw, static_cast<size_t>(WorkerPoint::count_)> worker_points_;
  std::array<Draw, static_cast<size_t>(ArenadPoint::count_)> arenad_points_;
  Draw crashes_;
  Draw waits_;
  bool healed_ = false;
};

}  // namespace arenad::sim
