#include "chaos/command_line.h"

#include <map>

#include <CLI/CLI.hpp>

namespace arenad::chaos {
namespace {

constexpr const char* kFooter =
    "It starts an arenad of its own in a private folder, has arenas played there, strikes processes, memory, disk and code in "
    "the\n"
    "middle of it, heals everything again, and looks all the time at what must hold. The same seed makes the same plan. The\n"
    "folder is made in $TMPDIR, or else in /var/tmp.\n"
    "\n"
    "Exit codes:\n"
    "  0  passed\n"
    "  1  something was violated\n"
    "  2  the command line, or a file that it names, is wrong\n"
    "  3  vacuous: nothing was violated, and yet it shows less than it should\n"
    "  4  cut short, or it could not run\n"
    "\n"
    "Examples:\n"
    "  arena-chaos run --seed 7 --faults 200 --report report\n"
    "  arena-chaos run --game tanks.so --driver tanks-driver --duration 10m\n"
    "  arena-chaos replay report/bundle-7\n";

}  // namespace

std::unique_ptr<CLI::App> chaos_command_line(ChaosCommandLine& to) {
  auto app = std::make_unique<CLI::App>("Breaks everything on purpose, and proves that it did not matter.", "arena-chaos");
  app->set_help_flag("-h,--help", "Shows this");
  app->require_subcommand(1);
  app->footer(kFooter);
  ChaosOptions& options = to.options;
  const auto choice = [&](CLI::App* verb) {
    verb->add_option("--only", options.only, "Only faults whose names fit this glob")->option_text("GLOB");
    verb->add_flag("--with-planted", options.with_planted, "Also those that only pretend, to try this tool itself");
  };
  const auto making = [&](CLI::App* verb) {
    verb->add_option("--seed", options.plan.seed, "What everything random comes from")->option_text("N");
    verb->add_option("--arenas", options.plan.arenas, "So many arenas")->option_text("N")->check(CLI::Range(1, 500));
    choice(verb);
    return verb->add_option("--faults", options.plan.faults, "So many faults")->option_text("N");
  };
  const auto reports = [&](CLI::App* verb) {
    verb->add_option("--report", options.report,
                     "Folder for report.html, report.json, junit.xml, plan.json, and a bundle of a failure")
        ->option_text("DIR");
    verb->add_option("--json", options.json, "File for the figures, as one flat object")->option_text("FILE");
  };
  CLI::App* runs = app->add_subcommand("run", "Plays a plan, and judges what came of it");
  CLI::Option* faults = making(runs);
  CLI::Option* duration = runs->add_option("--duration", options.duration_s,
                                           "Goes on making steps from the seed for so long: seconds, or like 5m, 2h");
  duration->option_text("DURATION")
      ->transform(CLI::AsNumberWithUnit(std::map<std::string, uint64_t>{{"s", 1}, {"m", 60}, {"h", 3600}}))
      ->excludes(faults);
  runs->add_option("--plan", options.plan_file, "Plays this plan instead of one from a seed")
      ->option_text("FILE")
      ->check(CLI::ExistingFile)
      ->excludes(faults)
      ->excludes(duration);
  reports(runs);
  auto* module = runs->add_option("--game", options.game, "A game of your own instead of the ledger: its module")
                     ->option_text("FILE")
                     ->check(CLI::ExistingFile);
  auto* driver = runs->add_option("--driver", options.driver, "The program that plays it (arenad/driver.h)")
                     ->option_text("FILE")
                     ->check(CLI::ExistingFile);
  module->needs(driver);
  driver->needs(module);
  CLI::App* plans = app->add_subcommand("plan", "Prints what a seed would do, as JSON");
  making(plans);
  CLI::App* lists = app->add_subcommand("list", "Tells what each fault does, and what must hold");
  choice(lists);
  CLI::App* replays =
      app->add_subcommand("replay", "Plays the plan of a failed run's bundle again, and says whether it comes to the same");
  replays->add_option("bundle", options.bundle, "The folder bundle-SEED")
      ->option_text(" ")
      ->required()
      ->check(CLI::ExistingDirectory);
  reports(replays);
  CLI::App* shrinks = app->add_subcommand("shrink", "Finds fewer faults of a failed run's plan that still fail");
  shrinks->add_option("bundle", options.bundle, "The folder bundle-SEED")
      ->option_text(" ")
      ->required()
      ->check(CLI::ExistingDirectory);
  shrinks->add_option("--tries", options.tries, "Runs at most")->option_text("N")->check(CLI::Range(1, 100000));
  shrinks->add_option("--output", options.output, "The smaller plan; otherwise smaller-plan.json in the bundle")
      ->option_text("FILE");
  CLI::App* plants =
      app->add_subcommand("mutants", "Plants known bugs in the programs, one at a time, and sees whether a run notices");
  plants->add_option("--only", to.mutants.only, "Only mutants whose names fit this glob; may be given several times")
      ->option_text("GLOB");
  plants->add_option("--json", to.mutants.json, "Also write the figures to this file, as one flat object")->option_text("FILE");
  CLI::App* sweeps = app->add_subcommand(
      "sweep", "Has each process die at each crash point, or die or fail at each system call, from its first hit to its last");
  sweep::add_options(*sweeps, to.sweep);
  CLI::App* joins = app->add_subcommand("join-figures", "Takes the figures of all these files into the first one");
  joins->add_option("FILE", to.figures, "As --json writes them")->option_text(" ")->required()->check(CLI::ExistingFile);
  // Said once: verbs would have it from the program.
  for (CLI::App* verb : app->get_subcommands([](const CLI::App*) { return true; })) verb->footer("");
  return app;
}

}  // namespace arenad::chaos
