#include "chaos/shrink.h"

#include <algorithm>
#include <csignal>
#include <fmt/format.h>

#include "chaos/child_process.h"
#include "chaos/ddmin.h"
#include "chaos/equipment.h"
#include "chaos/files.h"
#include "chaos/litter.h"
#include "chaos/private_folder.h"
#include "chaos/stop_signals.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLookMs = 100;
constexpr uint64_t kGraceMs = 60'000;  // for a run that was asked to end

bool have_one_in_common(const std::set<std::string>& some, const std::set<std::string>& others) {
  return std::ranges::any_of(some, [&](const std::string& one) { return others.contains(one); });
}

class Tries {
 public:
  Tries(const Bundle& bundle, fs::path folder, StopSignals& signals)
      : bundle_(bundle), folder_(std::move(folder)), signals_(signals), self_(fs::read_symlink("/proc/self/exe")) {}

  bool fails(const std::vector<Step>& steps) {
    if (is_stopped_) return false;
    ++count_;
    fmt::print("try {}: {} of {} steps: ", count_, steps.size(), bundle_.plan.steps.size());
    std::fflush(stdout);
    auto verdict = run(plan_with(bundle_.plan, steps));
    if (is_stopped_ || !verdict) {
      fmt::print("{}\n", is_stopped_ ? "cut short" : "gave no verdict: " + verdict.error().text());
      return false;
    }
    const bool is_same = have_one_in_common(verdict->violated, bundle_.verdict.violated);
    fmt::print("{}\n", is_same ? "still fails" : verdict->violated.empty() ? "does not fail" : "fails in another way");
    return is_same;
  }
  [[nodiscard]] bool is_stopped() const { return is_stopped_; }

 private:
  Result<ReportedVerdict> run(const Plan& plan) {
    const fs::path plan_file = folder_ / "plan.json";
    const fs::path report = folder_ / "report";
    std::error_code error;
    fs::remove_all(report, error);
    if (auto written = write_file(plan_file, to_json(plan)); !written) return written.error();
    auto child = ChildProcess::start({.program = self_,
                                      .arguments = {"run", "--plan", plan_file.string(), "--report", report.string()},
                                      .log = folder_ / "tries.log",
                                      .signal_if_orphaned = SIGTERM});
    if (!child) return child.error();
    while (!child->wait(kLookMs)) {
      if (signals_.look() == Wish::go_on) continue;
      is_stopped_ = true;
      child->signal(SIGTERM);
      (void)child->wait(kGraceMs);
      return make_error(ErrorCode::refused, "cut short");
    }
    auto text = read_file(report / "report.json");
    if (!text) return make_error(ErrorCode::failed, text.error().text() + "\n" + last_lines(folder_ / "tries.log", 5));
    return reported_in(*text);
  }

  const Bundle& bundle_;
  fs::path folder_;
  StopSignals& signals_;
  fs::path self_;
  size_t count_ = 0;
  bool is_stopped_ = false;
};

}  // namespace

Result<void> shrink_bundle(const ShrinkRequest& request) {
  auto bundle = read_bundle(request.bundle);
  if (!bundle) return bundle.error();
  if (bundle->verdict.violated.empty()) return make_error(ErrorCode::refused, "the bundle's run has violated nothing");
  if (auto writable = check_writable(request.output); !writable) return writable.error();
  become_reaper();
  auto signals = StopSignals::take();
  if (!signals) return signals.error();
  auto equipment = find_equipment();
  if (!equipment) return equipment.error();
  auto folder = PrivateFolder::make(equipment->room);
  if (!folder) return folder.error();

  Tries tries(*bundle, folder->path(), *signals);
  const std::function<bool(const std::vector<Step>&)> fails = [&](const std::vector<Step>& steps) {
    return tries.fails(steps);
  };
  if (!fails(bundle->plan.steps)) return make_error(ErrorCode::refused, "the plan does not fail again");
  const auto shrunk = ddmin(bundle->plan.steps, fails, request.most_tries - 1);
  if (auto written = write_file(request.output, to_json(plan_with(bundle->plan, shrunk.list))); !written) return written;
  fmt::print("{} of {} steps still fail{}:\n", shrunk.list.size(), bundle->plan.steps.size(),
             tries.is_stopped()  ? "; it was cut short, and there may be fewer"
             : shrunk.is_minimal ? ", and none of them can be left out"
                                 : "; the tries were used up, and there may be fewer");
  for (const Step& step : shrunk.list) {
    fmt::print("  {} in {} at entry {}\n", step.fault, bundle->plan.arenas[step.arena].name, step.at);
  }
  fmt::print("smaller plan: {0}\n  play it: arena-chaos run --plan {0}\n", request.output.string());
  return {};
}

}  // namespace arenad::chaos
