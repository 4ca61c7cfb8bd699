#include "chaos/sweep/runs.h"

#include <cstdlib>
#include <fmt/format.h>

#include "chaos/equipment.h"
#include "chaos/files.h"
#include "chaos/sweep/plan_text.h"

namespace arenad::sweep {
namespace {

// Whatever is started while this lives passes its calls through the table in this file.
class Watched {
 public:
  Watched(const std::filesystem::path& library, const std::filesystem::path& table) {
    ::setenv("LD_PRELOAD", library.c_str(), 1);
    ::setenv(kCallsVariable, table.c_str(), 1);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() {
    ::unsetenv("LD_PRELOAD");
    ::unsetenv(kCallsVariable);
  }
};

}  // namespace

std::string cannot_watch_calls() {
  auto equipment = chaos::find_equipment();
  if (!equipment) return equipment.error().text();
  return equipment->calls.empty()
             ? "its library is not there: arena-chaos is built with sanitizers, before which nothing may be loaded"
             : "";
}

Result<void> Runs::make_rig() {
  if (rig_) return {};
  auto folder = chaos::PrivateFolder::make(beside_);
  if (!folder) return folder.error();
  folder_.emplace(std::move(*folder));
  std::optional<Watched> watched;
  if (calls_ == Calls::watched) {
    auto table = CallTable::create(folder_->path() / "calls");
    if (!table) return table.error();
    table_.emplace(std::move(*table));
    auto equipment = chaos::find_equipment();
    if (!equipment) return equipment.error();
    watched.emplace(equipment->calls, folder_->path() / "calls");
  }
  auto rig = Rig::start(folder_->path());
  if (!rig) return rig.error();
  rig_ = std::move(*rig);
  return {};
}

void Runs::end_rig() {
  if (!rig_) return;
  if (auto stopped = rig_->stop(); !stopped) {
    add_failure("at the end: " + stopped.error().text() + "; see " + folder_->path().string());
    folder_->keep();
  }
  rig_.reset();
  table_.reset();
  folder_.reset();
}

bool Runs::goes_on() {
  if (signals_.look() != chaos::Wish::go_on) report_.cut_short = true;
  return !report_.cut_short && report_.failures.size() < most_failures_;
}

Outcome Runs::play(const Plan& plan) {
  ++report_.runs;
  Outcome outcome;
  if (auto made = make_rig(); !made) {
    outcome.problems.push_back(made.error().text());
  } else {
    outcome = run_scenario(*rig_, plan, next_run_++, table_ ? &*table_ : nullptr);
  }
  outcome.fired.resize(plan.traps.size() + plan.calls.size());
  report_.frames_compared += outcome.frames_compared;
  if (!outcome.problems.empty()) note_failure(plan, outcome);
  return outcome;
}

void Runs::note_failure(const Plan& plan, const Outcome& outcome) {
  std::string text = fmt::format("FAILED  {}\n", command_for(plan));
  for (const std::string& problem : outcome.problems) text += "        " + problem + "\n";
  if (folder_) {
    folder_->keep();
    const std::string name = fmt::format("arena=s{} ", next_run_ - 1);
    const auto lines = chaos::lines_with(folder_->path() / "arenad.log", name);
    for (size_t i = lines.size() > 12 ? lines.size() - 12 : 0; i < lines.size(); ++i) text += "        | " + lines[i] + "\n";
    text += "        everything is in " + folder_->path().string() + "\n";
  }
  say_(text);
  report_.failures.push_back(std::move(text));
  end_rig();
}

}  // namespace arenad::sweep
