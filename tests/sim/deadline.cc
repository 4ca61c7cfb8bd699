#include "tests/sim/deadline.h"

#include "tests/sim/world.h"

namespace arenad::sim {

void Deadline::start(uint64_t limit_ns) {
  ++serial_;
  began_ns_ = world_.now();
  patience_.begin();
  world_.plan().waits(limit_ns);
  look_in(world_.is(Mutant::deadline_counts_gap) ? limit_ns : Patience::interval(limit_ns));
}

void Deadline::look_in(uint64_t interval_ns) {
  world_.arenad_timer(interval_ns, [this, interval_ns, serial = serial_] {
    if (serial != serial_) return;
    if (patience_.look() || world_.is(Mutant::deadline_counts_gap)) return over_();
    look_in(interval_ns);
  });
}

}  // namespace arenad::sim
