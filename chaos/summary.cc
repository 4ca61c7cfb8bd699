#include "chaos/summary.h"

#include <fmt/format.h>
#include <numeric>

namespace arenad::chaos {
namespace {

constexpr size_t kMostProblems = 20;

std::string kills_text(const RunSummary& s) {
  constexpr std::array<const char*, kPhases> kDoing = {"waiting", "deciding",   "applying events",
                                                       "ticking", "publishing", "saving"};
  std::string text;
  for (size_t phase = 0; phase < kPhases; ++phase) text += fmt::format("{} {}, ", s.kills_in_phase[phase], kDoing[phase]);
  return text + fmt::format("{} recovering", s.kills_in_recovery);
}

std::string cut_text(const RunSummary& s) {
  if (!s.cut_short) return "";
  std::string at = "before the play began";
  if (s.seconds != 0 && s.options.subject == Subject::changes_of_code) {
    at = fmt::format("after {} of {} commands", s.reload.made, s.reload.steps);
  } else if (s.seconds != 0) {
    const bool by_kills = s.options.kills != 0;
    at = by_kills ? fmt::format("after {} of {} kills", s.kills_that_count(), s.options.kills)
                  : fmt::format("after {:.1f} of {:.1f} s", s.seconds, s.options.seconds);
  }
  return fmt::format("  cut short         {}{}\n", at, s.judged ? "; that much is judged" : "");
}

std::string verdict_text(const RunSummary& s) {
  if (!s.judged) return "  not judged\n";
  return fmt::format(
      "  events lost       {}\n"
      "  outputs           {} missing, {} repeated, {} different from the same frames without a crash\n",
      s.findings.lost, s.findings.missing, s.findings.repeated, s.findings.different);
}

// Bots tell what they sent and received when they have stopped, which a run that is not judged does not wait for.
std::string traffic_text(const RunSummary& s) {
  if (!s.judged) {
    return fmt::format("  events in         {} applied\n  outputs out       {} published in {} frames\n", s.events_applied,
                       s.outputs_published, s.frames);
  }
  return fmt::format(
      "  events in         {} sent, {} applied, {} not sent because a channel was full\n"
      "  outputs out       {} published in {} frames, {} received by bots\n",
      s.events_sent, s.events_applied, s.events_full, s.outputs_published, s.frames, s.outputs_received);
}

std::string play_text(const RunSummary& s) {
  if (s.seconds == 0) return "\nnothing was played\n";
  std::string text = fmt::format("\nplayed {:.1f} s with {} arenas of {} bots, seed {}\n", s.seconds, s.options.arenas,
                                 s.options.bots, s.options.seed);
  text += traffic_text(s);
  if (s.options.subject == Subject::changes_of_code) return text + reload_text(s.reload);
  text += fmt::format("  kills             {}: {}\n", s.kills, kills_text(s));
  text += fmt::format("  run again         {} frames with {} events\n", s.replayed_frames, s.replayed_events);
  text += fmt::format("  kill to ready     {}\n", s.to_live.text());
  text += fmt::format("  kill to frame     {} (ticks come every {} ms)\n", s.to_frame.text(), kTickPeriodMs);
  return text + daemon_text(s.daemon) + growth_text(s.growth);
}

std::string problems_text(const RunSummary& summary) {
  std::string text;
  size_t shown = 0;
  for (const auto* list : {&summary.findings.problems, &summary.vacuous}) {
    for (const std::string& problem : *list) {
      if (shown++ >= kMostProblems) continue;
      text += fmt::format("  problem           {}\n", problem.substr(0, problem.find_last_not_of('\n') + 1));
    }
  }
  if (shown > kMostProblems) text += fmt::format("  and {} more\n", shown - kMostProblems);
  return text;
}

}  // namespace

uint64_t RunSummary::kills_that_count() const {
  return options.victims == Victims::workers ? kills : daemon.kills;
}

uint64_t RunSummary::violations() const {
  return findings.lost + findings.missing + findings.repeated + findings.different + set_back + daemon.workers_changed +
         findings.problems.size() + vacuous.size();
}

uint64_t RunSummary::kills_in_frame() const {
  return std::accumulate(kills_in_phase.begin() + 1, kills_in_phase.end(), uint64_t{0});
}

std::string summary_text(const RunSummary& s) {
  std::string text = play_text(s) + cut_text(s) + verdict_text(s) + problems_text(s);
  if (!s.evidence.empty()) text += fmt::format("  evidence          {}\n", s.evidence);
  return text;
}

int exit_code(const RunSummary& s) {
  if (!s.findings.clean()) return kExitFailed;
  if (s.cut_short) return kExitCutShort;
  return s.ok() ? 0 : kExitFailed;
}

std::string summary_json(const RunSummary& s) {
  return fmt::format(
      "{{\"result\": \"{}\", \"judged\": {}, \"cut_short\": {}, \"kills\": {}, \"kills_in_frame\": {}, \"kills_in_recovery\": "
      "{}, \"lost\": {}, \"missing\": {}, "
      "\"repeated\": {}, \"different\": {}, \"recovery_p50_ms\": {:.3f}, \"recovery_p99_ms\": {:.3f}, \"recovery_max_ms\": "
      "{:.3f}, "
      "\"ready_p50_ms\": {:.3f}, \"ready_p99_ms\": {:.3f}, \"ready_max_ms\": {:.3f}, \"replayed_frames\": {}, "
      "\"replayed_events\": {}, \"events_sent\": {}, \"events_applied\": {}, \"events_full\": {}, \"outputs_published\": {}, "
      "\"outputs_received\": {}, \"frames\": {}, \"problems\": {}, \"arenas\": {}, \"bots\": {}, \"seconds\": {:.3f}, "
      "\"seed\": {}, \"set_back\": {}, \"violations\": {}{}{}{}}}\n",
      s.ok() ? "ok" : "failed", s.judged, s.cut_short, s.kills, s.kills_in_frame(), s.kills_in_recovery, s.findings.lost,
      s.findings.missing, s.findings.repeated, s.findings.different, s.to_frame.quantile(0.5), s.to_frame.quantile(0.99),
      s.to_frame.max(), s.to_live.quantile(0.5), s.to_live.quantile(0.99), s.to_live.max(), s.replayed_frames,
      s.replayed_events, s.events_sent, s.events_applied, s.events_full, s.outputs_published, s.outputs_received, s.frames,
      s.findings.problems.size() + s.vacuous.size(), s.options.arenas, s.options.bots, s.seconds, s.options.seed, s.set_back,
      s.violations(), daemon_json(s.daemon), growth_json(s.growth),
      s.options.subject == Subject::changes_of_code ? reload_json(s.reload) : "");
}

std::string result_line(const RunSummary& s) {
  if (s.options.subject == Subject::changes_of_code) {
    return fmt::format("result: {} commands={} as_expected={} lost={} missing={} repeated={} different={}",
                       s.ok() ? "ok" : "failed", s.reload.made, s.reload.as_expected, s.findings.lost, s.findings.missing,
                       s.findings.repeated, s.findings.different);
  }
  const std::string arenads = s.daemon.kills != 0 ? fmt::format(" arenad_kills={}", s.daemon.kills) : "";
  return fmt::format(
      "result: {} kills={}{} lost={} missing={} repeated={} different={} recovery_p50_ms={:.2f} recovery_p99_ms={:.2f}",
      s.ok() ? "ok" : "failed", s.kills, arenads, s.findings.lost, s.findings.missing, s.findings.repeated,
      s.findings.different, s.to_frame.quantile(0.5), s.to_frame.quantile(0.99));
}

}  // namespace arenad::chaos
