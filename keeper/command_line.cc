#include "keeper/command_line.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace arenad {
namespace {

constexpr const char* kFooter =
    "For machines and containers without systemd, whose protocol it speaks: it watches the service, and keeps for it what the\n"
    "service stores there. So arenad finds its arenas again after it was killed. A service that has ended with 0 is not\n"
    "started again.\n"
    "\n"
    "Signals:\n"
    "  SIGTERM  Ends the service in order, and then itself. SIGINT does the same\n"
    "  SIGHUP  Is passed on when the service is ready; SIGUSR1, SIGUSR2 and SIGQUIT are passed on at once\n"
    "\n"
    "Exit codes:\n"
    "  0  the service has ended with 0\n"
    "  1  the keeper itself cannot begin\n"
    "  2  the command line is wrong\n"
    "  N  otherwise that of the service; 128 and the number of the signal that ended it\n"
    "\n"
    "Examples:\n"
    "  arena-keeper -- arenad --config arenad.toml\n"
    "  arena-keeper --watchdog 5000 -- arenad\n";

}  // namespace

std::unique_ptr<CLI::App> keeper_command_line(KeeperOptions& to) {
  auto app = std::make_unique<CLI::App>(
      "Runs a service and starts it again when it dies, with the descriptors that it has stored.", "arena-keeper");
  app->set_help_flag("-h,--help", "Shows this");
  app->add_option("--watchdog", to.watchdog_ms, "Milliseconds within which the service must show progress; 0: never")
      ->type_name("MS")
      ->capture_default_str();
  app->add_option("--stop-timeout", to.stop_timeout_ms, "Milliseconds that the service has to end before it is killed")
      ->type_name("MS")
      ->capture_default_str();
  app->add_option("--max-descriptors", to.max_descriptors, "How many descriptors the service may store")
      ->type_name("N")
      ->capture_default_str();
  app->add_option("COMMAND", to.command, "The service and its arguments, behind --")->required()->option_text(" ");
  app->footer(kFooter);
  return app;
}

}  // namespace arenad
