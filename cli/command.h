// A verb of arenactl: its place on the command line, and what it does. Each is in a file command_VERB.cc.
//
// A verb may have verbs of its own (crashes show). One of them stands right behind it, where without it an arena would stand, and
// then none of the options and arguments of the verb itself may be given.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/exit_code.h"
#include "cli/session.h"

namespace CLI {
class App;
}

namespace arenad::cli {

// The group in which help lists a verb.
inline constexpr const char* kVerbs = "Verbs";
inline constexpr const char* kCodeVerbs = "Verbs for new code";

struct Verb {
  std::string name;
  std::string summary;  // one line
  std::string example;  // the one that help as a whole shows; of a verb within a verb, nobody asks for it
  std::string details;  // what help on this verb says at its end
  const char* group = kVerbs;
};

class Command {
 public:
  Command() = default;
  virtual ~Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  [[nodiscard]] virtual Verb verb() const = 0;
  // Its own verbs, in the order in which its help lists them.
  [[nodiscard]] virtual std::span<const std::unique_ptr<Command>> verbs() const { return {}; }
  // What the options are set to stays in this object, which must live while the command line is parsed.
  virtual void add_options(CLI::App& app) = 0;
  // Called once, after parsing.
  virtual ExitCode run(const Session& session) = 0;
};

std::unique_ptr<Command> start_command();
std::unique_ptr<Command> status_command();
std::unique_ptr<Command> list_command();
std::unique_ptr<Command> inspect_command();
std::unique_ptr<Command> restart_command();
std::unique_ptr<Command> drain_command();
std::unique_ptr<Command> undrain_command();
std::unique_ptr<Command> stop_command();
std::unique_ptr<Command> history_command();
std::unique_ptr<Command> logs_command();
std::unique_ptr<Command> events_command();
std::unique_ptr<Command> reset_failed_command();
std::unique_ptr<Command> snapshot_command();
std::unique_ptr<Command> kill_command();
std::unique_ptr<Command> signal_command();
std::unique_ptr<Command> tell_command();
std::unique_ptr<Command> state_command();
std::unique_ptr<Command> shutdown_command();
std::unique_ptr<Command> crashes_command();
std::unique_ptr<Command> slow_command();
std::unique_ptr<Command> quarantine_command();
std::unique_ptr<Command> results_command();
std::unique_ptr<Command> top_command();
std::unique_ptr<Command> export_command();
std::unique_ptr<Command> version_command();
std::unique_ptr<Command> reload_command();
std::unique_ptr<Command> rollback_command();
std::unique_ptr<Command> rollout_command();
std::unique_ptr<Command> pin_command();
std::unique_ptr<Command> unpin_command();
std::unique_ptr<Command> versions_command();
std::unique_ptr<Command> upgrade_command();
std::unique_ptr<Command> gate_command();
std::unique_ptr<Command> reload_config_command();
std::unique_ptr<Command> new_game_command();

using Commands = std::vector<std::unique_ptr<Command>>;
// In the order in which help lists them.
Commands all_commands();

}  // namespace arenad::cli
