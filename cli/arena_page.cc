#include "cli/arena_page.h"

#include <fmt/format.h>

#include "cli/arena_state.h"
#include "cli/code_text.h"
#include "cli/page.h"
#include "cli/quantity.h"
#include "ipc/histogram.h"
#include "ipc/limits.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

using Status = wire::ArenaStatus::Reader;

std::string shown(capnp::Text::Reader text) {
  return printable(text_of(text));
}

std::string duration_of_us(uint64_t us) {
  return duration_text(static_cast<double>(us));
}

std::string title(Status status, Colour colour) {
  const std::string state = text_of(status.getState());
  std::string line = painted(shown(status.getName()), Tone::heading, colour) + ": " +
                     painted(printable(state), tone_of(standing_of(state)), colour);
  const std::string reason = shown(status.getReason());
  if (!reason.empty()) line += ", " + reason;
  return line + "\n";
}

std::string started_text(const ArenaAt& arena) {
  const uint64_t since = arena.status.getSinceUnixMs();
  if (since == 0) return {};
  const uint64_t age_ms = arena.now_unix_ms > since ? arena.now_unix_ms - since : 0;
  return fmt::format("{}, {} ago", utc_text(since), duration_text(static_cast<double>(age_ms) * 1000));
}

std::string process_text(Status status) {
  if (status.getPid() == 0) return fmt::format("none, epoch {}", status.getEpoch());
  return fmt::format("pid {}, epoch {}", status.getPid(), status.getEpoch());
}

std::string game_text(Status status) {
  const std::string version = shown(status.getGameVersion());
  const std::string code = printable(short_code(text_of(status.getCode())));
  std::string text = shown(status.getGame());
  if (!version.empty()) text += ", version " + version;
  if (!code.empty()) text += ", code " + code;
  if (status.getPinned()) text += ", pinned";
  if (status.getProbation()) text += ", on probation";
  return text;
}

std::string params_text(Status status) {
  std::string text;
  for (const auto param : status.getParams()) {
    text += (text.empty() ? "" : " ") + shown(param.getKey()) + "=" + shown(param.getValue());
  }
  return text;
}

std::string frame_text(Status status) {
  const std::string pace = status.getTickHz() == 0 ? "without a tick" : fmt::format("at {} Hz", status.getTickHz());
  return fmt::format("{} {}, {} late, {} slow, mean {}, longest {}", status.getFrame(), pace, status.getFramesLate(),
                     status.getFramesSlow(), duration_text(status.getFrameMeanUs()), duration_of_us(status.getFrameMaxUs()));
}

std::string lateness_text(Status status) {
  const auto counts = status.getLateness();
  if (counts.size() != kHistogramBuckets) {
    return fmt::format("p50 {}, p99 {}", duration_of_us(status.getLateP50Us()), duration_of_us(status.getLateP99Us()));
  }
  const auto quantile = [&](double fraction) { return duration_of_us(histogram_quantile(counts, fraction)); };
  return fmt::format("p50 {}, p90 {}, p99 {}, p99.9 {}, most {}", quantile(0.5), quantile(0.9), quantile(0.99), quantile(0.999),
                     quantile(1));
}

std::string restarts_text(Status status) {
  const std::string allowed =
      status.getRestartsAllowed() == 0
          ? "within the budget's window"
          : fmt::format("of {} within {}", status.getRestartsAllowed(), duration_of_us(status.getRestartWindowMs() * 1000));
  std::string text = fmt::format("{} {}, {} in all", status.getRestarts(), allowed, status.getRestartsTotal());
  if (status.getNextRestartMs() != 0) {
    text += ", the next in " + duration_of_us(status.getNextRestartMs() * 1000);
  }
  return text;
}

std::string processor_text(Status status) {
  if (status.getCpuNs() == 0) return {};
  std::string text = duration_text(static_cast<double>(status.getCpuNs()) / 1000) + " taken";
  if (status.getCpuPercent() >= 0) text += fmt::format(", {:.1f}% of a core in the last second", status.getCpuPercent());
  return text;
}

std::string last_crash_text(Status status) {
  if (status.getLastCrash() == 0) return {};
  return fmt::format("{0}: see arenactl crashes show {0}", status.getLastCrash());
}

