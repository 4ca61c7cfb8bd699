#include "worker/desk_replay.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>

#include <xxhash.h>

#include "ipc/clock.h"
#include "ipc/recording.h"
#include "ipc/replay_times.h"
#include "worker/arena_runtime.h"
#include "worker/module.h"
#include "worker/template_role.h"

namespace arenad {
namespace {

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream content;
  content << file.rdbuf();
  if (!file) return errno_error("cannot read " + path);
  return content.str();
}

class OutputFile {
 public:
  explicit OutputFile(std::string path)
      : path_(std::move(path)), file_(path_.empty() ? nullptr : std::fopen(path_.c_str(), "wb")) {}
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  ~OutputFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  [[nodiscard]] bool wanted() const { return !path_.empty(); }
  bool write(const void* bytes, size_t count) { return file_ != nullptr && std::fwrite(bytes, 1, count, file_) == count; }
  Result<void> finish() {
    if (!wanted() || (file_ != nullptr && std::fflush(file_) == 0)) return {};
    return errno_error("cannot write " + path_);
  }

 private:
  std::string path_;
  FILE* file_;
};

Result<void> attach_channels(ArenaRuntime& runtime, const Recording& recording) {
  for (const RecordedChannel& recorded : recording.channels) {
    auto view = rebuild_channel(recorded.begin, recorded.bytes);
    if (!view) return view.error();
    runtime.channels().attach(recorded.channel, recorded.slot, "", std::move(*view));
  }
  return {};
}

Result<void> begin(ArenaRuntime& runtime, const Recording& recording) {
  if (recording.snapshot.empty()) return runtime.init(recording.params);
  auto snapshot = Snapshot::parse(recording.snapshot);
  if (!snapshot) return snapshot.error();
  return runtime.restore(*snapshot);
}

Result<void> write_snapshot(ArenaRuntime& runtime, const std::string& path) {
  if (!runtime.take_snapshot()) return make_error(ErrorCode::failed, "the state does not fit in a snapshot");
  // The first one of an incarnation lies in slot 0.
  auto snapshot = Snapshot::read_slot(runtime.incarnation().slot(0));
  if (!snapshot) return snapshot.error();
  std::ofstream file(path, std::ios::binary);
  file << snapshot->bytes() << std::flush;
  if (!file) return errno_error("cannot write " + path);
  return {};
}

// What the frame's results are, as they lie behind the published end.
void take_results(ArenaRuntime& runtime, uint64_t begin, uint64_t end, uint64_t frame, ReplayTimes& times) {
  while (begin < end) {
    const std::byte* at = runtime.system().at(begin);
    RecordHeader header{};
    std::memcpy(&header, at, sizeof header);
    const uint64_t bytes = record_words(header.bytes) * 8;
    times.results.push_back({frame, header.party, header.type, bytes, ::XXH3_64bits(at + sizeof header, bytes)});
    begin += header.bytes;
  }
}

// The log keeps nothing here: the recording is the log.
void record(ArenaRuntime& runtime, const DecidedFrame& frame) {
  if (!runtime.log().fits(frame.record().bytes)) runtime.log().release_through(runtime.frame().value);
  runtime.record(frame);
}

}  // namespace

Result<uint64_t> replay_at_desk(const DeskReplayOptions& options) {
  auto bytes = read_file(options.recording_path);
  if (!bytes) return bytes.error();
  auto recording = decode_recording(*bytes);
  if (!recording) return recording.error();
  auto module = Module::load(options.module_path);
  if (!module) return module.error();
  if (recording->game != module->game().name) {
    return make_error(ErrorCode::invalid, "the recording is of " + recording->game + ", the module is " + module->game().name);
  }
  auto region = Incarnation::create(incarnation_sizes(module->game(), {}));
  if (!region) return region.error();
  ArenaRuntime runtime(module->game(), std::move(*region), {recording->arena, recording->epoch, recording->name},
                       limits::kMaxEventBytes, [] {});
  if (auto attached = attach_channels(runtime, *recording); !attached) return attached.error();
  if (auto begun = begin(runtime, *recording); !begun) return begun.error();

  OutputFile outputs(options.outputs_path);
  OutputFile times_file(options.times_path);
  ReplayTimes times{module->game().name, module->game().version, {}, {}, 0};
  const uint64_t tick_ns = recording->tick_hz == 0 ? kMillisecond : kSecond / recording->tick_hz;
  const bool print = options.print == DeskReplayOptions::Print::frames;
  if (print) std::printf("frame %" PRIu64 " state %016" PRIx64 "\n", runtime.frame().value, runtime.state_hash());
  uint64_t divergences = 0;
  for (DecidedFrame& frame : recording->frames) {
    if (frame.record().frame <= runtime.frame().value) continue;
    const bool was_done = frame.done();
    const FrameEffects before = frame.effects();
    record(runtime, frame);
    const uint64_t begin_at = runtime.outputs().published();
    const uint64_t results_begin = runtime.system().published();
    const uint64_t begin_ns = monotonic_ns();
    auto effects = runtime.run(frame);
    const uint64_t took_ns = monotonic_ns() - begin_ns;
    if (!effects) return effects.error();
    if (times_file.wanted()) take_results(runtime, results_begin, effects->system_end, frame.record().frame, times);
    if (outputs.wanted()) outputs.write(runtime.outputs().at(begin_at), effects->outputs_end - begin_at);
    runtime.publish(*effects);
    runtime.results_committed(UINT64_MAX);
    const bool diverged = was_done && before != *effects;
    if (diverged) ++divergences;
    if (times_file.wanted()) {
      times.frames.push_back({frame.record().frame, took_ns, effects->outputs_hash, diverged});
      runtime.host().idle(tick_ns);  // where a game may do what it leaves for between frames
    }
    if (print) {
      std::printf("frame %" PRIu64 " state %016" PRIx64 " outputs %" PRIu64 " %016" PRIx64 "%s\n", frame.record().frame,
                  runtime.state_hash(), effects->outputs_end, effects->outputs_hash, diverged ? " DIVERGED" : "");
    }
    if (runtime.host().ended()) break;
  }
  if (auto finished = outputs.finish(); !finished) return finished.error();
  if (times_file.wanted()) {
    times.state_hash = runtime.state_hash();
    const std::string text = write_replay_times(times);
    times_file.write(text.data(), text.size());
    if (auto finished = times_file.finish(); !finished) return finished.error();
  }
  if (!options.snapshot_path.empty()) {
    if (auto written = write_snapshot(runtime, options.snapshot_path); !written) return written.error();
  }
  std::printf("replayed %s to frame %" PRIu64 ": %" PRIu64 " events, %" PRIu64 " outputs, %" PRIu64 " divergences\n",
              recording->name.c_str(), runtime.frame().value, runtime.status().events_applied.load(), runtime.outputs().count(),
              divergences);
  return divergences;
}

}  // namespace arenad
