// arenad-demo: shows Arenad at work, and judges it. Starts an arenad of its own with arenas full of bots, kills workers
// or arenad with SIGKILL, or changes the game's code, and compares every output of every client with the same frames run without a crash.
// `./dev run`, `./dev demo`, and the end-to-end tests.
#include <bit>
#include <cmath>
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "chaos/bot_process.h"
#include "chaos/demo_run.h"
#include "chaos/files.h"
#include "chaos/litter.h"
#include "chaos/private_folder.h"
#include "ipc/clock.h"
#include "ipc/limits.h"

namespace {

using namespace arenad::chaos;
namespace limits = arenad::limits;

constexpr int kExitUsage = 2;
constexpr uint64_t kLongestIntervalMs = 3'600'000;
constexpr uint64_t kMostKills = 1'000'000;

constexpr const char* kHelpOfExits =
    "Ctrl-C or SIGTERM ends the play early, and what was played is judged; once more, and nothing is judged.\n\n"
    "Exit code:\n"
    "  0    played to the end, and nothing is wrong\n"
    "  1    something is wrong, and the folder with the evidence is kept; or the run proves nothing\n"
    "  2    the arguments are not right; nothing was run\n"
    "  130  ended early. The last line says \"result: ok\" if what was played was judged and is right, \"result: failed\"\n"
    "       if nothing was judged. With something wrong it is 1";

// What every run has.
void declare_play(CLI::App& app, RunOptions& options, const char* seconds, const char* seed) {
  app.add_option("--arenas", options.arenas, "How many arenas")->check(CLI::Range(1, 64))->capture_default_str();
  app.add_option("--bots", options.bots, "How many bots in each arena")->check(CLI::Range(1, 30))->capture_default_str();
  app.add_option("--seconds", options.seconds, seconds)->check(CLI::Range(0.1, 3000.0))->capture_default_str();
  app.add_option("--seed", options.seed, seed);
  app.add_option("--channel-bytes", options.channel_bytes, "Of each bot's channel: a power of two")
      ->check(CLI::Range(limits::kMinChannelBytes, limits::kMaxChannelBytes))
      ->capture_default_str();
  app.add_option("--json", options.json, "Also write what came out to this file, as one flat object")
      ->check([](const auto& path) {
        const auto writable = check_writable(path);
        return writable ? std::string() : writable.error().text();
      });
  app.add_option("--bin", options.folders, "Where to look for the programs and game modules first")
      ->check(CLI::ExistingDirectory);
  app.footer(kHelpOfExits);
}

void declare_kills(CLI::App& app, RunOptions& options) {
  app.add_option("--kill-every", options.kill_every_ms,
                 "Milliseconds from kill to kill, on average: each interval is half to one and a half of it. 0: no kills")
      ->check(CLI::Range(uint64_t{0}, kLongestIntervalMs))
      ->capture_default_str();
  app.add_option("--kills", options.kills,
                 "Play until so many kills are made, of workers, or of arenad if it is a victim; for none, say --kill-every 0")
      ->check(CLI::Range(uint64_t{1}, kMostKills));
  app.add_option("--aim", options.aim,
                 "When workers are killed: anytime, or at each place of their work equally often: everything")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, AimAt>{{"anytime", AimAt::any_moment}, {"everything", AimAt::everything}}));
  app.add_option(
         "--victims", options.victims,
         "Who is killed: workers; arenad, which its keeper starts again; everything: arenad and all workers in the same "
         "instant; mixed: workers, and arenad alone, with a worker, with its successor, with everything")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Victims>{{"workers", Victims::workers},
                                                                         {"arenad", Victims::arenad},
                                                                         {"everything", Victims::everything},
                                                                         {"mixed", Victims::mixed}}));
  app.add_flag("--gauge", options.gauge,
               "Also measure what arenad's memory and descriptors grow by; needs --kills, of workers");
}

CLI::App* declare_reload(CLI::App& app, RunOptions& options) {
  CLI::App* reload =
      app.add_subcommand("reload", "Show changes of code instead of kills: good and bad versions, under playing bots");
  declare_play(*reload, options, "How long to play before each change", "Of the bots and the maps; without it, a new one");
  return reload;
}

// What no option can tell of itself.
void check(const RunOptions& options) {
  if (options.kills != 0 && options.kill_every_ms == 0) throw CLI::ValidationError("--kills", "--kill-every 0 makes none");
  if (options.gauge && (options.victims != Victims::workers || options.kills == 0)) {
    throw CLI::ValidationError("--gauge", "needs --kills, of workers");
  }
  if (!std::has_single_bit(options.channel_bytes)) throw CLI::ValidationError("--channel-bytes", "not a power of two");
  if (std::isnan(options.seconds)) throw CLI::ValidationError("--seconds", "not a number");
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
  int code = exit_code(summary);
  if (!summary.options.json.empty()) {
    if (const auto written = write_file(summary.options.json, summary_json(summary)); !written) {
      fmt::print(stderr, "arenad-demo: {}\n", written.error().text());
      code = kExitFailed;
    }
  }
  fmt::print("{}\n", result_line(summary));
  return code;
}

int refuse(const RunOptions& options, const arenad::Error& error) {
  RunSummary summary;
  summary.options = options;
  summary.findings.problem(error.text());
  return conclude(summary);
}

int run(const RunOptions& options) {
  become_reaper();
  auto programs = find_programs(options.folders);
  if (!programs) return refuse(options, programs.error());
  std::vector<ReloadStep> script;
  if (options.subject == Subject::changes_of_code) {
    auto found = reload_script(*programs, options.folders);
    if (!found) return refuse(options, found.error());
    script = std::move(*found);
  }
  auto signals = StopSignals::take();
  if (!signals) return refuse(options, signals.error());
  auto folder = PrivateFolder::make(programs->self.parent_path());
  if (!folder) return refuse(options, folder.error());

  DemoRun demo(options, *programs, folder->path(), *signals, std::move(script));
  RunSummary summary = demo.run();
  if (!summary.findings.clean()) {
    folder->keep();
    summary.evidence = folder->path();
  }
  return conclude(summary);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Shows arenas that go on while their workers, or arenad, are killed, and judges whether anything was lost");
  RunOptions options;
  RunOptions changes{.subject = Subject::changes_of_code, .arenas = 4, .bots = 8, .seconds = 2.5, .kill_every_ms = 0};
  BotOptions as_bot;
  declare_play(app, options, "How long to play, unless --kills is given",
               "Of the bots, the maps and the kills; without it, a new one");
  declare_kills(app, options);
  const CLI::App* reload = declare_reload(app, changes);
  const CLI::App* bot = declare_bot(app, as_bot);
  try {
    app.parse(argc, argv);
    check(*reload ? changes : options);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }
  if (*bot) return run_bot(as_bot);
  RunOptions& wanted = *reload ? changes : options;
  if ((*reload ? reload : &app)->count("--seed") == 0) wanted.seed = arenad::random_u64() >> 32;
  return run(wanted);
}
