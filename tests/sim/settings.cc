#include "tests/sim/settings.h"

#include "tests/sim/event_queue.h"

namespace arenad::sim {

Settings Settings::draw(uint64_t seed) {
  Draw draw(seed, "settings");
  Settings s;
  s.parent = draw.below(10) < 7 ? Parent::keeper : Parent::shell;
  s.restart.intensity = draw.one_in(3) ? static_cast<uint32_t>(draw.between(1, 4)) : static_cast<uint32_t>(draw.between(5, 60));
  s.restart.window_ns = draw.between(3, 20) * kSecond;
  s.restart.max_delay_ns = draw.between(1, 3) * kSecond;
  s.restart.healthy_ns = draw.between(1, 6) * kSecond;
  s.checkpoint_interval_ns = draw.between(300, 1500) * kMs;
  s.adoption_timeout_ns = draw.between(500, 2000) * kMs;
  if (draw.one_in(3)) s.orphan_timeout_ns = draw.between(1, 6) * kSecond;
  s.faults_end_ns = draw.between(6, 14) * kSecond;
  // Some seeds meet faults of one kind only, or few: what they leave alone has time to go on.
  s.point_period = draw.one_in(4) ? 0 : draw.between(60, 1500);
  s.arenad_point_period = draw.one_in(3) ? 0 : draw.between(15, 300);
  s.timed_mean_ns = draw.between(150, 2500) * kMs;
  s.damage_in_8 = draw.below(5);
  s.power_cuts = draw.one_in(3);
  const uint64_t arenas = draw.between(1, 3);
  for (uint64_t i = 0; i < arenas; ++i) {
    GameSettings g;
    g.tick_ns = kSecond / draw.between(10, 30);
    if (draw.one_in(4)) g.match_frames = draw.between(60, 250);
    g.deterministic = !draw.one_in(6);
    g.on_divergence = draw.one_in(2) ? OnDivergence::stop : OnDivergence::go_on;
    g.output_records = draw.one_in(3) ? 640 : 2048;
    g.log_records = draw.between(40, 128);
    g.channel_records = draw.between(24, 96);
    g.snapshot_interval_ns = draw.between(100, 700) * kMs;
    g.clients = draw.between(1, 3);
    g.bad_event_period = draw.one_in(4) ? 0 : draw.between(20, 200);
    s.games.push_back(g);
  }
  // Shorter than a worker may be stopped.
  s.ready_timeout_ns = draw.between(4, 10) * kSecond;
  s.stop_timeout_ns = draw.between(1000, 3000) * kMs;
  return s;
}

}  // namespace arenad::sim
