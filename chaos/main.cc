// arenad-demo: shows Arenad at work, and judges it. Starts an arenad of its own with arenas full of bots, kills workers with SIGKILL,
// and compares every output of every client with the same frames run without a crash. `./dev run`, and the end-to-end test.
#include <fmt/format.h>
#include <fstream>

#include <CLI/CLI.hpp>

#include "chaos/bot_process.h"
#include "chaos/demo_run.h"
#include "chaos/files.h"
#include "chaos/litter.h"
#include "chaos/private_folder.h"
#include "ipc/clock.h"

namespace {

using namespace arenad::chaos;

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

void declare_run(CLI::App& app, RunOptions& options) {
  app.add_option("--arenas", options.arenas, "How many arenas")->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--bots", options.bots, "How many bots in each arena")->check(CLI::Range(1, 30))->capture_default_str();
  app.add_option("--seconds", options.seconds, "How long to play, unless --kills is given")
      ->check(CLI::Range(0.1, 3000.0))
      ->capture_default_str();
  app.add_option("--kill-every", options.kill_every_ms, "Milliseconds from kill to kill; 0: no kills")->capture_default_str();
  app.add_option("--kills", options.kills, "Play until so many kills are made");
  app.add_option("--aim", options.aim,
                 "When workers are killed: anytime, or at each place of their work equally often: everything")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, AimAt>{{"anytime", AimAt::any_moment}, {"everything", AimAt::everything}}));
  app.add_option("--seed", options.seed, "Of the bots, the maps and the kills; without it, a new one");
  app.add_option("--channel-bytes", options.channel_bytes, "Of each bot's channel: a power of two")->capture_default_str();
  app.add_option("--json", options.json, "Also write what came out to this file, as one flat object");
  app.add_option("--bin", options.folders, "Where to look for arenad, arena-worker and tanks.so first");
}

CLI::App* declare_bot(CLI::App& app, BotOptions& options) {
  CLI::App* bot = app.add_subcommand("bot", "Be one bot of a run");
  bot->group("");  // for the run alone: not in the help
  bot->add_option("--socket", options.socket)->required();
  bot->add_option("--arena", options.arena)->required();
  bot->add_option("--player", options.player)->required();
  bot->add_option("--log", options.log)->required();
  bot->add_option("--seed", options.seed)->required();
  bot->add_option("--channel-bytes", options.channel_bytes)->required();
  return bot;
}

int conclude(const RunSummary& summary) {
  fmt::print("{}", summary_text(summary));
  bool written = true;
  if (!summary.options.json.empty()) {
    const auto result = write_file(summary.options.json, summary_json(summary));
    written = result.ok();
    if (!written) fmt::print(stderr, "arenad-demo: {}\n", result.error().text());
  }
  fmt::print("{}\n", result_line(summary));
  return summary.ok() && written ? 0 : kExitFailed;
}

int refuse(const RunOptions& options, const arenad::Error& error) {
  fmt::print(stderr, "arenad-demo: {}\n", error.text());
  RunSummary summary;
  summary.options = options;
  summary.findings.problem(error.message);
  fmt::print("{}\n", result_line(summary));
  return kExitFailed;
}

int run(const RunOptions& options) {
  become_reaper();
  auto programs = find_programs(options.folders);
  if (!programs) return refuse(options, programs.error());
  auto signals = StopSignals::take();
  if (!signals) return refuse(options, signals.error());
  auto folder = PrivateFolder::make(programs->self.parent_path());
  if (!folder) return refuse(options, folder.error());

  DemoRun demo(options, *programs, folder->path(), *signals);
  RunSummary summary = demo.run();
  if (!summary.findings.clean()) {
    folder->keep();
    summary.evidence = folder->path();
  }
  return conclude(summary);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Shows arenas that go on while their workers are killed, and judges whether anything was lost");
  RunOptions options;
  BotOptions as_bot;
  declare_run(app, options);
  const CLI::App* bot = declare_bot(app, as_bot);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (*bot) return run_bot(as_bot);
  if (app.count("--seed") == 0) options.seed = arenad::random_u64() >> 32;
  return run(options);
}
