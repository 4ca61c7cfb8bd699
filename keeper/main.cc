// arena-keeper: a parent for arenad where there is no systemd: on a laptop, in a container, as its process 1.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "ipc/process.h"
#include "keeper/keeper.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Runs a service and starts it again when it dies, with the descriptors that it has stored: systemd's protocol, without "
      "systemd.\n\n  arena-keeper -- arenad --config arenad.toml");
  arenad::KeeperOptions options;
  app.add_option("--watchdog", options.watchdog_ms, "Milliseconds within which the service must show progress; 0: never")
      ->capture_default_str();
  app.add_option("--stop-timeout", options.stop_timeout_ms, "Milliseconds that the service has to end before it is killed")
      ->capture_default_str();
  app.add_option("--max-descriptors", options.max_descriptors, "How many descriptors the service may store")
      ->capture_default_str();
  app.add_option("command", options.command, "The service and its arguments")->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = app.exit(e);
    return code == 0 ? 0 : 2;
  }
  arenad::raise_open_files_limit(2 * options.max_descriptors);
  auto keeper = arenad::Keeper::create(std::move(options));
  if (!keeper) {
    std::fprintf(stderr, "arena-keeper: %s\n", keeper.error().text().c_str());
    return 1;
  }
  return keeper->run();
}
