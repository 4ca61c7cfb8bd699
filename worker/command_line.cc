#include "worker/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "arenad/module_abi.h"
#include "arenad/version.h"

namespace arenad {
namespace {

constexpr const char* kFooter =
    "Started by arenad; by hand only to run a recording again, with the code that was recorded or with other code.\n"
    "\n"
    "Exit codes:\n"
    "  0  every frame gave what was recorded\n"
    "  1  one did not, or the recording cannot be run\n"
    "  2  the command line is wrong\n"
    "\n"
    "Examples:\n"
    "  arenactl export ARENA battle.arena && arena-worker --replay battle.arena --module game.so\n";

}  // namespace

std::unique_ptr<CLI::App> worker_command_line(WorkerCommandLine& to) {
  auto app = std::make_unique<CLI::App>("Hosts one arena, or runs a recording again.", "arena-worker");
  app->set_help_flag("-h,--help", "Shows this");
  app->set_version_flag("--version",
                        std::string("arena-worker ") + kArenadVersion + ", module ABI " + std::to_string(ARENAD_ABI_VERSION),
                        "Shows the version");
  auto* module = app->add_option("--module", to.module_path, "The game module, a shared object")->option_text("FILE");
  auto* serve = app->add_flag("--template", to.is_template, "Serve as a template: arenad's link is descriptor 3");
  auto* replay =
      app->add_option("--replay", to.at_desk.recording_path, "Run this recording and print the state's hash frame by frame")
          ->option_text("FILE")
          ->needs(module);
  app->add_option("--outputs", to.at_desk.outputs_path, "With --replay: write every output record to this file")
      ->option_text("FILE")
      ->needs(replay);
  app->add_option("--snapshot", to.at_desk.snapshot_path, "With --replay: write the snapshot of the last frame to this file")
      ->option_text("FILE")
      ->needs(replay);
  app->add_option("--times", to.at_desk.times_path,
                  "With --replay: write how long each frame took and what came of it to this file; arenactl gate compares them")
      ->option_text("FILE")
      ->needs(replay);
  app->add_flag("--summary", to.summary, "With --replay: print the last line only")->needs(replay);
  app->add_option("--output-ring-bytes", to.as_template.output_ring_bytes, "With --template: size of an arena's output ring")
      ->option_text("BYTES")
      ->needs(serve);
  app->add_option("--frame-log-bytes", to.as_template.frame_log_bytes, "With --template: size of an arena's frame log")
      ->option_text("BYTES")
      ->needs(serve);
  serve->excludes(replay);
  app->footer(kFooter);
  return app;
}

}  // namespace arenad
