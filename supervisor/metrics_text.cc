#include "supervisor/metrics_text.h"

#include <algorithm>
#include <limits>
#include <prometheus/metric_family.h>
#include <utility>
#include <vector>

#include "ipc/printable.h"
#include "supervisor/exposition_writer.h"

namespace arenad {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

double seconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

ClientMetric::Label game_label(const std::string& game) {
  return {"game", printable(game)};
}

Labels labels_of(const ArenaMetrics& arena) {
  return {game_label(arena.game), {"arena", printable(arena.name)}};
}

// What Prometheus calls a family: one name, with its series.
class Exposition {
 public:
  Exposition& counter(std::string name, std::string help) {
    return begin(std::move(name), std::move(help), MetricType::Counter);
  }
  Exposition& gauge(std::string name, std::string help) { return begin(std::move(name), std::move(help), MetricType::Gauge); }
  Exposition& histogram(std::string name, std::string help) {
    return begin(std::move(name), std::move(help), MetricType::Histogram);
  }

  void add(Labels labels, double value) {
    ClientMetric metric;
    metric.label = std::move(labels);
    if (families_.back().type == MetricType::Counter) {
      metric.counter.value = value;
    } else {
      metric.gauge.value = value;
    }
    families_.back().metric.push_back(std::move(metric));
  }
  void add(Labels labels, uint64_t value) { add(std::move(labels), static_cast<double>(value)); }

  // count(i): of the bucket of that index, alone.
  template <class Count>
  void add_histogram(Labels labels, uint64_t sum_ns, Count&& count) {
    ClientMetric metric;
    metric.label = std::move(labels);
    uint64_t so_far = 0;
    for (size_t i = 0; i < kTimeBuckets; ++i) {
      so_far += count(i);
      const double bound = i < kTimeBoundsNs.size() ? seconds(kTimeBoundsNs[i]) : std::numeric_limits<double>::infinity();
      metric.histogram.bucket.push_back({so_far, bound});
    }
    metric.histogram.sample_count = so_far;
    metric.histogram.sample_sum = seconds(sum_ns);
    families_.back().metric.push_back(std::move(metric));
  }
  void add_histogram(Labels labels, const Durations& durations) {
    add_histogram(std::move(labels), durations.sum_ns(), [&](size_t i) { return durations.bucket(i); });
  }
  void add_histogram(Labels labels, const Tallies& tallies, Tally buckets, Tally sum_ns) {
    add_histogram(std::move(labels), tallies[sum_ns], [&](size_t i) { return tallies.bucket(buckets, i); });
  }

  [[nodiscard]] std::string text() const { return ExpositionWriter().Serialize(families_); }

