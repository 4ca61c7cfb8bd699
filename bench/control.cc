// What operators wait for: the state of a thousand arenas, and an answer while somebody floods the control socket. And what arenad costs when
// nobody asks it anything.
//
// The flood is one process that keeps a thousand connections open, and writes bytes to each that are no requests, as fast as it can; a
// connection that arenad closes is made anew. The operator connects for each question, as arenactl does.
#include <atomic>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/benchmark.h"
#include "bench/daemon.h"
#include "bench/peer.h"
#include "bench/quantile.h"
#include "bench/shared.h"
#include "bench/sleep.h"
#include "bench/worker_probe.h"
#include "ipc/clock.h"
#include "ipc/process.h"
#include "ipc/socket.h"

namespace arenad::bench {
namespace {

constexpr uint64_t kAskedArenas = 1000;
constexpr int kStatusTimes = 21;
constexpr size_t kFloodConnections = 1000;
constexpr size_t kFloodBytes = 2000;  // at most, in one piece
constexpr uint64_t kTickingArenas = 10;
constexpr double kFloodSeconds = 10;
constexpr uint64_t kQuestionEveryMs = 5;
constexpr uint64_t kIdleArenas = 300;
constexpr double kIdleSeconds = 15;
constexpr uint64_t kCallTimeoutMs = 60'000;

double ms_since(uint64_t began_ns) {
  return static_cast<double>(monotonic_ns() - began_ns) / static_cast<double>(kMillisecond);
}

Result<void> start_arenas(const Daemon& daemon, const std::string& game, uint64_t count) {
  auto control = daemon.connect();
  if (!control) return control.error();
  for (uint64_t i = 0; i < count; ++i) {
    if (auto started = start_arena(*control, game, fmt::format("{}-{}", game, i), {}); !started) return started;
  }
  return {};
}

// ---- the state of many arenas --------------------------------------------------------------------

Result<Measured> measure_status(const Conditions& conditions) {
  auto daemon = Daemon::start(conditions.folder, {.name = "status", .settings = "", .game_settings = "spares = 0"});
  if (!daemon) return daemon.error();
  if (auto started = start_arenas(*daemon, "bench", kAskedArenas); !started) return started.error();
  std::vector<double> commands;
  std::vector<double> requests;
  for (int i = 0; i < kStatusTimes; ++i) {
    const uint64_t command_began_ns = monotonic_ns();
    if (auto ran = daemon->run_arenactl({"status", "--all"}); !ran) return ran.error();
    commands.push_back(ms_since(command_began_ns));
    const uint64_t request_began_ns = monotonic_ns();
    auto control = daemon->connect();
    if (!control) return control.error();
    auto reply = control->call([](wire::Request::Builder request) { request.initStatus().setAll(true); }, {}, kCallTimeoutMs);
    if (!reply) return reply.error();
    requests.push_back(ms_since(request_began_ns));
    if (const auto arenas = reply->root().getReply().getStatus().getArenas().size(); arenas != kAskedArenas)
      return make_error(ErrorCode::failed, fmt::format("{} arenas were told of", arenas));
  }
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return Measured{
      "control.status_1000_ms", median(commands),
      fmt::format("arenactl status --all, the whole command; longest {:.1f} ms; the request alone {:.1f} ms, longest {:.1f} ms",
                  quantile(commands, 1), median(requests), quantile(requests, 1))};
}

// ---- the flood -----------------------------------------------------------------------------------

struct FloodProgress {
  std::atomic<uint64_t> connected;
  std::atomic<uint64_t> pieces;
};

Result<void> flood(const std::string& socket, FloodProgress& progress) {
  raise_open_files_limit(kFloodConnections * 2);
  std::vector<Fd> connections(kFloodConnections);
  std::array<char, kFloodBytes> bytes;
  uint64_t random = 1;
  for (;;) {
    for (Fd& connection : connections) {
      if (!connection) {
        auto made = connect_unix(socket);
        if (!made) continue;
        connection = std::move(*made);
        progress.connected.fetch_add(1, std::memory_order_relaxed);
      }
      for (char& byte : bytes)
        byte = static_cast<char>((random = random * 6364136223846793005ull + 1442695040888963407ull) >> 56);
      // Every other piece could be the beginning of a long request.
      if ((random >> 40 & 1) != 0) std::fill_n(bytes.begin(), 4, '\0');
      if ((random >> 41 & 1) != 0) std::fill_n(bytes.begin() + 6, 2, '\0');
      const size_t count = 1 + (random >> 20) % kFloodBytes;
      if (::send(connection.get(), bytes.data(), count, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno != EAGAIN) connection.reset();
      progress.pieces.fetch_add(1, std::memory_order_relaxed);
    }
  }
}

// How long an operator waits, again and again.
Result<std::vector<double>> ask(const Daemon& daemon, double seconds) {
  std::vector<double> waits;
  const uint64_t end_ns = monotonic_ns() + static_cast<uint64_t>(seconds * 1e9);
  while (monotonic_ns() < end_ns) {
    const uint64_t began_ns = monotonic_ns();
    auto control = daemon.connect();
    if (!control) return control.error();
    auto reply = control->call([](wire::Request::Builder request) { request.initStatus().initArenas(1).set(0, "tanks-0"); }, {},
                               kCallTimeoutMs);
    if (!reply) return reply.error();
    waits.push_back(ms_since(began_ns));
    sleep_ms(kQuestionEveryMs);
  }
  return waits;
}

class Lateness {
 public:
  static Result<Lateness> of(Client& client) {
    Lateness lateness;
    for (uint64_t i = 0; i < kTickingArenas; ++i) {
      auto attachment = client.attach({.arena = fmt::format("tanks-{}", i), .player = "observer", .observer = true});
      if (!attachment) return attachment.error();
      lateness.probes_.push_back(std::make_unique<WorkerProbe>(**attachment));
      lateness.attachments_.push_back(std::move(*attachment));
    }
    lateness.before_ = lateness.sum();
    return lateness;
  }
  // Since the last time that this was asked, in milliseconds: how late ticks began.
  double quantile_ms(double fraction, bool begin_again) {
    const auto now = sum();
    std::array<uint64_t, kHistogramBuckets> since{};
    for (size_t i = 0; i < since.size(); ++i) since[i] = now[i] - before_[i];
    if (begin_again) before_ = now;
    return static_cast<double>(histogram_quantile(since, fraction)) / 1000;
  }

 private:
  [[nodiscard]] std::array<uint64_t, kHistogramBuckets> sum() const {
    std::array<uint64_t, kHistogramBuckets> all{};
    for (const auto& probe : probes_) {
      for (size_t i = 0; i < all.size(); ++i) all[i] += probe->status().lateness_us[i].load(std::memory_order_relaxed);
    }
    return all;
  }

  std::vector<std::unique_ptr<Attachment>> attachments_;
  std::vector<std::unique_ptr<WorkerProbe>> probes_;
  std::array<uint64_t, kHistogramBuckets> before_{};
};

Result<Figures> measure_flood(const Conditions& conditions) {
  const double seconds = std::max(1.0, kFloodSeconds * conditions.scale);
  auto daemon = Daemon::start(conditions.folder, {.name = "flood", .settings = "", .game_settings = "spares = 0"});
  if (!daemon) return daemon.error();
  if (auto started = start_arenas(*daemon, "tanks", kTickingArenas); !started) return started.error();
  auto client = Client::connect(daemon->socket());
  if (!client) return client.error();
  auto lateness = Lateness::of(**client);
  if (!lateness) return lateness.error();
  auto calm = ask(*daemon, seconds);
  if (!calm) return calm.error();
  const double calm_late_ms = lateness->quantile_ms(1, true);

  auto progress = Shared<FloodProgress>::make();
  if (!progress) return progress.error();
  auto flooder = Peer::start([&] { return flood(daemon->socket(), **progress); });
  if (!flooder) return flooder.error();
  while ((*progress)->connected.load() < kFloodConnections) {
    if (flooder->has_failed()) return make_error(ErrorCode::failed, "the flood has ended early");
    sleep_ms(1);
  }
  auto flooded = ask(*daemon, seconds);
  if (!flooded) return flooded.error();
  const double late_p99_ms = lateness->quantile_ms(0.99, false);
  const double late_ms = lateness->quantile_ms(1, true);
  if (flooder->has_failed()) return make_error(ErrorCode::failed, "the flood has ended early");
  const std::string pace =
      fmt::format("{:.0f} pieces/s, {:.0f} connections/s", static_cast<double>((*progress)->pieces.load()) / seconds,
                  static_cast<double>((*progress)->connected.load()) / seconds);
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return Figures{{"control.flood_wait_ms", quantile(*flooded, 1),
                  fmt::format("the longest of {} questions, p50 {:.2f} ms; without a flood {:.2f} and {:.2f} ms; {}",
                              flooded->size(), median(*flooded), quantile(*calm, 1), median(*calm), pace)},
                 {"control.flood_late_ms", late_ms,
                  fmt::format("the latest tick of {} arenas, p99 {:.2f} ms; without a flood {:.2f} ms", kTickingArenas,
                              late_p99_ms, calm_late_ms)}};
}

// ---- idle ----------------------------------------------------------------------------------------

// Of all threads of a process, user and system.
Result<double> processor_seconds(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  std::string stat;
  std::getline(file, stat);
  std::istringstream fields(stat.substr(std::min(stat.size(), stat.rfind(')') + 1)));
  std::string skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  for (int i = 0; i < 11; ++i) fields >> skipped;
  if (!(fields >> user >> system)) return make_error(ErrorCode::failed, fmt::format("cannot read /proc/{}/stat", pid));
  return static_cast<double>(user + system) / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

Result<Measured> measure_idle(const Conditions& conditions) {
  const double seconds = std::max(2.0, kIdleSeconds * conditions.scale);
  auto daemon = Daemon::start(conditions.folder, {.name = "idle", .settings = "", .game_settings = "spares = 0"});
  if (!daemon) return daemon.error();
  if (auto started = start_arenas(*daemon, "tanks", kIdleArenas); !started) return started.error();
  auto control = daemon->connect();
  if (!control) return control.error();
  auto reply = control->call([](wire::Request::Builder request) { request.initStatus(); }, {}, kCallTimeoutMs);
  if (!reply) return reply.error();
  const auto pid = static_cast<pid_t>(reply->root().getReply().getStatus().getDaemon().getPid());
  sleep_ms(2000);  // what follows a start, such as its first checkpoint
  auto before = processor_seconds(pid);
  if (!before) return before.error();
  const uint64_t began_ns = monotonic_ns();
  sleep_ms(static_cast<uint64_t>(seconds * 1000));
  auto after = processor_seconds(pid);
  if (!after) return after.error();
  const double took = ms_since(began_ns) / 1000;
  auto running = running_arenas(*control);
  if (!running) return running.error();
  if (*running != kIdleArenas) return make_error(ErrorCode::failed, fmt::format("only {} arenas run", *running));
  if (auto stopped = daemon->stop(); !stopped) return stopped.error();
  return Measured{"arenad.idle_percent", (*after - *before) / took * 100,
                  fmt::format("of one core, over {:.0f} s; {} arenas tick, nobody plays", took, kIdleArenas)};
}

}  // namespace

Result<Figures> measure_control(const Conditions& conditions) {
  auto status = measure_status(conditions);
  if (!status) return status.error();
  auto figures = measure_flood(conditions);
  if (!figures) return figures.error();
  figures->insert(figures->begin(), *status);
  return figures;
}

Result<Figures> measure_idle_daemon(const Conditions& conditions) {
  auto idle = measure_idle(conditions);
  if (!idle) return idle.error();
  return Figures{*idle};
}

}  // namespace arenad::bench
