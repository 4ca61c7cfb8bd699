#include "chaos/part_run.h"

#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "chaos/child_process.h"
#include "chaos/files.h"
#include "chaos/litter.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kLookMs = 100;
constexpr uint64_t kPatienceNs = 30 * kSecond;     // with a part that was told to end
constexpr uint64_t kAgainNs = 400 * kMillisecond;  // after which it is told that it need not judge
constexpr uint64_t kGraceMs = 2000;
constexpr size_t kLastLines = 12;

// Build trees have a folder for each kind of program, installed ones lie together.
std::optional<fs::path> find_program(const std::string& program, const fs::path& self) {
  std::error_code error;
  for (const fs::path& candidate :
       {self.parent_path().parent_path() / program, self.parent_path() / fs::path(program).filename()}) {
    if (fs::is_regular_file(candidate, error) && ::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return std::nullopt;
}

// Tells it to end when that is wished, and waits on.
std::optional<Exit> wait_for(ChildProcess& child, StopSignals& signals, bool& told) {
  uint64_t told_ns = 0;
  bool told_again = false;
  for (;;) {
    if (auto exit = child.wait(kLookMs)) return exit;
    const uint64_t now = monotonic_ns();
    if (signals.look() != Wish::go_on && !told) {
      told = true;
      told_ns = now;
      child.signal(SIGTERM);
    }
    if (told && !told_again && now - told_ns > kAgainNs) {
      told_again = true;
      child.signal(SIGTERM);
    }
    if (told && now - told_ns > kPatienceNs) return std::nullopt;
  }
}

}  // namespace

std::optional<std::map<std::string, double>> parse_flat_json(const std::string& text) {
  const auto object = nlohmann::json::parse(text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  std::map<std::string, double> values;
  for (const auto& [key, value] : object.items()) {
    if (value.is_number()) values[key] = value.get<double>();
    if (value.is_boolean()) values[key] = value.get<bool>() ? 1 : 0;
  }
  return values;
}

PartOutcome run_part(const Part& part, const fs::path& self, const fs::path& folder, StopSignals& signals) {
  PartOutcome outcome;
  const auto fail = [&outcome](PartOutcome::How how, std::string why) {
    outcome.how = how;
    outcome.why = std::move(why);
    return outcome;
  };
  const auto program = find_program(part.program, self);
  if (!program) return fail(PartOutcome::How::missing, part.program + " is not built");
  const fs::path json = folder / (part.name + ".json");
  const fs::path log = folder / (part.name + ".log");
  std::vector<std::string> arguments = part.arguments;
  arguments.insert(arguments.end(), {"--json", json.string()});

  ::setenv("TMPDIR", folder.c_str(), 1);
  const uint64_t began_ns = monotonic_ns();
  auto child = ChildProcess::start({.program = *program, .arguments = arguments, .log = log, .signal_if_orphaned = SIGTERM});
  if (!child) return fail(PartOutcome::How::failed, child.error().text());
  bool told = false;
  const auto exit = wait_for(*child, signals, told);
  outcome.seconds = static_cast<double>(monotonic_ns() - began_ns) / kSecond;
  if (!exit) child->signal(SIGKILL);
  (void)child->wait(kGraceMs);
  const auto litter = clear_litter(kGraceMs);

  if (auto text = read_file(json)) {
    if (auto values = parse_flat_json(*text)) outcome.values = std::move(*values);
  }
  if (told) return fail(PartOutcome::How::cut_short, "cut short");
  if (!exit || exit->how != Exit::How::exited || exit->value != 0) {
    return fail(PartOutcome::How::failed,
                fmt::format("{}\n{}", exit ? exit->text() : "does not end", last_lines(log, kLastLines)));
  }
  if (!litter.empty()) return fail(PartOutcome::How::failed, "left behind: " + fmt::format("{}", fmt::join(litter, ", ")));
  if (outcome.values.empty()) return fail(PartOutcome::How::failed, "it has written no figures");
  return outcome;
}

}  // namespace arenad::chaos
