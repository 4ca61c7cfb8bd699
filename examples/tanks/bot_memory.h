// What a client of one seat knows: what the outputs that it received have told it, and nothing
// else.
#pragma once

#include <array>
#include <vector>

#include "battle.h"
#include "tanks.capnp.h"

namespace tanks {

struct KnownTank {
  enum class Fate { unseen, alive, wreck };

  sim::Vehicle::Kind kind = sim::Vehicle::Kind::medium;
  Fate fate = Fate::unseen;
  sim::Tick seen_at = 0;  // the rest is as it was then
  sim::Vec position;
  sim::Angle hull = 0;
  sim::Angle turret = 0;
  double speed_metres_per_second = 0;
  int hit_points = 0;
  int reload_ticks = 0;  // of one's own team only
};

class BotMemory {
 public:
  void hear(Assigned::Reader assigned);
  void hear(Field::Reader field);
  void hear(TeamView::Reader view);
  void hear(Impact::Reader impact);
  void hear(Destroyed::Reader destroyed);
  void hear(Capture::Reader capture);

  // Whether there is a living tank to command.
  [[nodiscard]] bool in_battle() const;
  [[nodiscard]] sim::Tick now() const { return tick_; }
  [[nodiscard]] sim::Seat seat() const { return seat_; }
  [[nodiscard]] sim::Team team() const { return sim::team_of(seat_); }
  [[nodiscard]] const KnownTank& me() const { return tanks_[seat_]; }
  [[nodiscard]] sim::Seat seat_count() const { return static_cast<sim::Seat>(tanks_.size()); }
  // By seat.
  [[nodiscard]] const std::vector<KnownTank>& tanks() const { return tanks_; }
  [[nodiscard]] bool is_enemy(sim::Seat seat) const { return sim::team_of(seat) != team(); }
  // In the newest view, and not a wreck.
  [[nodiscard]] bool in_sight(sim::Seat seat) const;
  [[nodiscard]] const sim::Map& map() const { return map_; }
  [[nodiscard]] sim::Vec base_of(sim::Team team) const { return bases_[team]; }
  [[nodiscard]] bool base_in_danger() const;
  // Whether a shell struck this tank a moment ago, and where it came from.
  [[nodiscard]] bool under_fire() const;
  [[nodiscard]] sim::Angle fire_from() const { return struck_from_; }

 private:
  sim::Seat seat_ = sim::kNobody;
  sim::Tick tick_ = 0;
  sim::Map map_;
  std::array<sim::Vec, 2> bases_{};
  std::vector<KnownTank> tanks_;
  sim::Tick base_attacked_until_ = 0;
  sim::Tick under_fire_until_ = 0;
  sim::Angle struck_from_ = 0;
};

}  // namespace tanks
