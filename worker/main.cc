// arena-worker: hosts one arena, is forked from a template that arenad has started, or runs a recording at the desk.
#include <csignal>
#include <cstdio>
#include <string>
#include <sys/stat.h>

#include <CLI/CLI.hpp>

#include "ipc/process.h"
#include "worker/command_line.h"
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
  arenad::WorkerCommandLine given;
  const auto command_line = arenad::worker_command_line(given);
  try {
    command_line->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return command_line->exit(error) == 0 ? 0 : kExitUsage;
  }

  if (!given.at_desk.recording_path.empty()) {
    given.at_desk.module_path = given.module_path;
    if (given.summary) given.at_desk.print = arenad::DeskReplayOptions::Print::summary;
    return run_desk(given.at_desk);
  }
  if (!given.is_template)
    return usage_error("nothing to do: give --replay FILE --module FILE, or let arenad start it. See --help");
  if (!has_link()) {
    return usage_error(
        "only arenad can start a template, because descriptor 3 must be its link. To run a game, give it a section\n"
        "[games.NAME] with module = \"FILE\" in arenad's configuration, then: arenad --config FILE, arenactl start NAME");
  }
  given.as_template.module_path = given.module_path;
  ::signal(SIGXFSZ, SIG_IGN);  // a file size limit is an error of an allocation
  arenad::set_process_name("template");
  ::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);  // a game that crashes has said its last line
  return arenad::run_template(given.as_template, arenad::Link(arenad::Fd(arenad::kLinkDescriptor)));
}
