// Writes the sources of the manual pages, and the example of a configuration, from what the programs themselves go by: their command
// lines and the table of configuration keys. Run while Arenad is built.
//
//   arenad-manual FOLDER
#include <cstdio>
#include <filesystem>
#include <fstream>

#include <CLI/App.hpp>

#include "chaos/command_line.h"
#include "cli/command_line.h"
#include "keeper/command_line.h"
#include "packaging/manual/config_page.h"
#include "packaging/manual/program_page.h"
#include "supervisor/command_line.h"
#include "supervisor/config.h"
#include "worker/command_line.h"

namespace {

using arenad::manual::program_page;

constexpr const char* kDaemonMore =
    "# FILES\n\n"
    "/etc/arenad/arenad.toml\n\tThe configuration.\n\n"
    "/var/lib/arenad\n\tThe database, arenad.db, and the code of games. *daemon.directory* of the configuration.\n\n"
    "/run/arenad/arenad.sock\n\tThe control socket. *daemon.runtime\\_directory* and *daemon.socket* of the configuration.\n\n"
    "# ENVIRONMENT\n\n"
    "NOTIFY\\_SOCKET, WATCHDOG\\_USEC, LISTEN\\_FDS and their like are the protocol of systemd, see *sd\\_notify*(3).\n\n";

constexpr const char* kCommandMore =
    "# FILES\n\n"
    "/run/arenad/arenad.sock\n\tThe control socket of arenad.\n\n"
    "# ENVIRONMENT\n\n"
    "ARENAD\\_SOCKET\n\tThe control socket, if *--socket* names none.\n\n"
    "NO\\_COLOR\n\tIf it is not empty, nothing is coloured. Colours are for terminals only in any case.\n\n";

constexpr const char* kChaosMore =
    "# FILES\n\n"
    "/usr/lib/arenad/chaos\n\tThe games that are played, and what is put under the database: found beside the program, "
    "wherever it is "
    "installed.\n\n"
    "# ENVIRONMENT\n\n"
    "TMPDIR\n\tWhere the folder of a run is made.\n\n";

bool write(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file);
  out << text;
  out.close();
  if (!out) std::fprintf(stderr, "arenad-manual: cannot write %s\n", file.c_str());
  return static_cast<bool>(out);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: arenad-manual FOLDER\n", stderr);
    return 2;
  }
  const std::filesystem::path folder(argv[1]);
  arenad::DaemonCommandLine daemon;
  arenad::KeeperOptions keeper;
  arenad::WorkerCommandLine worker;
  arenad::chaos::ChaosCommandLine chaos;
  std::string command;
  arenad::cli::look_at_command_line(arenad::cli::all_commands(), [&](const CLI::App& app) {
    command = program_page(app, {1, kCommandMore, "*arenad*(8), *arenad.toml*(5), *arena-worker*(8)"});
  });
  const bool written =
      write(folder / "arenad.8.scd",
            program_page(*arenad::daemon_command_line(daemon),
                         {8, kDaemonMore, "*arenactl*(1), *arenad.toml*(5), *arena-keeper*(8), *arena-worker*(8)"})) &&
      write(folder / "arena-keeper.8.scd",
            program_page(*arenad::keeper_command_line(keeper), {8, "", "*arenad*(8), *sd\\_notify*(3)"})) &&
      write(folder / "arena-worker.8.scd",
            program_page(*arenad::worker_command_line(worker), {8, "", "*arenad*(8), *arenactl*(1)"})) &&
      write(folder / "arenactl.1.scd", command) &&
      write(folder / "arena-chaos.1.scd",
            program_page(*arenad::chaos::chaos_command_line(chaos), {1, kChaosMore, "*arenad*(8), *arenactl*(1)"})) &&
      write(folder / "arenad.toml.5.scd", arenad::manual::config_page("*arenad*(8), *arenactl*(1)")) &&
      write(folder / "arenad.toml", arenad::default_config_text());
  return written ? 0 : 1;
}
