// How long the collector of Python holds up a frame, with a million live objects: in an arena, and in a Python as it comes.
#include <fmt/format.h>
#include <sstream>

#include "bench/bench.capnp.h"
#include "bench/benchmark.h"
#include "bench/daemon.h"
#include "bench/script.h"
#include "bench/sleep.h"
#include "bench/worker_probe.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr double kSeconds = 30;
constexpr uint64_t kDefaultFrames = 600;
constexpr uint64_t kAnswerTimeoutNs = 60 * kSecond;

// What the game answers to a Poke (python/collector_py).
constexpr uint64_t kLongestPause = 0;
constexpr uint64_t kCollections = 1;

Result<uint64_t> ask(Attachment& arena, uint64_t what) {
  if (arena.send<Poke>([&](Poke::Builder poke) { poke.setValue(what); }) != Sent::ok)
    return make_error(ErrorCode::failed, "the arena takes no events");
  for (const uint64_t deadline_ns = monotonic_ns() + kAnswerTimeoutNs; monotonic_ns() < deadline_ns; arena.wait(10)) {
    for (Incoming incoming = arena.receive(); incoming != Incoming::none; incoming = arena.receive()) {
      if (incoming == Incoming::gone || incoming == Incoming::disconnected)
        return make_error(ErrorCode::failed, "the arena is gone");
      const Output& output = arena.output();
      if (incoming == Incoming::output && output.type == capnp::typeId<Echo>())
        return MessageView(output.words, output.word_count).root<Echo>().getPokes();
    }
  }
  return make_error(ErrorCode::timeout, "the arena does not answer");
}

struct InArena {
  uint64_t longest_us;
  uint64_t collections;
  uint64_t late;
  uint64_t frames;
};

Result<InArena> play(const Conditions& conditions) {
  auto daemon = Daemon::start(conditions.folder,
                              {.name = "collector", .settings = "", .game_settings = "", .bench_module = "collector_py"});
  if (!daemon) return daemon.error();
  auto control = daemon->connect();
  if (!control) return control.error();
  if (auto started = start_arena(*control, "bench", "collecting", {}); !started) return started.error();
  auto client = Client::connect(daemon->socket());
  if (!client) return client.error();
  auto arena = (*client)->attach({.arena = "collecting", .player = "ann"});
  if (!arena) return arena.error();
  sleep_ms(static_cast<uint64_t>(std::max(2.0, kSeconds * conditions.scale) * 1000));
  auto longest = ask(**arena, kLongestPause);
  if (!longest) return longest.error();
  auto collections = ask(**arena, kCollections);
  if (!collections) return collections.error();
  const WorkerProbe probe(**arena);
  const InArena facts{*longest, *collections, probe.status().frames_late.load(), probe.status().frames.load()};
  arena->reset();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return facts;
}

}  // namespace

Result<Figures> measure_python_collector(const Conditions& conditions) {
  const auto frames = std::max<uint64_t>(100, static_cast<uint64_t>(kDefaultFrames * conditions.scale));
  auto plain = run_script("collector_default.py", {std::to_string(frames)});
  if (!plain) return plain.error();
  double default_ms = 0;
  uint64_t young = 0;
  uint64_t older = 0;
  uint64_t whole = 0;
  if (std::istringstream words(*plain); !(words >> default_ms >> young >> older >> whole))
    return make_error(ErrorCode::failed, "a script has printed no figures: " + *plain);
  auto ours = play(conditions);
  if (!ours) return ours.error();
  return Figures{{"python.gc_pause_max_ms", static_cast<double>(ours->longest_us) / 1000,
                  fmt::format("{} collections between {} frames, of which {} began more than a tick late", ours->collections,
                              ours->frames, ours->late)},
                 {"python.gc_pause_default_ms", default_ms,
                  fmt::format("{} frames, {} + {} + {} collections", frames, young, older, whole)}};
}

}  // namespace arenad::bench
