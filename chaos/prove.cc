// arenad-prove: runs the long proofs and shows what came out of each against what it has to be. `./dev prove`.
//
// Each part is a program of its own (proof.h). What is missed is shown as that, and makes the exit code 1.
#include <algorithm>
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "chaos/adoption_rounds.h"
#include "chaos/files.h"
#include "chaos/litter.h"
#include "chaos/part_run.h"
#include "chaos/private_folder.h"
#include "chaos/proof_report.h"
#include "chaos/summary.h"

namespace {

using namespace arenad::chaos;

constexpr int kExitUsage = 2;

struct Options {
  std::string json;
  std::vector<std::string> only;
  Extent extent = Extent::whole;
};

struct AdoptionCommand {
  AdoptionOptions options;
  std::string json;
};

int refuse(const arenad::Error& error) {
  fmt::print(stderr, "arenad-prove: {}\n", error.text());
  return kExitFailed;
}

// `reload` is also what begins with reload-.
bool is_wanted(const Part& part, const std::vector<std::string>& only) {
  return only.empty() ||
         std::ranges::any_of(only, [&](const auto& one) { return part.name == one || part.name.starts_with(one + "-"); });
}

int prove(const Options& options) {
  become_reaper();
  auto signals = StopSignals::take();
  if (!signals) return refuse(signals.error());
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  auto folder = PrivateFolder::make(self.parent_path());
  if (!folder) return refuse(folder.error());

  ProofReport report;
  bool cut_short = false;
  for (const Part& part : proof_parts(options.extent)) {
    if (!is_wanted(part, options.only)) continue;
    cut_short = cut_short || signals->look() != Wish::go_on;
    if (cut_short) {
      report.add(part, {PartOutcome::How::cut_short, "cut short", {}, 0});
      continue;
    }
    fmt::print("{}: {} {}\n", part.name, part.program, fmt::join(part.arguments, " "));
    std::fflush(stdout);
    const PartOutcome outcome = run_part(part, self, folder->path(), *signals);
    cut_short = outcome.how == PartOutcome::How::cut_short;
    if (outcome.how == PartOutcome::How::failed) folder->keep();
    report.add(part, outcome);
  }
  fmt::print("\n{}", report.table());
  int code = report.all_is_reached() ? 0 : kExitFailed;
  if (!options.json.empty()) {
    if (auto written = write_file(options.json, report.json()); !written) code = refuse(written.error());
  }
  if (report.has_failed()) fmt::print("evidence: {}\n", folder->path().string());
  if (cut_short) fmt::print("cut short: what is above is not all\n");
  return cut_short ? kExitCutShort : code;
}

int adopt(const AdoptionCommand& command) {
  become_reaper();
  auto programs = find_programs({});
  if (!programs) return refuse(programs.error());
  auto signals = StopSignals::take();
  if (!signals) return refuse(signals.error());
  auto folder = PrivateFolder::make(programs->self.parent_path());
  if (!folder) return refuse(folder.error());
  const AdoptionSummary summary = run_adoption(command.options, *programs, folder->path(), *signals);
  for (const std::string& problem : summary.findings.problems) fmt::print("problem: {}\n", problem);
  if (!summary.findings.clean()) folder->keep();
  fmt::print("{} rounds with {} arenas: {}\n", summary.rounds, command.options.arenas, summary.to_adopted.text());
  if (!command.json.empty()) {
    if (auto written = write_file(command.json, adoption_json(summary)); !written) return refuse(written.error());
  }
  if (!summary.findings.clean()) return kExitFailed;
  return summary.cut_short ? kExitCutShort : 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Runs the long proofs, and shows what came out of each against what it has to be");
  Options options;
  AdoptionCommand adoption;
  std::vector<std::string> names;
  for (const Part& part : proof_parts(Extent::whole)) names.push_back(part.name);
  app.add_option("--json", options.json, "Also write the figures to this file, as one flat object");
  app.add_option("part,--only", options.only,
                 "Run only this part, and those whose names begin with it and -; may be given several times")
      ->check(CLI::IsMember(names));
  app.add_flag_callback(
      "--short", [&] { options.extent = Extent::brief; }, "A form of each part that takes seconds, with other sizes");
  app.footer(
      "Exit code: 0 everything is reached; 1 something is missed, failed, or is not built; 2 the arguments are not right;\n"
      "130 cut short by Ctrl-C or SIGTERM");
  CLI::App* adopt_command = app.add_subcommand("rounds-of-adoption", "Be the part adoption");
  adopt_command->group("");
  adopt_command->add_option("--arenas", adoption.options.arenas)->check(CLI::Range(1, 1000));
  adopt_command->add_option("--rounds", adoption.options.rounds)->check(CLI::Range(1, 100'000));
  adopt_command->add_option("--json", adoption.json);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  return *adopt_command ? adopt(adoption) : prove(options);
}
