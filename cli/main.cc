// arenactl: what operators say to arenad. Parses the command line and runs the verb; it talks to the control socket and knows
// nothing else of arenad.
#include <csignal>

#include "cli/command.h"
#include "cli/command_line.h"
#include "cli/complete.h"
#include "cli/console.h"
#include "cli/session.h"

int main(int argc, char** argv) {
  using namespace arenad::cli;
  // Whoever reads our output and has read enough, such as head, ends us without a word, also where a parent ignores this.
  std::signal(SIGPIPE, SIG_DFL);
  const Commands commands = all_commands();
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (!words.empty() && words[0] == kCompletionWord) {
    return static_cast<int>(complete(commands, std::span(words).subspan(words.size() > 1 && words[1] == "--" ? 2 : 1)));
  }
  const auto parsed = parse_command_line(commands, words);
  if (const auto* code = std::get_if<ExitCode>(&parsed)) return static_cast<int>(*code);

  const auto& invocation = std::get<Invocation>(parsed);
  const Console console(invocation.verbosity, invocation.colour);
  const Session session{console, invocation.socket_path, invocation.format, invocation.timeout_ms};
  return static_cast<int>(console.finish(invocation.command->run(session)));
}
