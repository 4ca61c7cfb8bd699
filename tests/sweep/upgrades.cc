// arenad-upgrades: upgrades arenad many times in a row while arenas play, and meanwhile asks for something all the time. Every output of every
// player is compared with an independent model (chaos/rig/ledger_model.h), and frames that begin over a tick late are counted; pacers
// (chaos/pacers.h) tell which of them the machine was late with.
#include <atomic>
#include <fmt/format.h>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "chaos/litter.h"
#include "chaos/pacers.h"
#include "chaos/private_folder.h"
#include "chaos/stop_signals.h"
#include "ipc/clock.h"
#include "tests/sweep/crowd.h"

namespace {

using namespace arenad;
using sweep::Rig;

constexpr uint32_t kHz = 20;
constexpr uint64_t kTickNs = kSecond / kHz;
// A frame that was due in a window and is over a tick late begins in this time after it.
constexpr uint64_t kAfterwardsNs = 3 * kTickNs;
// A pacer that is as late as this says that the machine is.
constexpr uint64_t kMachineLateNs = kTickNs / 2;
constexpr uint64_t kRequestTimeoutMs = 30'000;
constexpr const char* kPlaying = "plays-";

struct Options {
  uint64_t arenas = 30;
  uint64_t upgrades = 100;
  std::string json;
};

struct Findings {
  uint64_t upgrades = 0;
  uint64_t late_frames = 0;
  uint64_t late_with_machine = 0;
  uint64_t requests = 0;
  uint64_t failed_requests = 0;
  double held_max_ms = 0;
  int64_t fd_growth = 0;
  int64_t rss_growth_kib = 0;
  std::vector<std::string> violations;
};

size_t count_files(pid_t pid) {
  const std::filesystem::directory_iterator files(fmt::format("/proc/{}/fd", pid));
  return static_cast<size_t>(std::distance(begin(files), end(files)));
}

int64_t rss_kib(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  int64_t pages = 0;
  file >> pages >> pages;
  return pages * ::sysconf(_SC_PAGESIZE) / 1024;
}

// Asks all the time, from a thread of its own: over a connection that stays, over new ones, and for arenas that come and go.
class Asker {
 public:
  explicit Asker(std::string socket) : socket_(std::move(socket)), thread_([this] { ask_all_the_time(); }) {}
  Asker(const Asker&) = delete;
  Asker& operator=(const Asker&) = delete;
  ~Asker() { end(); }
  void end() {
    ends_ = true;
    if (thread_.joinable()) thread_.join();
  }
  [[nodiscard]] uint64_t requests() const { return requests_; }
  [[nodiscard]] const std::vector<std::string>& failures() const { return failures_; }

 private:
  using Fill = std::function<void(wire::Request::Builder)>;

  void ask(ControlClient& control, const char* what, const Fill& fill) {
    ++requests_;
    auto answer = control.call(fill, {}, kRequestTimeoutMs);
    if (!answer) failures_.push_back(fmt::format("{}: {}", what, answer.error().text()));
  }

  void ask_all_the_time() {
    auto stays = ControlClient::connect(socket_);
    if (!stays) return failures_.push_back(stays.error().text());
    for (uint64_t i = 0; !ends_; ++i) {
      ask(*stays, "status", [](wire::Request::Builder request) { request.initStatus().setAll(true); });
      const std::string name = fmt::format("comes-{}", i);
      ask(*stays, "start", [&](wire::Request::Builder request) {
        auto start = request.initStart();
        start.setGame("ledger");
        start.setName(name);
      });
      auto other = ControlClient::connect(socket_);
      if (!other) {
        ++requests_;
        failures_.push_back("a connection: " + other.error().text());
        continue;
      }
      ask(*other, "restart", [&](wire::Request::Builder request) { request.initRestart().initArenas(1).set(0, name); });
      ask(*other, "stop", [&](wire::Request::Builder request) { request.initStop().initArenas(1).set(0, name); });
    }
  }

  std::string socket_;
  std::atomic<bool> ends_ = false;
  uint64_t requests_ = 0;              // of the thread, until it has ended
  std::vector<std::string> failures_;  // so are these
  std::thread thread_;
};

class Upgrades {
 public:
  Upgrades(Rig& rig, const chaos::Pacers& pacers, chaos::StopSignals& signals, Findings& findings)
      : rig_(rig), pacers_(pacers), signals_(signals), findings_(findings) {}

  Result<void> begin(uint64_t arenas) {
    if (auto begun = crowd_.begin(rig_, kPlaying, arenas, kHz); !begun) return begun;
    auto workers = look();
    if (!workers) return workers.error();
    pids_ = workers->pids;
    return {};
  }

  // One, played through. A window of lateness begins with it and ends some ticks after its answer.
  Result<void> upgrade() {
    const auto before = look();
    if (!before) return before.error();
    const uint64_t from_ns = monotonic_ns();
    std::atomic<bool> answered = false;
    Result<double> held_ms = 0.0;
    std::thread asking([&] {
      held_ms = ask();
      answered = true;
    });
    play_until([&] { return answered.load(); });
    asking.join();
    if (!held_ms) return held_ms.error();
    const uint64_t answered_ns = monotonic_ns();
    play_until([&] { return monotonic_ns() - answered_ns > kAfterwardsNs; });
    const auto after = look();
    if (!after) return after.error();
    const uint64_t late = after.value().late_frames - before.value().late_frames;
    findings_.late_frames += late;
    if (late != 0 && pacers_.latest_ns(from_ns, monotonic_ns()) >= kMachineLateNs) findings_.late_with_machine += late;
    findings_.held_max_ms = std::max(findings_.held_max_ms, *held_ms);
    ++findings_.upgrades;
    if (signals_.look() != chaos::Wish::go_on) return make_error(ErrorCode::refused, "cut short");
    return {};
  }

