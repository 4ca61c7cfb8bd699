// arenad-roll: rolls versions of the ledger over playing arenas, good ones and one that dies, and checks every output of every arena against an
// independent model (chaos/rig/ledger_model.h). Then it changes the code of a few arenas many times and looks at what arenad grows by.
#include <fmt/format.h>
#include <fstream>
#include <unistd.h>

#include <CLI/CLI.hpp>

#include "chaos/litter.h"
#include "chaos/private_folder.h"
#include "chaos/stop_signals.h"
#include "ipc/clock.h"
#include "tests/sweep/crowd.h"

namespace {

using namespace arenad;
using sweep::Rig;

constexpr uint64_t kDeadlineNs = 300 * kSecond;
constexpr uint32_t kHz = 20;
// What there is to be remembered of a version, a template and a rollout is in its place after so many.
constexpr uint64_t kWarmUp = 20;
constexpr uint64_t kFew = 4;
constexpr const char* kFewArenas = "roll-[0-3]";

struct Options {
  uint64_t arenas = 200;
  uint64_t reloads = 100;
  std::string json;
};

struct Findings {
  uint64_t rolled_over = 0;  // changes of code that passed
  uint64_t taken_back = 0;
  int64_t rss_growth_kib = 0;
  std::vector<std::string> violations;
};

uint64_t rss_kib(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/statm", pid));
  uint64_t pages = 0;
  file >> pages >> pages;
  return pages * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) / 1024;
}

class Roll {
 public:
  Roll(Rig& rig, chaos::StopSignals& signals, Findings& findings) : rig_(rig), signals_(signals), findings_(findings) {}

  Result<void> begin(uint64_t arenas) { return crowd_.begin(rig_, "roll-", arenas, kHz); }

  // One rollout, over all arenas if no glob tells which. Gives how it ended.
  Result<std::string> roll(const std::string& module, uint64_t batch, const std::string& arenas = "") {
    if (auto begun = rig_.reload("ledger", module, arenas, static_cast<uint32_t>(batch)); !begun) return begun.error();
    const uint64_t deadline_ns = monotonic_ns() + kDeadlineNs;
    for (;;) {
      crowd_.play();
      const auto rollout = rig_.rollout("ledger");
      if (!rollout) return make_error(ErrorCode::failed, "arenad does not know the rollout");
      if (rollout->is_over) {
        findings_.rolled_over += rollout->passed;
        findings_.taken_back += rollout->failed;
        return rollout->state;
      }
      if (signals_.look() != chaos::Wish::go_on) return make_error(ErrorCode::refused, "cut short");
      if (monotonic_ns() > deadline_ns) return make_error(ErrorCode::timeout, "a rollout of " + module + " does not end");
    }
  }

  void end() {
    for (std::string& problem : crowd_.end()) findings_.violations.push_back(std::move(problem));
  }

 private:
  Rig& rig_;
  chaos::StopSignals& signals_;
  Findings& findings_;
  sweep::Crowd crowd_;
};

Result<void> expect(Result<std::string> state, const std::string& wanted) {
  if (!state) return state.error();
  if (*state != wanted) return make_error(ErrorCode::failed, "a rollout is " + *state + " instead of " + wanted);
  return {};
}

Result<void> run(Rig& rig, const Options& options, chaos::StopSignals& signals, Findings& findings) {
  {
    Roll all(rig, signals, findings);
    if (auto begun = all.begin(options.arenas); !begun) return begun;
    if (auto ended = expect(all.roll("ledger_good", options.arenas / 4), "done"); !ended) return ended;
    if (auto ended = expect(all.roll("ledger_dies_at_once", options.arenas / 4), "failed"); !ended) return ended;
    if (auto ended = expect(all.roll("ledger", options.arenas / 4), "done"); !ended) return ended;
    all.end();
  }
  if (options.reloads == 0) return {};
  uint64_t before_kib = 0;
  for (uint64_t i = 0; i < kWarmUp + options.reloads; ++i) {
    if (i == kWarmUp) before_kib = rss_kib(rig.arenad());
    Roll few(rig, signals, findings);
    if (auto ended = expect(few.roll(i % 2 == 0 ? "ledger_good" : "ledger", kFew, kFewArenas), "done"); !ended) return ended;
  }
  findings.rss_growth_kib = static_cast<int64_t>(rss_kib(rig.arenad())) - static_cast<int64_t>(before_kib);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Rolls versions of a game over playing arenas, and checks every output");
  Options options;
  app.add_option("--arenas", options.arenas, "So many arenas, one player each")->check(CLI::Range(4, 1000));
  app.add_option("--reloads", options.reloads, "Afterwards so many rollouts, over which arenad's memory is measured");
  app.add_option("--json", options.json, "Also write what came out to this file, as one flat object");
  CLI11_PARSE(app, argc, argv);

  chaos::become_reaper();
  auto signals = chaos::StopSignals::take();
  auto folder = chaos::PrivateFolder::make(std::filesystem::read_symlink("/proc/self/exe").parent_path());
  if (!signals || !folder) return 1;
  auto rig = Rig::start(folder->path());
  if (!rig) {
    fmt::print(stderr, "arenad-roll: {}\n", rig.error().text());
    return 1;
  }
  Findings findings;
  if (auto ran = run(**rig, options, *signals, findings); !ran) findings.violations.push_back(ran.error().text());
  if (auto stopped = (*rig)->stop(); !stopped) findings.violations.push_back(stopped.error().text());
  for (const std::string& violation : findings.violations) fmt::print("violation: {}\n", violation);
  if (!findings.violations.empty()) folder->keep();
  fmt::print("{} changes of code have passed, {} were taken back, {} violations; arenad grew by {} KiB over {} reloads\n",
             findings.rolled_over, findings.taken_back, findings.violations.size(), findings.rss_growth_kib, options.reloads);
  if (!options.json.empty()) {
    std::ofstream(options.json) << fmt::format(
        "{{\"arenas\": {}, \"rolled_over\": {}, \"taken_back\": {}, \"violations\": {}, \"rss_growth_kib\": {}}}\n",
        options.arenas, findings.rolled_over, findings.taken_back, findings.violations.size(), findings.rss_growth_kib);
  }
  return findings.violations.empty() ? 0 : 1;
}
