#include "chaos/replay_run.h"

#include <algorithm>
#include <cinttypes>
#include <csignal>
#include <cstdio>

#include "chaos/child_process.h"
#include "chaos/files.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kTimeoutMs = 120'000;

enum class SnapshotAt { nowhere, the_end };

struct StretchRun {
  std::filesystem::path module;
  std::string name;  // of its files
  SnapshotAt snapshot = SnapshotAt::nowhere;
};

std::filesystem::path snapshot_file(const std::filesystem::path& folder, const StretchRun& run) {
  return folder / (run.name + ".snapshot");
}

Result<Replay> run_stretch(const Programs& programs, const std::filesystem::path& folder, const Recording& recording,
                           const StretchRun& run) {
  const auto file = folder / (run.name + ".arena");
  const auto outputs = folder / (run.name + ".outputs");
  const auto log = folder / (run.name + ".replay");
  if (auto written = write_file(file, encode_recording(recording)); !written) return written.error();
  std::vector<std::string> arguments = {"--replay",  file.string(),    "--module", run.module.string(),
                                        "--outputs", outputs.string(), "--summary"};
  if (run.snapshot == SnapshotAt::the_end) {
    arguments.insert(arguments.end(), {"--snapshot", snapshot_file(folder, run).string()});
  }
  auto worker =
      ChildProcess::start({.program = programs.worker, .arguments = arguments, .log = log, .signal_if_orphaned = SIGKILL});
  if (!worker) return worker.error();
  const auto exit = worker->wait(kTimeoutMs);
  const std::string last = last_lines(log, 1);
  // It ends with 1 when frames gave other outputs than in the arena, which its summary counts.
  auto replay = exit ? parse_replay_summary(last) : std::nullopt;
  if (!replay || exit->how != Exit::How::exited) {
    const std::string how = exit ? exit->text() : "it does not end";
    return make_error(ErrorCode::failed, run.name + ": the replay without a crash failed: " + how + ": " + last_lines(log, 5));
  }
  auto words = read_words(outputs);
  if (!words) return words.error();
  replay->outputs = std::move(*words);
  return std::move(*replay);
}

}  // namespace

Result<Recording> make_recording(const StartedArena& arena, const FrameHistory& history, std::span<const ClientLog> clients) {
  Recording recording;
  recording.arena = arena.id;
  recording.name = arena.name;
  recording.game = "tanks";
  recording.epoch = {1};
  recording.recorded_unix_ms = unix_ms();
  recording.params = arena.params;
  recording.frames.assign(history.frames().begin(), history.frames().end());
  for (const auto& [channel, part] : history.parts()) {
    const auto client =
        std::find_if(clients.begin(), clients.end(), [id = channel](const ClientLog& log) { return log.head.channel == id; });
    if (client == clients.end()) {
      return make_error(ErrorCode::failed,
                        arena.name + ": channel " + std::to_string(channel) + " has joined, and is no client's");
    }
    recording.channels.push_back({{channel}, part.slot, 0, client->sent_bytes()});
  }
  return recording;
}

std::optional<Replay> parse_replay_summary(const std::string& line) {
  Replay replay;
  const int found =
      std::sscanf(line.c_str(), "replayed %*s to frame %" SCNu64 ": %" SCNu64 " events, %" SCNu64 " outputs, %" SCNu64,
                  &replay.last_frame, &replay.events_applied, &replay.outputs_counted, &replay.divergences);
  if (found != 4) return std::nullopt;
  return replay;
}

Result<Replay> run_replay(const Programs& programs, const std::filesystem::path& folder, const Recording& recording,
                          std::span<const Stretch> stretches) {
  if (stretches.empty()) return run_stretch(programs, folder, recording, {programs.game, recording.name, SnapshotAt::nowhere});
  Replay whole;
  Recording rest = recording;
  for (size_t i = 0; i < stretches.size(); ++i) {
    const bool is_last = i + 1 == stretches.size();
    const uint64_t end = is_last ? recording.frames.size() : std::min(stretches[i + 1].after_frame, recording.frames.size());
    const auto first = recording.frames.begin() + static_cast<std::ptrdiff_t>(std::min(stretches[i].after_frame, end));
    rest.frames.assign(first, recording.frames.begin() + static_cast<std::ptrdiff_t>(end));
    const StretchRun run{programs.versions.at(stretches[i].version), recording.name + "." + std::to_string(i + 1),
                         is_last ? SnapshotAt::nowhere : SnapshotAt::the_end};
    auto part = run_stretch(programs, folder, rest, run);
    if (!part) return part;
    whole.outputs.insert(whole.outputs.end(), part->outputs.begin(), part->outputs.end());
    part->outputs = std::move(whole.outputs);
    part->divergences += whole.divergences;
    whole = std::move(*part);
    if (is_last) break;
    auto snapshot = read_file(snapshot_file(folder, run));
    if (!snapshot) return snapshot.error();
    rest.snapshot = std::move(*snapshot);
  }
  return whole;
}

}  // namespace arenad::chaos
