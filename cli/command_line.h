// The command line: which verb, with which options. What the verbs do is elsewhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/session.h"

namespace arenad::cli {

struct Invocation {
  Command* command = nullptr;  // one of those that were given to parse_command_line()
  std::string socket_path = "/run/arenad/arenad.sock";
  Format format = Format::text;
  Verbosity verbosity = Verbosity::normal;
  std::optional<uint64_t> timeout_ms;
};

// An exit code if there is nothing to run: help was shown, or what is wrong was said.
std::variant<Invocation, ExitCode> parse_command_line(const Commands& commands, std::vector<std::string> arguments);

}  // namespace arenad::cli
