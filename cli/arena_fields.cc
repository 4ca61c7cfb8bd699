#include "cli/arena_fields.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

#include "cli/arena_state.h"
#include "cli/code_text.h"
#include "cli/quantity.h"
#include "cli/suggestion.h"
#include "cli/table_options.h"
#include "ipc/printable.h"

namespace arenad::cli {
namespace {

// How long an arena that has not come to its end has been there, through all its incarnations.
FieldValue uptime_of(const ArenaAt& arena) {
  const uint64_t since = arena.status.getSinceUnixMs();
  const Standing standing = standing_of(text_of(arena.status.getState()));
  const bool over = standing == Standing::finished || standing == Standing::broken;
  if (since == 0 || over) return Absent{};
  // The wall clock may have been set back since.
  return Milliseconds(arena.now_unix_ms > since ? arena.now_unix_ms - since : 0);
}

using Status = wire::ArenaStatus::Reader;

template <auto Getter>
FieldValue text(const ArenaAt& arena) {
  return text_of((arena.status.*Getter)());
}

template <auto Getter, class Unit = uint64_t>
FieldValue number(const ArenaAt& arena) {
  return Unit{(arena.status.*Getter)()};
}

// For what is not there when it is zero.
template <auto Getter, class Unit = uint64_t>
FieldValue number_if_any(const ArenaAt& arena) {
  const auto value = (arena.status.*Getter)();
  if (value == 0) return Absent{};
  return Unit{value};
}

// For what only an incarnation has: without one it is not zero but unknown.
template <auto Getter, class Unit = uint64_t>
FieldValue of_incarnation(const ArenaAt& arena) {
  if (!has_incarnation(arena.status)) return Absent{};
  return number<Getter, Unit>(arena);
}

FieldValue restarts_of(const ArenaAt& arena) {
  return RestartCount{arena.status.getRestarts(), arena.status.getRestartsTotal()};
}

FieldValue code_of(const ArenaAt& arena) {
  return Code{text_of(arena.status.getCode())};
}

FieldValue cpu_of(const ArenaAt& arena) {
  if (arena.status.getCpuPercent() < 0) return Absent{};
  return Percent{arena.status.getCpuPercent()};
}

constexpr std::array kFields{
    ArenaField{"arena", "name", Align::left, text<&Status::getName>},
    ArenaField{"id", "id", Align::left, text<&Status::getId>},
    ArenaField{"game", "game", Align::left, text<&Status::getGame>},
    ArenaField{"version", "game_version", Align::left, text<&Status::getGameVersion>},
    ArenaField{"code", "code", Align::left, code_of},
    ArenaField{"pinned", "pinned", Align::left, number<&Status::getPinned, bool>},
    ArenaField{"probation", "probation", Align::left, number<&Status::getProbation, bool>},
    ArenaField{"state", "state", Align::left, text<&Status::getState>},
    ArenaField{"reason", "reason", Align::left, text<&Status::getReason>},
    ArenaField{"pid", "pid", Align::right, number_if_any<&Status::getPid>},
    ArenaField{"epoch", "epoch", Align::right, number<&Status::getEpoch>},
    ArenaField{"since", "since_unix_ms", Align::left, number<&Status::getSinceUnixMs, UnixMs>},
    ArenaField{"uptime", "uptime_ms", Align::right, uptime_of},
    ArenaField{"frame", "frame", Align::right, of_incarnation<&Status::getFrame>},
    ArenaField{"tick-hz", "tick_hz", Align::right, of_incarnation<&Status::getTickHz>},
    ArenaField{"players", "players", Align::right, number<&Status::getPlayers>},
    ArenaField{"clients", "clients", Align::right, number<&Status::getClients>},
    ArenaField{"events", "events", Align::right, of_incarnation<&Status::getEvents>},
    ArenaField{"rejected", "rejected", Align::right, of_incarnation<&Status::getRejected>},
    ArenaField{"outputs", "outputs", Align::right, of_incarnation<&Status::getOutputs>},
    ArenaField{"outputs-refused", "outputs_refused", Align::right, of_incarnation<&Status::getOutputsRefused>},
    ArenaField{"restarts", "restarts", Align::right, restarts_of},
    ArenaField{"restarts-total", "restarts_total", Align::right, number<&Status::getRestartsTotal>},
    ArenaField{"restarts-allowed", "restarts_allowed", Align::right, number<&Status::getRestartsAllowed>},
    ArenaField{"restart-window", "restart_window_ms", Align::right, number<&Status::getRestartWindowMs, Milliseconds>},
    ArenaField{"next-restart", "next_restart_ms", Align::right, number_if_any<&Status::getNextRestartMs, Milliseconds>},
    ArenaField{"last-exit", "last_exit", Align::left, text<&Status::getLastExit>},
    ArenaField{"last-crash", "last_crash", Align::right, number_if_any<&Status::getLastCrash>},
    ArenaField{"quarantined", "quarantined", Align::right, number<&Status::getQuarantined>},
    ArenaField{"recovery", "recovery_ms", Align::right, number_if_any<&Status::getRecoveryMs, MeanMilliseconds>},
    ArenaField{"rung", "rung", Align::left, text<&Status::getRung>},
    ArenaField{"replayed-frames", "replayed_frames", Align::right, of_incarnation<&Status::getReplayedFrames>},
    ArenaField{"replayed-events", "replayed_events", Align::right, of_incarnation<&Status::getReplayedEvents>},
    ArenaField{"divergences", "divergences", Align::right, of_incarnation<&Status::getDivergences>},
    ArenaField{"first-divergent", "first_divergent_frame", Align::right, number_if_any<&Status::getFirstDivergentFrame>},
    ArenaField{"frames-late", "frames_late", Align::right, of_incarnation<&Status::getFramesLate>},
    ArenaField{"late-p50", "late_p50_us", Align::right, of_incarnation<&Status::getLateP50Us, Microseconds>},
    ArenaField{"late-p99", "late_p99_us", Align::right, of_incarnation<&Status::getLateP99Us, Microseconds>},
    ArenaField{"frames-slow", "frames_slow", Align::right, of_incarnation<&Status::getFramesSlow>},
    ArenaField{"frame-mean", "frame_mean_us", Align::right, of_incarnation<&Status::getFrameMeanUs, MeanMicroseconds>},
    ArenaField{"frame-max", "frame_max_us", Align::right, of_incarnation<&Status::getFrameMaxUs, Microseconds>},
    ArenaField{"snapshots", "snapshots", Align::right, of_incarnation<&Status::getSnapshots>},
    ArenaField{"snapshots-failed", "snapshots_failed", Align::right, of_incarnation<&Status::getSnapshotsFailed>},
    ArenaField{"snap-size", "snapshot_bytes", Align::right, of_incarnation<&Status::getSnapshotBytes, Bytes>},
    ArenaField{"snap-frame", "snapshot_frame", Align::right, of_incarnation<&Status::getSnapshotFrame>},
    ArenaField{"snap-age", "snapshot_age_ms", Align::right, of_incarnation<&Status::getSnapshotAgeMs, Milliseconds>},
    ArenaField{"snap-mean", "snapshot_mean_us", Align::right, of_incarnation<&Status::getSnapshotMeanUs, MeanMicroseconds>},
    ArenaField{"durable", "durable_frame", Align::right, number<&Status::getDurableFrame>},
    ArenaField{"mem", "shared_memory_bytes", Align::right, number<&Status::getSharedMemoryBytes, Bytes>},
    ArenaField{"cpu", "cpu_percent", Align::right, cpu_of},
    ArenaField{"cpu-time", "cpu_ns", Align::right, number_if_any<&Status::getCpuNs, Nanoseconds>},
    ArenaField{"released-early", "released_early", Align::left, of_incarnation<&Status::getReleasedEarly, bool>},
};

constexpr std::array<std::string_view, 14> kDefaultColumns{"arena",   "state", "pid",       "uptime",     "restarts",
                                                           "version", "frame", "late-p99",  "snap-frame", "durable",
                                                           "cpu",     "mem",   "last-exit", "reason"};

// Headings, names and keys are all taken as names.
const ArenaField* find_field(std::string_view name) {
  const std::string wanted = column_name_of(name);
  const auto found = std::ranges::find_if(
      kFields, [&](const ArenaField& field) { return field.column == wanted || column_name_of(field.key) == wanted; });
  return found == kFields.end() ? nullptr : &*found;
}

std::vector<std::string> column_names() {
  std::vector<std::string> names;
  names.reserve(kFields.size());
  for (const ArenaField& field : kFields) names.emplace_back(field.column);
  return names;
}

Error unknown_column(std::string_view name) {
  const auto names = column_names();
  return make_error(ErrorCode::invalid, fmt::format("no column is called '{}'{}; there are: {}", name,
                                                    did_you_mean(column_name_of(name), names), fmt::join(names, " ")));
}

struct ToText {
  std::string operator()(Absent) const { return {}; }
  std::string operator()(const std::string& text) const { return printable(text); }
  std::string operator()(uint64_t count) const { return std::to_string(count); }
  std::string operator()(bool flag) const { return flag ? "yes" : "no"; }
  std::string operator()(Bytes bytes) const { return bytes_text(bytes.value); }
  std::string operator()(UnixMs time) const { return utc_text(time.value); }
  std::string operator()(const Code& code) const { return printable(short_code(code.hash)); }
  std::string operator()(Percent share) const { return fmt::format("{:.1f}%", share.value); }
  std::string operator()(RestartCount count) const { return fmt::format("{}/{}", count.in_window, count.total); }
  template <class Rep, class Period>
  std::string operator()(std::chrono::duration<Rep, Period> duration) const {
    return duration_text(MeanMicroseconds(duration).count());
  }
};

}  // namespace

std::span<const ArenaField> all_arena_fields() {
  return kFields;
}

std::vector<const ArenaField*> default_arena_columns() {
  std::vector<const ArenaField*> columns;
  for (const std::string_view name : kDefaultColumns) {
    columns.push_back(find_field(name));
    ARENAD_ASSERT(columns.back() != nullptr);
  }
  return columns;
}

Result<std::vector<const ArenaField*>> select_arena_columns(std::string_view list) {
  std::vector<const ArenaField*> columns;
  for (;;) {
    const size_t end = list.find(',');
    const std::string_view name = list.substr(0, end);
    const ArenaField* field = find_field(name);
    if (field == nullptr) return unknown_column(name);
    columns.push_back(field);
    if (end == std::string_view::npos) return columns;
    list.remove_prefix(end + 1);
  }
}

std::string arena_columns_help() {
  return columns_help(column_names());
}

std::string field_text(const FieldValue& value) {
  return std::visit(ToText{}, value);
}

bool has_incarnation(wire::ArenaStatus::Reader status) {
  return status.getSharedMemoryBytes() != 0;
}

}  // namespace arenad::cli
