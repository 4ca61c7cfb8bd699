// arena-worker: hosts one arena, is forked from a template that arenad has started, or runs a recording at the desk.
#include <csignal>
#include <cstdio>
#include <string>
#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "arenad/module_abi.h"
#include "arenad/version.h"
#include "ipc/process.h"
#include "worker/desk_replay.h"
#include "worker/template_role.h"

namespace {

constexpr int kExitUsage = 2;

int run_desk(const arenad::DeskReplayOptions& options) {
  const auto divergences = arenad::replay_at_desk(options);
  if (!divergences) {
    std::fprintf(stderr, "arena-worker: %s\n", divergences.error().text().c_str());
    return 1;
  }
  return divergences.value() == 0 ? 0 : 1;
}

// Who starts a template by hand has no link to give it.
bool has_link() {
  struct stat descriptor {};
  return ::fstat(arenad::kLinkDescriptor, &descriptor) == 0 && S_ISSOCK(descriptor.st_mode);
}

int usage_error(const char* message) {
  std::fprintf(stderr, "arena-worker: %s\n", message);
  return kExitUsage;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Hosts one arena. Started by arenad; by hand only to run a recording again:\n"
      "  arenactl export ARENA battle.arena && arena-worker --replay battle.arena --module game.so\n"
      "Exits with 0 if every frame gave what was recorded, with 1 if one did not or the recording cannot be run, with 2 if\n"
      "the command line is wrong.");
  app.set_version_flag("--version", std::string("arena-worker ") + arenad::kArenadVersion + ", module ABI " +
                                        std::to_string(ARENAD_ABI_VERSION));
  arenad::TemplateOptions as_template;
  arenad::DeskReplayOptions at_desk;
  bool template_role = false;
  bool summary = false;
  std::string module_path;
  auto* module = app.add_option("--module", module_path, "The game module, a shared object");
  auto* serve = app.add_flag("--template", template_role, "Serve as a template: arenad's link is descriptor 3");
  auto* replay =
      app.add_option("--replay", at_desk.recording_path, "Run this recording and print the state's hash frame by frame")
          ->needs(module);
  app.add_option("--outputs", at_desk.outputs_path, "With --replay: write every output record to this file")->needs(replay);
  app.add_option("--snapshot", at_desk.snapshot_path, "With --replay: write the snapshot of the last frame to this file")
      ->needs(replay);
  app.add_flag("--summary", summary, "With --replay: print the last line only")->needs(replay);
  app.add_option("--output-ring-bytes", as_template.output_ring_bytes, "With --template: size of an arena's output ring")
      ->needs(serve);
  app.add_option("--frame-log-bytes", as_template.frame_log_bytes, "With --template: size of an arena's frame log")
      ->needs(serve);
  serve->excludes(replay);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : kExitUsage;
  }

  if (!at_desk.recording_path.empty()) {
    at_desk.module_path = module_path;
    if (summary) at_desk.print = arenad::DeskReplayOptions::Print::summary;
    return run_desk(at_desk);
  }
  if (!template_role) return usage_error("nothing to do: give --replay FILE --module FILE, or let arenad start it. See --help");
  if (!has_link()) {
    return usage_error(
        "only arenad can start a template, because descriptor 3 must be its link. To run a game, give it a section\n"
        "[games.NAME] with module = \"FILE\" in arenad's configuration, then: arenad --config FILE, arenactl start NAME");
  }
  as_template.module_path = module_path;
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of an allocation
  arenad::set_process_name("template");
  ::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // a game that crashes has said its last line
  return arenad::run_template(as_template, arenad::Link(arenad::Fd(arenad::kLinkDescriptor)));
}