std::string quarantine_text(Status status) {
  if (status.getQuarantined() == 0) return {};
  return fmt::format("{} withheld: see arenactl quarantine list {}",
                     status.getQuarantined() == 1 ? "1 event is" : fmt::format("{} events are", status.getQuarantined()),
                     shown(status.getName()));
}

std::string origin_text(Status status) {
  const std::string rung = shown(status.getRung());
  if (rung.empty()) return {};
  std::string text =
      fmt::format("{}, {} frames and {} events replayed", rung, status.getReplayedFrames(), status.getReplayedEvents());
  if (status.getRecoveryMs() != 0) text += fmt::format(", {} after a death", duration_text(status.getRecoveryMs() * 1000));
  return text;
}

std::string divergence_text(Status status) {
  if (status.getDivergences() == 0) return {};
  return fmt::format("{} frames gave other outputs when replayed, the first is {}: the game is not deterministic",
                     status.getDivergences(), status.getFirstDivergentFrame());
}

std::string snapshots_text(Status status) {
  std::string text =
      fmt::format("{}, {} failed, the last at frame {} of {}, mean {}", status.getSnapshots(), status.getSnapshotsFailed(),
                  status.getSnapshotFrame(), bytes_text(status.getSnapshotBytes()), duration_text(status.getSnapshotMeanUs()));
  if (status.getSnapshotAgeMs() != 0) text += ", " + duration_of_us(status.getSnapshotAgeMs() * 1000) + " old";
  return text;
}

std::string durable_text(Status status) {
  const uint64_t frame = status.getFrame();
  const uint64_t durable = status.getDurableFrame();
  std::string text = fmt::format("up to frame {}", durable);
  if (has_incarnation(status)) text += fmt::format(", {} behind", frame > durable ? frame - durable : 0);
  if (status.getReleasedEarly()) text += "; records since then were released early, so a replay cannot begin there";
  return text;
}

std::string channel_seat(wire::ChannelStatus::Reader channel) {
  return channel.getSeat() < limits::kMaxSeats ? std::to_string(channel.getSeat()) : "observer";
}

std::string channels_table(Status status, Colour colour) {
  if (status.getChannels().size() == 0) return {};
  Table table({{"SEAT", Align::right},
               {"PLAYER"},
               {"APPLIED", Align::right},
               {"REJECTED", Align::right},
               {"WAITING", Align::right},
               {"KEPT", Align::right},
               {"OUTPUT-LAG", Align::right}});
  for (const auto channel : status.getChannels()) {
    table.add_row({{channel_seat(channel)},
                   {shown(channel.getPlayer())},
                   {std::to_string(channel.getApplied())},
                   {std::to_string(channel.getRejected())},
                   {bytes_text(channel.getWaitingBytes())},
                   {bytes_text(channel.getKeptBytes())},
                   {bytes_text(channel.getOutputLagBytes())}});
  }
  return "\n" + table.text(colour, Header::shown);
}

void add_incarnation(Page& page, Status status, Colour colour) {
  page.add("frame", frame_text(status));
  page.add("lateness", lateness_text(status));
  page.add("events", fmt::format("{} applied, {} rejected", status.getEvents(), status.getRejected()));
  page.add("outputs", fmt::format("{} published, {} refused", status.getOutputs(), status.getOutputsRefused()));
  page.add("began from", origin_text(status));
  page.add("divergence", painted(divergence_text(status), Tone::bad, colour));
  page.add("snapshots", snapshots_text(status));
}

}  // namespace

std::string render_arena_page(const ArenaAt& arena, Colour colour) {
  const Status status = arena.status;
  Page page;
  page.add_raw(title(status, colour));
  page.add("id", shown(status.getId()));
  page.add("game", game_text(status));
  page.add("parameters", params_text(status));
  page.add("started", started_text(arena));
  page.add("process", process_text(status));
  page.add("processor", processor_text(status));
  page.add("players", fmt::format("{} seated, {} clients", status.getPlayers(), status.getClients()));
  page.add("restarts", restarts_text(status));
  page.add("last exit", shown(status.getLastExit()));
  page.add("last crash", last_crash_text(status));
  page.add("quarantine", painted(quarantine_text(status), Tone::bad, colour));
  if (has_incarnation(status)) add_incarnation(page, status, colour);
  page.add("durable", durable_text(status));
  page.add("memory", bytes_text(status.getSharedMemoryBytes()) + " shared");
  page.add_raw(channels_table(status, colour));
  return page.text();
}

}  // namespace arenad::cli
