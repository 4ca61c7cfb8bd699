// arena-worker: hosts one arena, is forked from a template that arenad has started, or runs a recording at the desk.
#include <csignal>
#include <cstdio>

#include <CLI/CLI.hpp>

#include "ipc/process.h"
#include "worker/desk_replay.h"
#include "worker/template_role.h"

namespace {

int run_desk(const arenad::DeskReplayOptions& options) {
  const auto divergences = arenad::replay_at_desk(options);
  if (!divergences) {
    std::fprintf(stderr, "arena-worker: %s\n", divergences.error().text().c_str());
    return 1;
  }
  return divergences.value() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Hosts one arena. Started by arenad; by hand only to run a recording again:\n"
      "  arenactl export ARENA battle.arena && arena-worker --replay battle.arena --module game.so");
  arenad::TemplateOptions as_template;
  arenad::DeskReplayOptions at_desk;
  bool template_role = false;
  bool summary = false;
  std::string module_path;
  auto* serve = app.add_flag("--template", template_role, "Serve as a template: arenad's link is descriptor 3");
  auto* replay =
      app.add_option("--replay", at_desk.recording_path, "Run this recording and print the state's hash frame by frame");
  app.add_option("--module", module_path, "The game module, a shared object")->required();
  app.add_option("--outputs", at_desk.outputs_path, "With --replay: write every output record to this file")->needs(replay);
  app.add_flag("--summary", summary, "With --replay: print the last line only")->needs(replay);
  app.add_option("--output-ring-bytes", as_template.output_ring_bytes, "With --template: size of an arena's output ring")
      ->needs(serve);
  app.add_option("--frame-log-bytes", as_template.frame_log_bytes, "With --template: size of an arena's frame log")
      ->needs(serve);
  serve->excludes(replay);
  CLI11_PARSE(app, argc, argv);

  if (!at_desk.recording_path.empty()) {
    at_desk.module_path = module_path;
    if (summary) at_desk.print = arenad::DeskReplayOptions::Print::summary;
    return run_desk(at_desk);
  }
  if (!template_role) {
    std::fprintf(stderr, "arena-worker: nothing to do: give --replay FILE, or let arenad start it. See --help\n");
    return 2;
  }
  as_template.module_path = module_path;
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of an allocation
  arenad::set_process_name("template");
  return arenad::run_template(as_template, arenad::Link(arenad::Fd(arenad::kLinkDescriptor)));
}
