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

Result<Replay> run_replay(const Programs& programs, const std::filesystem::path& folder, const Recording& recording) {
  const auto file = folder / (recording.name + ".arena");
  const auto outputs = folder / (recording.name + ".outputs");
  const auto log = folder / (recording.name + ".replay");
  if (auto written = write_file(file, encode_recording(recording)); !written) return written.error();
  auto worker = ChildProcess::start(
      {.program = programs.worker,
       .arguments = {"--replay", file.string(), "--module", programs.game.string(), "--outputs", outputs.string(), "--summary"},
       .log = log,
       .signal_if_orphaned = SIGKILL});
  if (!worker) return worker.error();
  const auto exit = worker->wait(kTimeoutMs);
  const std::string last = last_lines(log, 1);
  // It ends with 1 when frames gave other outputs than in the arena, which its summary counts.
  auto replay = exit ? parse_replay_summary(last) : std::nullopt;
  if (!replay || exit->how != Exit::How::exited) {
    const std::string how = exit ? exit->text() : "it does not end";
    return make_error(ErrorCode::failed,
                      recording.name + ": the replay without a crash failed: " + how + ": " + last_lines(log, 5));
  }
  auto words = read_words(outputs);
  if (!words) return words.error();
  replay->outputs = std::move(*words);
  return std::move(*replay);
}

}  // namespace arenad::chaos
