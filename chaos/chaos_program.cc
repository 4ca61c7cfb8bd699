#include "chaos/chaos_program.h"

#include <algorithm>
#include <ctime>
#include <deque>
#include <fmt/format.h>
#include <optional>
#include <tuple>

#include "arenad/version.h"
#include "arenad_commit.h"
#include "chaos/bundle.h"
#include "chaos/equipment.h"
#include "chaos/files.h"
#include "chaos/html_report.h"
#include "chaos/json_report.h"
#include "chaos/junit_report.h"
#include "chaos/litter.h"
#include "chaos/played_plan.h"
#include "chaos/private_folder.h"
#include "chaos/progress_line.h"
#include "chaos/run_text.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

// Steps of a run that goes on for a time. They stay where they are.
class EndlessSteps {
 public:
  EndlessSteps(const RunRequest& request, uint64_t until_ns) : maker_(request.making, request.faults), until_ns_(until_ns) {}

  const Step* next() {
    if (monotonic_ns() >= until_ns_) return nullptr;
    return &made_.emplace_back(maker_.next());
  }

 private:
  StepMaker maker_;
  uint64_t until_ns_;
  std::deque<Step> made_;
};

// The plan of what was played of them, which the outcomes point into from now on.
void keep_played(Plan& plan, ChaosFindings& findings) {
  std::vector<Outcome*> outcomes;
  outcomes.reserve(findings.outcomes.size());
  for (Outcome& outcome : findings.outcomes) outcomes.push_back(&outcome);
  // Steps of one arena began in the order of their entries; where it is the same, a compound one came after what it struck into.
  std::ranges::stable_sort(outcomes, {}, [](const Outcome* outcome) {
    const Step& step = *outcome->step;
    return std::tuple(step.arena, step.at, step.compound, outcome->at_ms);
  });
  std::vector<Step> steps;
  steps.reserve(outcomes.size());
  for (const Outcome* outcome : outcomes) steps.push_back(*outcome->step);
  plan = plan_with(plan, std::move(steps));
  for (size_t i = 0; i < outcomes.size(); ++i) outcomes[i]->step = &plan.steps[i];
}

RunRecord play(RunRequest& request, const fs::path& folder, StopSignals& signals) {
  ChaosFindings findings;
  ProgressLine line(stdout);
  const uint64_t began_ns = monotonic_ns();
  PlayOptions options;
  std::optional<EndlessSteps> steps;
  if (request.duration_s != 0) {
    steps.emplace(request, began_ns + request.duration_s * kSecond);
    options.next_step = [&] { return steps->next(); };
  }
  options.on_progress = [&](size_t over, size_t all) {
    const uint64_t now_ns = monotonic_ns();
    if (!line.is_due(now_ns)) return;
    line.show({.seconds = static_cast<double>(now_ns - began_ns) / 1e9,
               .of_seconds = static_cast<double>(request.duration_s),
               .over = over,
               .planned = all,
               .worker_ends = findings.worker_ends,
               .arenad_ends = findings.arenad_ends,
               .violations = findings.invariants.violations()},
              now_ns);
  };
  std::string broke;
  if (auto played = play_plan(folder, request.plan, signals, options, findings); !played) broke = played.error().text();
  line.clear();
  if (request.duration_s != 0) keep_played(request.plan, findings);
  return record_of(request.plan, findings, std::move(broke));
}

bool is_to_be_explained(const RunRecord& record) {
  return record.verdict == Verdict::failed || !record.broke.empty();
}

Result<void> write_reports(const RunRequest& request, const RunRecord& record) {
  if (!request.json.empty()) {
    if (auto written = write_file(request.json, json_figures(record)); !written) return written;
  }
  if (request.report.empty()) return {};
  const std::pair<const char*, std::string> files[] = {{"report.html", html_report(record)},
                                                       {"report.json", json_report(record)},
                                                       {"junit.xml", junit_report(record)},
                                                       {"plan.json", to_json(record.plan)}};
  for (const auto& [name, text] : files) {
    if (auto written = write_file(request.report / name, text); !written) return written;
  }
  return {};
}

}  // namespace

Result<RunRecord> run_chaos(RunRequest request) {
  if (!request.report.empty()) {
    std::error_code error;
    fs::create_directories(request.report, error);
    if (error) return make_error(ErrorCode::invalid, "cannot make " + request.report.string() + ": " + error.message());
    if (auto writable = check_writable(request.report / "report.html"); !writable) return writable.error();
  }
  if (!request.json.empty()) {
    if (auto writable = check_writable(request.json); !writable) return writable.error();
  }
  become_reaper();
  auto signals = StopSignals::take();
  if (!signals) return signals.error();
  auto equipment = find_equipment();
  if (!equipment) return equipment.error();
  auto folder = PrivateFolder::make(equipment->room);
  if (!folder) return folder.error();

  const std::string started = utc_now();
  RunRecord record = play(request, folder->path(), *signals);
  record.environment = look_around();
  record.environment.namespaces = std::move(request.namespaces);
  record.version = kArenadVersion;
  record.commit = kArenadCommit;
  record.started = started;
  record.options = std::move(request.options);
  record.again = std::move(request.again);
  if (is_to_be_explained(record)) {
    const fs::path under = request.report.empty() ? fs::current_path() : request.report;
    if (auto written = write_bundle(under, folder->path(), record); !written) {
      folder->keep();
      fmt::print(stderr, "arena-chaos: {}; what was to be in it is in {}\n", written.error().text(), folder->path().string());
    }
  }
  fmt::print("{}", closing_text(record, request.report.string()));
  if (auto written = write_reports(request, record); !written) return written.error();
  return record;
}

}  // namespace arenad::chaos