  void end() {
    for (std::string& one : crowd_.end()) problem(std::move(one));
    const auto workers = look();
    if (!workers || workers.value().pids != pids_) problem("not all workers are the same as before");
  }

 private:
  void problem(std::string text) { findings_.violations.push_back(std::move(text)); }

  Result<double> ask() {
    auto control = ControlClient::connect(rig_.socket());
    if (!control) return control.error();
    auto answer = control->call([](wire::Request::Builder request) { request.initUpgrade(); }, {}, kRequestTimeoutMs);
    if (!answer) return answer.error();
    return answer->root().getReply().getUpgraded().getHeldMs();
  }

  struct Workers {
    uint64_t late_frames = 0;
    std::vector<pid_t> pids;
  };
  // Of those that play.
  Result<Workers> look() const {
    auto control = ControlClient::connect(rig_.socket());
    if (!control) return control.error();
    auto answer =
        control->call([](wire::Request::Builder request) { request.initStatus().setAll(true); }, {}, kRequestTimeoutMs);
    if (!answer) return answer.error();
    Workers workers;
    for (const auto arena : answer->root().getReply().getStatus().getArenas()) {
      if (!std::string(arena.getName()).starts_with(kPlaying)) continue;
      workers.late_frames += arena.getFramesLate();
      workers.pids.push_back(static_cast<pid_t>(arena.getPid()));
    }
    return workers;
  }

  template <class Condition>
  void play_until(Condition&& holds) {
    while (!holds()) crowd_.play();
  }

  Rig& rig_;
  const chaos::Pacers& pacers_;
  chaos::StopSignals& signals_;
  Findings& findings_;
  std::vector<pid_t> pids_;
  sweep::Crowd crowd_;
};

Result<void> run(Rig& rig, const Options& options, const chaos::Pacers& pacers, chaos::StopSignals& signals,
                 Findings& findings) {
  Upgrades upgrades(rig, pacers, signals, findings);
  if (auto begun = upgrades.begin(options.arenas); !begun) return begun;
  const pid_t arenad = rig.arenad();
  Asker asker(rig.socket());
  // What is opened and filled once is in its place after the first ones.
  constexpr uint64_t kWarmUp = 3;
  for (uint64_t i = 0; i < kWarmUp; ++i) {
    if (auto done = upgrades.upgrade(); !done) return done;
  }
  const auto files = static_cast<int64_t>(count_files(arenad));
  const int64_t rss = rss_kib(arenad);
  while (findings.upgrades < kWarmUp + options.upgrades) {
    if (auto done = upgrades.upgrade(); !done) return done;
  }
  findings.upgrades -= kWarmUp;
  asker.end();
  findings.requests = asker.requests();
  findings.failed_requests = asker.failures().size();
  for (const std::string& failure : asker.failures()) findings.violations.push_back("a request has failed: " + failure);
  upgrades.end();
  if (rig.arenad() != arenad) findings.violations.emplace_back("arenad is another process than before");
  findings.fd_growth = static_cast<int64_t>(count_files(arenad)) - files;
  findings.rss_growth_kib = rss_kib(arenad) - rss;
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Upgrades arenad under playing arenas and asking operators, and checks every output and every answer");
  Options options;
  app.add_option("--arenas", options.arenas, "So many arenas, one player each")->check(CLI::Range(1, 1000));
  app.add_option("--upgrades", options.upgrades, "So many upgrades in a row")->check(CLI::Range(1, 100'000));
  app.add_option("--json", options.json, "Also write what came out to this file, as one flat object");
  CLI11_PARSE(app, argc, argv);

  chaos::become_reaper();
  auto pacers = chaos::Pacers::start();
  auto signals = chaos::StopSignals::take();
  auto folder = chaos::PrivateFolder::make(std::filesystem::read_symlink("/proc/self/exe").parent_path());
  if (!pacers || !signals || !folder) return 1;
  auto rig = Rig::start(folder->path());
  if (!rig) {
    fmt::print(stderr, "arenad-upgrades: {}\n", rig.error().text());
    return 1;
  }
  Findings findings;
  if (auto ran = run(**rig, options, *pacers, *signals, findings); !ran) findings.violations.push_back(ran.error().text());
  if (auto stopped = (*rig)->stop(); !stopped) findings.violations.push_back(stopped.error().text());
  for (const std::string& violation : findings.violations) fmt::print("violation: {}\n", violation);
  if (!findings.violations.empty()) folder->keep();
  fmt::print(
      "{} upgrades: {} late frames ({} of them while the machine was late), {} of {} requests failed, nobody was answered for "
      "{:.0f} "
      "ms at most, {} violations; arenad grew by {} descriptors and {} KiB\n",
      findings.upgrades, findings.late_frames, findings.late_with_machine, findings.failed_requests, findings.requests,
      findings.held_max_ms, findings.violations.size(), findings.fd_growth, findings.rss_growth_kib);
  if (!options.json.empty()) {
    std::ofstream(options.json) << fmt::format(
        "{{\"count\": {}, \"late_frames\": {}, \"late_with_machine\": {}, \"requests\": {}, \"failed_requests\": {}, "
        "\"held_max_ms\": {:.1f}, \"fd_growth\": {}, \"rss_growth_kib\": {}, \"violations\": {}}}\n",
        findings.upgrades, findings.late_frames, findings.late_with_machine, findings.requests, findings.failed_requests,
        findings.held_max_ms, findings.fd_growth, findings.rss_growth_kib, findings.violations.size());
  }
  return findings.violations.empty() ? 0 : 1;
}
