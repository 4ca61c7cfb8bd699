#include "supervisor/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "supervisor/version.h"

namespace arenad {
namespace {

constexpr const char* kFooter =
    "Runs in the foreground and logs to standard error. systemd or arena-keeper starts it again when it dies; arenas go on\n"
    "meanwhile, and the next arenad takes them up.\n"
    "\n"
    "Signals:\n"
    "  SIGTERM  Ends in order: every arena is saved, and goes on when arenad runs again. SIGINT does the same\n"
    "  again, or SIGINT again  Waits no longer: what has not been saved goes on from its last snapshot\n"
    "  SIGHUP  Reads the configuration again, as arenactl reload-config does\n"
    "  SIGUSR2  Is replaced by the program that is installed now, as by arenactl upgrade; the log tells if that fails\n"
    "  SIGQUIT  Writes to the log how arenad and each arena are\n"
    "  SIGUSR1  Is noted: there is no log file to open again\n"
    "\n"
    "Exit codes:\n"
    "  0  ended in order; or with --check-config: no problems\n"
    "  1  could not begin; or with --check-config: there are problems\n"
    "  2  the command line is wrong\n"
    "\n"
    "Examples:\n"
    "  arenad --check-config\n"
    "  arenad --print-default-config > arenad.toml\n"
    "  arena-keeper -- arenad --config arenad.toml\n";

}  // namespace

std::unique_ptr<CLI::App> daemon_command_line(DaemonCommandLine& to) {
  auto app = std::make_unique<CLI::App>(
      "Runs real-time game matches as worker processes, keeps their state, and brings them back when they die.", "arenad");
  app->set_help_flag("-h,--help", "Shows this");
  app->add_option("--config", to.config, "The configuration file")->type_name("FILE")->capture_default_str();
  app->add_flag("--check-config", to.check_config,
                "Check the configuration, tell every problem with file, line and key, and exit");
  app->add_flag("--print-default-config", to.print_default_config, "Print a configuration with every key explained, and exit");
  app->add_flag("--release-groups", to.release_groups,
                "Take back what is passed on to workers' control groups, as a systemd unit must between two arenads, and exit");
  app->add_flag("--can-take-over", to.can_take_over)->group("");
  app->set_version_flag("--version", std::string("arenad ") + kVersion, "Shows the version");
  app->footer(kFooter);
  return app;
}

}  // namespace arenad
