// arena-keeper: a parent for arenad where there is no systemd: on a laptop, in a container, as its process 1.
#include <cstdio>

#include <CLI/CLI.hpp>

#include "ipc/process.h"
#include "keeper/command_line.h"
#include "keeper/keeper.h"

int main(int argc, char** argv) {
  arenad::KeeperOptions options;
  const auto command_line = arenad::keeper_command_line(options);
  try {
    command_line->parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = command_line->exit(e);
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
