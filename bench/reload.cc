// How long an arena is away when its code is changed: from the last frame of the old code to the first one of the new code. And when new
// code dies: from the frame in which it dies to the next frame of the old code.
//
// The state has 64 KiB. A player pokes all the time, each poke a frame of its own, so that a frame is due whenever one can be. The beginning
// is counted from when the last frame began, which is a little early.
#include <fcntl.h>
#include <fmt/format.h>
#include <thread>
#include <unistd.h>

#include "bench/bench_player.h"
#include "bench/benchmark.h"
#include "bench/quantile.h"
#include "ipc/clock.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kTimeoutNs = 20 * kSecond;
constexpr uint64_t kTimeoutMs = 20'000;
constexpr uint64_t kChannelBytes = 512 * 1024;
constexpr unsigned kPokeEveryUs = 100;

const Daemon::Options kOptions{.name = "reload",
                               .settings =
                                   "[restart]\nintensity = 1000\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\n"
                                   "healthy_ms = 1\n",
                               .game_settings = "frame_log_bytes = 1048576"};

double milliseconds(uint64_t ns) {
  return static_cast<double>(ns) / 1e6;
}

Result<void> begin_rollout(ControlClient& control, const std::string& module) {
  const std::string path = std::string(ARENAD_BENCH_GAMES) + "/" + module + ".so";
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return errno_error("cannot read " + path);
  const int fd = file.get();
  auto answer = control.call(
      [&](wire::Request::Builder request) {
        auto reload = request.initReload();
        reload.setGame("bench");
        reload.setFile(module + ".so");
        reload.setCanary(1);
        reload.setBatch(1);
        reload.setProbationMs(module == "bench_dies" ? 60'000 : 0);
      },
      {&fd, 1}, kTimeoutMs);
  if (!answer) return answer.error();
  return {};
}

Result<std::string> end_of_rollout(ControlClient& control, BenchPlayer& player) {
  const uint64_t deadline_ns = monotonic_ns() + kTimeoutNs;
  while (monotonic_ns() < deadline_ns) {
    auto answer = control.call([](wire::Request::Builder request) { request.setRollouts("bench"); }, {}, kTimeoutMs);
    if (!answer) return answer.error();
    const auto rollout = answer->root().getReply().getRollouts()[0];
    if (rollout.getIsOver()) return std::string(rollout.getState());
    player.wait(5);
    if (auto taken = player.take_in(); !taken) return taken.error();
  }
  return make_error(ErrorCode::timeout, "a rollout does not end");
}

// Pokes until the next incarnation has published a frame. From the last frame of the one before.
Result<double> poke_over_the_change(BenchPlayer& player, Epoch before) {
  const uint64_t deadline_ns = monotonic_ns() + kTimeoutNs;
  while (monotonic_ns() < deadline_ns) {
    if (auto poked = player.poke(); !poked) return poked.error();
    ::usleep(kPokeEveryUs);
    if (auto taken = player.take_in(); !taken) return taken.error();
    if (player.worker().epoch() == before) continue;
    const uint64_t published_ns = player.worker().status().first_frame_published_ns.load(std::memory_order_acquire);
    if (published_ns != 0) return milliseconds(published_ns - player.worker().last_frame_of_predecessor_ns());
  }
  return make_error(ErrorCode::timeout, "no incarnation of other code has come");
}

struct Changes {
  std::vector<double> pauses_ms;
  std::vector<double> rollbacks_ms;
};

Result<void> change_once(ControlClient& control, BenchPlayer& player, const std::string& module, Changes& changes) {
  const bool dies = module == "bench_dies";
  const Epoch epoch = player.worker().epoch();
  // The code is loaded while the arena plays on.
  Result<void> begun;
  std::thread order([&] { begun = begin_rollout(control, module); });
  auto pause = poke_over_the_change(player, epoch);
  order.join();
  if (!begun) return begun;
  if (!pause) return pause.error();
  changes.pauses_ms.push_back(*pause);
  if (dies) {
    auto rollback = poke_over_the_change(player, player.worker().epoch());
    if (!rollback) return rollback.error();
    changes.rollbacks_ms.push_back(*rollback);
  }
  auto end = end_of_rollout(control, player);
  if (!end) return end.error();
  if (*end != (dies ? "failed" : "done")) return make_error(ErrorCode::failed, "a rollout of " + module + " is " + *end);
  return player.wait_until_applied();
}

}  // namespace

Result<Figures> measure_reload(const Conditions& conditions) {
  const auto rounds = std::max<uint64_t>(3, static_cast<uint64_t>(50 * conditions.scale));
  auto daemon = Daemon::start(conditions.folder, kOptions);
  if (!daemon) return daemon.error();
  auto player = BenchPlayer::join(*daemon, kChannelBytes);
  if (!player) return player.error();
  auto control = daemon->connect();
  if (!control) return control.error();
  Changes changes;
  for (uint64_t i = 0; i < rounds; ++i) {
    for (const char* module : {"bench_later", "bench_dies", "bench"}) {
      if (auto changed = change_once(*control, **player, module, changes); !changed) return changed.error();
    }
  }
  if ((*player)->pokes_echoed() != (*player)->pokes_sent()) {
    return make_error(ErrorCode::failed, fmt::format("{} events were sent, but {} were applied", (*player)->pokes_sent(),
                                                     (*player)->pokes_echoed()));
  }
  player->reset();
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return Figures{
      {"reload.pause_p50_ms", quantile(changes.pauses_ms, 0.5), fmt::format("{} changes of code", changes.pauses_ms.size())},
      {"reload.pause_p99_ms", quantile(changes.pauses_ms, 0.99), fmt::format("max {:.2f} ms", quantile(changes.pauses_ms, 1))},
      {"reload.rollback_p99_ms", quantile(changes.rollbacks_ms, 0.99),
       fmt::format("{} times, p50 {:.2f} ms", changes.rollbacks_ms.size(), quantile(changes.rollbacks_ms, 0.5))}};
}

}  // namespace arenad::bench