 private:
  Exposition& begin(std::string name, std::string help, MetricType type) {
    families_.push_back({std::move(name), std::move(help), type, {}});
    return *this;
  }
  std::vector<MetricFamily> families_;
};

// What there is of each arena, and of each game with a name that says so. The help is for both.
struct CounterOfArenas {
  const char* name;
  const char* help;
  Tally tally;
  enum class In { ones, nanoseconds } unit = In::ones;
  enum class Of { games, games_and_arenas } of = Of::games_and_arenas;
};
constexpr auto kOfGames = CounterOfArenas::Of::games;
constexpr auto kOnes = CounterOfArenas::In::ones;
constexpr auto kNs = CounterOfArenas::In::nanoseconds;

constexpr CounterOfArenas kCounters[] = {
    {"frames_total", "Frames that were decided and run. Those that a recovery runs again are not counted here.", Tally::frames},
    {"frames_late_total", "Frames that began more than a tick late.", Tally::frames_late},
    {"frames_slow_total", "Frames that took longer than the soft limit.", Tally::frames_slow},
    {"events_total", "Events that were applied.", Tally::events},
    {"events_rejected_total", "Events that were not applied: malformed, of an unknown type, or in quarantine.",
     Tally::events_rejected, kOnes, kOfGames},
    {"outputs_total", "Outputs that were published to clients.", Tally::outputs},
    {"outputs_refused_total", "Outputs that did not fit in the ring.", Tally::outputs_refused, kOnes, kOfGames},
    {"results_total", "Outputs that were published to arenad itself: results.", Tally::results, kOnes, kOfGames},
    {"channels_full_total", "How often a client had no room in its channel for an event, as clients count it.",
     Tally::channels_full},
    {"snapshots_total", "Snapshots in shared memory.", Tally::snapshots},
    {"snapshots_failed_total", "Snapshots that did not fit in their slot.", Tally::snapshots_failed, kOnes, kOfGames},
    {"snapshot_seconds_total", "Time that snapshots took.", Tally::snapshot_ns, kNs},
    {"replayed_frames_total", "Frames that recoveries ran again.", Tally::replayed_frames, kOnes, kOfGames},
    {"replayed_events_total", "Events that recoveries applied again.", Tally::replayed_events, kOnes, kOfGames},
    {"divergences_total", "Frames that gave other outputs when they were run again: the game is not deterministic.",
     Tally::divergences, kOnes, kOfGames},
    {"garbage_put_off_total",
     "How often a game's language had no time between frames to collect garbage, up to its bound; what it held is set aside.",
     Tally::garbage_put_off, kOnes, kOfGames},
};

struct GaugeOfArenas {
  const char* name;
  const char* help;
  uint64_t ArenaGauges::*value;
  CounterOfArenas::In unit = kOnes;
};
constexpr GaugeOfArenas kGauges[] = {
    {"snapshot_bytes", "Size of the last snapshot.", &ArenaGauges::snapshot_bytes},
    {"snapshot_age_seconds", "Age of the last snapshot, if frames have run since. Of a game: the worst of its arenas.",
     &ArenaGauges::snapshot_age_ns, kNs},
    {"checkpoint_lag_seconds",
     "How long the oldest snapshot, record or result has waited for the database. Of a game: the worst of its arenas.",
     &ArenaGauges::checkpoint_lag_ns, kNs},
    {"channel_waiting_bytes", "Events that clients had published and the worker had not taken, at the last snapshot.",
     &ArenaGauges::waiting_bytes},
    {"output_lag_bytes",
     "Outputs that the slowest client had not read, at the last snapshot. Of a game: the worst of its arenas.",
     &ArenaGauges::output_lag_bytes},
    {"shared_memory_bytes", "Shared memory of the arena's last incarnation.", &ArenaGauges::region_bytes},
    {"quarantined_events", "Events that are in quarantine.", &ArenaGauges::quarantined},
    {"clients", "Clients that are attached: players and observers.", &ArenaGauges::clients},
    {"players", "Players that are attached.", &ArenaGauges::players},
};

double in_unit(uint64_t value, CounterOfArenas::In unit) {
  return unit == kNs ? seconds(value) : static_cast<double>(value);
}

// Of a game `arenad_frames_total`, of an arena `arenad_arena_frames_total`: so that a sum over all series of a name counts nothing twice.
std::string name_of_game(const char* name) {
  return std::string("arenad_") + name;
}
std::string name_of_arena(const char* name) {
  return std::string("arenad_arena_") + name;
}

void write_counters(const MetricsFacts& facts, Exposition& to) {
  for (const CounterOfArenas& counter : kCounters) {
    to.counter(name_of_game(counter.name), counter.help);
    for (const auto& [name, game] : facts.games) {
      to.add({game_label(name)}, in_unit(game.totals.tallies[counter.tally], counter.unit));
    }
    if (counter.of == kOfGames) continue;
    to.counter(name_of_arena(counter.name), counter.help);
    for (const ArenaMetrics& arena : facts.arenas) {
      to.add(labels_of(arena), in_unit(arena.totals.tallies[counter.tally], counter.unit));
    }
  }
}

void write_gauges(const MetricsFacts& facts, Exposition& to) {
  for (const GaugeOfArenas& gauge : kGauges) {
    to.gauge(name_of_game(gauge.name), gauge.help);
    for (const auto& [name, game] : facts.games) to.add({game_label(name)}, in_unit(game.gauges.*gauge.value, gauge.unit));
    to.gauge(name_of_arena(gauge.name), gauge.help);
    for (const ArenaMetrics& arena : facts.arenas) to.add(labels_of(arena), in_unit(arena.gauges.*gauge.value, gauge.unit));
  }
}

void write_durations(const MetricsFacts& facts, Exposition& to) {
  const char* frame_help = "How long frames took, from the decision to the published outputs.";
  to.histogram("arenad_frame_seconds", frame_help);
  for (const auto& [name, game] : facts.games) {
    to.add_histogram({game_label(name)}, game.totals.tallies, Tally::frame_time, Tally::frame_ns);
  }
  to.histogram("arenad_arena_frame_seconds", frame_help);
  for (const ArenaMetrics& arena : facts.arenas) {
    to.add_histogram(labels_of(arena), arena.totals.tallies, Tally::frame_time, Tally::frame_ns);
  }
  to.histogram("arenad_tick_lateness_seconds", "How late ticks began.");
  for (const auto& [name, game] : facts.games) {
    to.add_histogram({game_label(name)}, game.totals.tallies, Tally::tick_lateness, Tally::lateness_ns);
  }
}

template <class Counts>
void write_by(const MetricsFacts& facts, Exposition& to, const char* label, Counts GameTotals::*counts) {
  for (const auto& [name, game] : facts.games) {
    for (const auto& [key, count] : game.totals.*counts) to.add({game_label(name), {label, key}}, count);
  }
}

// Those that can be are there with a 0 from the beginning: a rate of what begins with its first 1 does not show it.
template <class Counts>
void write_by(const MetricsFacts& facts, Exposition& to, const char* label, Counts GameTotals::*counts,
              std::initializer_list<const char*> all) {
  for (const auto& [name, game] : facts.games) {
    const auto& known = game.totals.*counts;
    for (const char* key : all) {
      const auto found = known.find(key);
      to.add({game_label(name), {label, key}}, found == known.end() ? 0 : found->second);
    }
  }
}

const char* rung_label(Rung rung) {
  switch (rung) {
    case Rung::none:
      return "unknown";
    case Rung::init:
      return "init";
    case Rung::newest_slot:
      return "newest_slot";
    case Rung::older_slot:
      return "older_slot";
    case Rung::checkpoint:
      return "checkpoint";
  }
  return "unknown";
}

void write_failures(const MetricsFacts& facts, Exposition& to) {
  to.counter(
      "arenad_recoveries_total",
      "Incarnations that have gone on where another had ended, by the rung of the recovery ladder that they began at. Planned "
      "ones too: restarts and changes of code.");
  for (const auto& [name, game] : facts.games) {
    for (const Rung rung : {Rung::init, Rung::newest_slot, Rung::older_slot, Rung::checkpoint, Rung::none}) {
      const auto found = game.totals.recoveries.find(static_cast<uint32_t>(rung));
      to.add({game_label(name), {"rung", rung_label(rung)}}, found == game.totals.recoveries.end() ? 0 : found->second);
    }
  }
  to.counter("arenad_arena_recoveries_total", "The same, of an arena.");
  for (const ArenaMetrics& arena : facts.arenas) to.add(labels_of(arena), arena.totals.recoveries);
  to.histogram("arenad_recovery_seconds", "From the end of an incarnation until its successor decides frames.");
  for (const auto& [name, game] : facts.games) to.add_histogram({game_label(name)}, game.totals.recovery_time);
  to.histogram(
      "arenad_recovery_phase_seconds",
      "The parts of it: start until a successor has the arena, load until its state is loaded, replay until it decides "
      "frames. And of each death before it: detect, from the last sign of life until arenad heard of it.");
  for (const auto& [name, game] : facts.games) {
    const std::pair<const char*, const Durations*> phases[] = {{"detect", &game.totals.detection_time},
                                                               {"start", &game.totals.start_time},
                                                               {"load", &game.totals.load_time},
                                                               {"replay", &game.totals.replay_time}};
    for (const auto& [phase, durations] : phases) to.add_histogram({game_label(name), {"phase", phase}}, *durations);
  }
  to.counter("arenad_worker_deaths_total", "Workers that ended and were not to, by the kind of end.");
  write_by(facts, to, "kind", &GameTotals::deaths,
           {to_string(IncidentKind::crash), to_string(IncidentKind::exit), to_string(IncidentKind::killed),
            to_string(IncidentKind::out_of_memory), to_string(IncidentKind::hang)});
  to.counter("arenad_arena_worker_deaths_total", "The same, of an arena.");
  for (const ArenaMetrics& arena : facts.arenas) to.add(labels_of(arena), arena.totals.deaths);
  to.counter("arenad_crashes_total",
             "The same deaths by what they have in common: signal or exit code, and the place in the code if it is known.");
  write_by(facts, to, "signature", &GameTotals::signatures);
  to.counter("arenad_quarantined_events_total", "Events that were put in quarantine.");
  for (const auto& [name, game] : facts.games) to.add({game_label(name)}, game.totals.quarantined);
  to.counter("arenad_handovers_total", "Changes of the code of an arena that are over, by what became of them.");
  write_by(facts, to, "result", &GameTotals::handovers, {"passed", "failed"});
  to.counter("arenad_rollouts_total", "Rollouts that are over, by what became of them.");
  write_by(facts, to, "result", &GameTotals::rollouts, {"done", "failed", "aborted"});
}

void write_games(const MetricsFacts& facts, Exposition& to) {
  to.gauge("arenad_arenas", "Arenas by state.");
  for (const auto& [name, game] : facts.games) {
    for (size_t state = 0; state < kArenaStates; ++state) {
      to.add({game_label(name), {"state", to_string(static_cast<ArenaState>(state))}}, game.arenas[state]);
    }
  }
  const auto gauge = [&](const char* name, const char* help, uint64_t GameMetrics::*value) {
    to.gauge(name, help);
    for (const auto& [game_name, game] : facts.games) to.add({game_label(game_name)}, game.*value);
  };
  gauge("arenad_arenas_draining", "Arenas that run and are draining.", &GameMetrics::draining);
  gauge("arenad_arenas_without_series", "Arenas beyond metrics.max_arenas_with_series: they are in their game's sums alone.",
        &GameMetrics::series_left_out);
  gauge("arenad_spares", "Workers with the module loaded that wait for an arena.", &GameMetrics::spares);
  gauge("arenad_rollouts_running", "Rollouts that are not over.", &GameMetrics::rollouts_running);
  gauge("arenad_rollouts_paused", "Rollouts that are not over and paused.", &GameMetrics::rollouts_paused);
}

void write_memory(const MetricsFacts& facts, const MemoryFacts& memory, Exposition& to) {
  const auto of = [&](pid_t pid) {
    const auto found = memory.resident_bytes.find(pid);
    return found == memory.resident_bytes.end() ? 0 : found->second;
  };
  to.gauge(
      "arenad_resident_memory_bytes",
      "Resident memory of the game's workers. What they share with their template, and with each other, is counted for each.");
  for (const auto& [name, game] : facts.games) {
    uint64_t sum = 0;
    for (const pid_t pid : game.workers) sum += of(pid);
    to.add({game_label(name)}, sum);
  }
  to.gauge("arenad_arena_resident_memory_bytes", "Resident memory of the arena's worker.");
  for (const ArenaMetrics& arena : facts.arenas) to.add(labels_of(arena), of(arena.pid));
  to.counter(
      "arenad_cpu_seconds_total",
      "Processor time of the game's workers with all of their threads, also of those that have ended, as far as a scrape has "
      "seen it.");
  for (const auto& [name, game] : facts.games) to.add({game_label(name)}, seconds(facts.cpu.of_game(name)));
  to.counter("arenad_arena_cpu_seconds_total", "The same, of an arena.");
  for (const ArenaMetrics& arena : facts.arenas) to.add(labels_of(arena), seconds(facts.cpu.of_arena(arena.name)));
  const double unknown = std::numeric_limits<double>::quiet_NaN();
  const double unlimited = std::numeric_limits<double>::infinity();
  to.gauge("arenad_memory_group_bytes",
           "Memory that the kernel counts for the control group with arenad and its workers that is nearest to its limit. NaN: "
           "it does not "
           "count.");
  to.add({}, memory.group ? static_cast<double>(memory.group->bytes) : unknown);
  to.gauge("arenad_memory_group_limit_bytes", "The limit of that group. +Inf: none.");
  to.add({}, memory.group && memory.group->limit_bytes ? static_cast<double>(*memory.group->limit_bytes) : unlimited);
}

void write_store(const MetricsFacts& facts, Exposition& to) {
  to.counter("arenad_store_commits_total", "Transactions that the database has taken.").add({}, facts.store.commits);
  to.counter("arenad_store_failed_commits_total", "Transactions that the database has not taken.")
      .add({}, facts.store.failed_commits);
  to.counter("arenad_store_skipped_rows_total", "Damaged rows that were met while reading.").add({}, facts.store.skipped_rows);
  to.counter("arenad_store_replacements_total",
             "How often a new database took the place of one that could not be used any more.")
      .add({}, facts.store.replacements);
  to.gauge("arenad_store_waiting_batches", "What was given to the database and is neither durable nor refused.")
      .add({}, facts.store.waiting_batches);
  to.counter("arenad_store_refused_records_total",
             "Records that the database has refused for their content, while it took all others.")
      .add({}, facts.store.refused_records);
  to.counter(
        "arenad_store_unawaited_batches_total",
        "What was given to the database while too much waited for it: it is written with the rest, and nobody is told when.")
      .add({}, facts.store.unawaited_batches);
  to.gauge("arenad_store_failing_seconds", "Since when every transaction has failed. 0: the last one was taken.")
      .add({}, seconds(facts.store.failing_ns));
}

void write_daemon(const MetricsFacts& facts, const MemoryFacts::Self& self, Exposition& to) {
  to.gauge("arenad_build_info", "1; the version of arenad is a label.").add({{"version", facts.version}}, 1.0);
  to.histogram("arenad_loop_delay_seconds", "How late the loop of arenad was at its look after all arenas, 20 times a second.");
  to.add_histogram({}, facts.loop_delay);
  to.gauge("arenad_control_connections", "Connections to the control socket.").add({}, facts.control_connections);
  to.gauge("arenad_control_requests_open", "Requests on the control socket that are not answered yet.")
      .add({}, facts.requests_open);
  to.counter("arenad_control_requests_total",
             "Requests on the control socket that were answered, by verb and by what became of them.");
  for (const auto& [key, count] : facts.requests) to.add({{"verb", key.first}, {"result", key.second}}, count);
  to.counter("arenad_adopted_arenas_total",
             "Arenas whose workers had outlived an earlier arenad and were taken over by this one.")
      .add({}, facts.adopted);
  to.counter("arenad_set_back_arenas_total",
             "Arenas that this arenad has set back to a checkpoint: what came after it was lost.")
      .add({}, facts.set_back);
  to.histogram("arenad_scrape_collect_seconds", "How long the loop was held up by scrapes.");
  to.add_histogram({}, facts.collecting);
  to.histogram("arenad_scrape_render_seconds", "How long the text of scrapes took, beside the loop.");
  to.add_histogram({}, facts.rendering);
  to.gauge("process_resident_memory_bytes", "Resident memory of arenad itself.").add({}, self.resident_bytes);
  to.counter("process_cpu_seconds_total", "Processor time of arenad itself.").add({}, self.cpu_seconds);
  to.gauge("process_open_fds", "Open descriptors of arenad.").add({}, self.open_files);
  to.gauge("process_max_fds", "How many descriptors arenad may have.").add({}, self.max_open_files);
  to.gauge("process_start_time_seconds", "When arenad began, as seconds since 1970.").add({}, facts.started_unix_s);
}

}  // namespace

std::string metrics_text(const MetricsFacts& facts, const MemoryFacts& memory) {
  Exposition to;
  write_daemon(facts, memory.self, to);
  write_games(facts, to);
  write_counters(facts, to);
  write_durations(facts, to);
  write_gauges(facts, to);
  write_failures(facts, to);
  write_memory(facts, memory, to);
  write_store(facts, to);
  return to.text();
}

}  // namespace arenad
