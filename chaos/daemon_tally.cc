#include "chaos/daemon_tally.h"

#include <algorithm>
#include <fmt/format.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr size_t kMostNotes = 20;

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / kMillisecond;
}

std::string lateness_text(const Lateness& l) {
  return fmt::format("{} of {} frames in {:.1f} s; {} ticks of the pacers were, which were up to {:.1f} ms late", l.late_frames,
                     l.frames, static_cast<double>(l.window_ns) / kSecond, l.pacer_late_ticks, milliseconds(l.pacer_latest_ns));
}

}  // namespace

DaemonTally tally_daemon(const DaemonKiller& daemon_killer, const Killer& killer) {
  DaemonTally tally;
  tally.kills = daemon_killer.arenads_killed();
  tally.workers_changed = daemon_killer.workers_changed();
  tally.absences = daemon_killer.absences();
  tally.quiet_times = daemon_killer.quiet_times();
  tally.notes = daemon_killer.notes();
  std::vector<double> to_answer;
  std::vector<double> all_back;
  for (const DaemonKill& round : daemon_killer.rounds()) {
    ++tally.rounds[static_cast<size_t>(round.company)];
    // A round with two deaths says nothing about how long one takes.
    if (round.to_answer_ns && round.arenads == 1) to_answer.push_back(milliseconds(*round.to_answer_ns));
    if (round.company != Company::everything || !round.to_answer_ns) continue;
    uint64_t last_ns = 0;
    for (const Kill& kill : killer.kills()) {
      const bool in_round = kill.at_ns >= round.at_ns && kill.at_ns - round.at_ns < *round.to_answer_ns;
      if (in_round && kill.to_frame_ns) last_ns = std::max(last_ns, kill.at_ns + *kill.to_frame_ns);
    }
    if (last_ns != 0) all_back.push_back(milliseconds(last_ns - round.at_ns));
  }
  tally.to_answer = Durations(std::move(to_answer));
  tally.all_back = Durations(std::move(all_back));
  return tally;
}

Growth tally_growth(const Gauge& gauge) {
  return {gauge.done(),    gauge.rss_kib_per_1000(), gauge.heap_kib_per_1000(), gauge.last_rss_kib(),
          gauge.samples(), gauge.warm_up(),          gauge.fd_growth(),         gauge.fds()};
}

std::string daemon_text(const DaemonTally& t) {
  if (t.kills == 0) return "";
  std::string text = fmt::format(
      "  arenad killed     {} times: in {} rounds alone, {} while it recovered a worker, {} and a worker after it, {} and the "
      "next "
      "one, {} with everything\n",
      t.kills, t.rounds[0], t.rounds[1], t.rounds[2], t.rounds[3], t.rounds[4]);
  text += fmt::format("  kill to answer    {}\n", t.to_answer.text());
  if (!t.all_back.sorted.empty()) text += fmt::format("  all killed, back  {}\n", t.all_back.text());
  text += fmt::format("  left alone        {} workers were others afterwards\n", t.workers_changed);
  text += fmt::format("  late, absent      {}\n", lateness_text(t.absences));
  text += fmt::format("  late, quiet       {}\n", lateness_text(t.quiet_times));
  for (size_t i = 0; i < std::min(t.notes.size(), kMostNotes); ++i) text += "    " + t.notes[i] + "\n";
  if (t.notes.size() > kMostNotes) text += fmt::format("    and {} more\n", t.notes.size() - kMostNotes);
  return text;
}

std::string growth_text(const Growth& g) {
  if (!g.measured) return "";
  return fmt::format(
      "  arenad grows by   {:.1f} KiB in 1,000 recoveries, of that {:.1f} its own ({} samples after {} kills, {} KiB "
      "at the end); {} descriptors ({} at the end)\n",
      g.rss_kib_per_1000, g.heap_kib_per_1000, g.samples, g.warm_up, g.rss_kib, g.fds, g.fds_at_end);
}

std::string daemon_json(const DaemonTally& t) {
  if (t.kills == 0) return "";
  return fmt::format(
      ", \"arenad_kills\": {}, \"rounds_alone\": {}, \"rounds_worker_before\": {}, \"rounds_worker_meanwhile\": {}, "
      "\"rounds_successor\": {}, \"rounds_everything\": {}, \"answer_p50_ms\": {:.3f}, \"answer_p99_ms\": {:.3f}, "
      "\"answer_max_ms\": {:.3f}, \"all_back_p50_ms\": {:.3f}, \"all_back_max_ms\": {:.3f}, \"workers_changed\": {}, "
      "\"absence_ms\": {:.1f}, \"absence_frames\": {}, \"absence_late_frames\": {}, \"absence_late_with_machine\": {}, "
      "\"absence_pacer_late_ticks\": {}, \"absence_pacer_latest_ms\": {:.3f}, \"quiet_ms\": {:.1f}, \"quiet_frames\": {}, "
      "\"quiet_late_frames\": {}, \"quiet_late_with_machine\": {}, \"quiet_pacer_late_ticks\": {}, "
      "\"quiet_pacer_latest_ms\": {:.3f}",
      t.kills, t.rounds[0], t.rounds[1], t.rounds[2], t.rounds[3], t.rounds[4], t.to_answer.quantile(0.5),
      t.to_answer.quantile(0.99), t.to_answer.max(), t.all_back.quantile(0.5), t.all_back.max(), t.workers_changed,
      milliseconds(t.absences.window_ns), t.absences.frames, t.absences.late_frames, t.absences.machine_late,
      t.absences.pacer_late_ticks, milliseconds(t.absences.pacer_latest_ns), milliseconds(t.quiet_times.window_ns),
      t.quiet_times.frames, t.quiet_times.late_frames, t.quiet_times.machine_late, t.quiet_times.pacer_late_ticks,
      milliseconds(t.quiet_times.pacer_latest_ns));
}

std::string growth_json(const Growth& g) {
  if (!g.measured) return "";
  return fmt::format(
      ", \"rss_growth_kib_per_1000\": {:.3f}, \"heap_growth_kib_per_1000\": {:.3f}, \"rss_kib\": {}, \"warm_up_kills\": {}, "
      "\"fd_growth\": {}, \"fds\": {}",
      g.rss_kib_per_1000, g.heap_kib_per_1000, g.rss_kib, g.warm_up, g.fds, g.fds_at_end);
}

}  // namespace arenad::chaos
