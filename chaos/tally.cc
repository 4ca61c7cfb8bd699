#include "chaos/tally.h"

#include <algorithm>
#include <fmt/format.h>

#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / kMillisecond;
}

// The phase that the incarnation was killed in is in what it left behind.
void note_place(const Kill& kill, const std::vector<Life>& lives, RunSummary& summary) {
  const auto life = std::find_if(lives.begin(), lives.end(), [&](const Life& l) { return l.epoch == kill.epoch; });
  if (life == lives.end() || life->first_frame_published_ns == 0) {
    ++summary.kills_in_recovery;
  } else {
    ++summary.kills_in_phase[static_cast<size_t>(life->phase)];
  }
}

}  // namespace

void tally_traffic(const BotCrew& crew, Observers observers, RunSummary& summary) {
  for (const BotCrew::Bot& bot : crew.bots()) {
    summary.events_sent += bot.report.events_sent;
    summary.events_full += bot.report.full;
    summary.outputs_received += bot.report.outputs_received;
  }
  for (const auto& observer : observers) {
    summary.frames += observer->history().last();
    if (const WorkerStatus* status = observer->status()) {
      summary.events_applied += status->events_applied.load();
      summary.outputs_published += status->outputs_count.load();
    }
    for (const Life& life : observer->lives()) {
      summary.replayed_frames += life.replayed_frames;
      summary.replayed_events += life.replayed_events;
      if (life.rung == Rung::checkpoint) ++summary.set_back;
    }
  }
}

void tally_kills(const Killer& killer, Observers observers, RunSummary& summary) {
  std::vector<double> to_frame;
  std::vector<double> to_live;
  for (const Kill& kill : killer.kills()) {
    ++summary.kills;
    note_place(kill, observers[kill.arena]->lives(), summary);
    // An arena that was killed again before it was back says nothing about how long one recovery takes.
    if (kill.repeated || !kill.to_frame_ns) continue;
    to_frame.push_back(milliseconds(*kill.to_frame_ns));
    to_live.push_back(milliseconds(*kill.to_live_ns));
  }
  summary.to_frame = Durations(std::move(to_frame));
  summary.to_live = Durations(std::move(to_live));
}

void note_what_is_vacuous(const BotCrew& crew, RunSummary& summary) {
  if (summary.cut_short || !summary.judged) return;
  const RunOptions& options = summary.options;
  if (summary.kills_that_count() == 0 && options.kill_every_ms != 0) summary.vacuous.emplace_back("nothing was killed");
  if (options.kills != 0 && summary.kills_that_count() < options.kills) {
    summary.vacuous.push_back(fmt::format("{} of {} kills were made", summary.kills_that_count(), options.kills));
  }
  if (options.subject == Subject::changes_of_code && summary.reload.made < summary.reload.steps) {
    summary.vacuous.push_back(fmt::format("{} of {} commands were given", summary.reload.made, summary.reload.steps));
  }
  if (summary.events_sent == 0) summary.vacuous.emplace_back("no event was sent");
  for (const BotCrew::Bot& bot : crew.bots()) {
    if (bot.report.events_sent != 0 && bot.report.outputs_received != 0) continue;
    summary.vacuous.push_back(bot.name + " has sent or received nothing");
    return;
  }
}

}  // namespace arenad::chaos
