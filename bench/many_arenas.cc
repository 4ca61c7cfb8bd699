// How many tanks arenas run at a time, with 30 players each, and how late their ticks begin; and what memory their workers take.
#include <fmt/format.h>

#include "bench/crowd.h"
#include "bench/load_process.h"
#include "bench/quantile.h"

namespace arenad::bench {

Result<Figures> measure_many_arenas(const Conditions& conditions) {
  auto facts = play_crowd(conditions, {.daemon = {.name = "many", .settings = "", .game_settings = "spares = 0"},
                                       .arenas = 300,
                                       .load_processes = 6,
                                       .seconds = 15});
  if (!facts) return facts.error();
  return Figures{
      {"arenas.running", static_cast<double>(facts->running),
       fmt::format("with {} players each; together {:.0f} ticks/s and {:.0f} inputs/s", kPlayersPerArena,
                   static_cast<double>(facts->frames) / facts->seconds, static_cast<double>(facts->events) / facts->seconds)},
      {"arenas.late_p99_ms", late_ms(*facts, 0.99),
       fmt::format("p50 {:.2f} ms, p99.9 {:.2f} ms", late_ms(*facts, 0.5), late_ms(*facts, 0.999))},
      {"arena.private_mib", median(facts->private_mib),
       fmt::format("median of {} workers, most {:.2f}", facts->private_mib.size(), quantile(facts->private_mib, 1))}};
}

}  // namespace arenad::bench
