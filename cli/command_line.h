// The command line: which verb, with which options. What the verbs do is elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cli/command.h"
#include "cli/console.h"
#include "cli/exit_code.h"
#include "cli/session.h"

namespace CLI {
class App;
}

namespace arenad::cli {

// What help says below each verb.
inline constexpr std::string_view kCommonOptions =
    "Options of every verb: --socket PATH --json --timeout DURATION --quiet --color WHEN; see arenactl --help";

struct Invocation {
  Command* command = nullptr;  // one of those that were given to parse_command_line()
  std::string socket_path = "/run/arenad/arenad.sock";
  Format format = Format::text;
  Verbosity verbosity = Verbosity::normal;
  ColourWish colour = ColourWish::automatic;
  std::optional<uint64_t> timeout_ms;
};

// An exit code if there is nothing to run: help was shown, or what is wrong was said.
std::variant<Invocation, ExitCode> parse_command_line(const Commands& commands, std::vector<std::string> arguments);

// The verbs with their options, as help shows them, for whoever tells of them otherwise: the manual, completion.
void look_at_command_line(const Commands& commands, const std::function<void(const CLI::App&)>& look);

}  // namespace arenad::cli
