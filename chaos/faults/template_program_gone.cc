#include <csignal>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/log_mark.h"
#include "chaos/faults/processes.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgramGone = "template.program_gone";
// As arenad says it (supervisor/game_template.cc).
constexpr const char* kCannotBeUsed = "cannot be used";
constexpr const char* kHidden = ".hidden";

// The copies that arenad keeps, of all versions.
std::vector<fs::path> programs_in_folders(const Stage& stage, const std::string& name) {
  std::vector<fs::path> found;
  std::error_code error;
  for (const auto& folder : fs::directory_iterator(stage.rig().folder() / "state/modules", error)) {
    if (fs::exists(folder.path() / name, error)) found.push_back(folder.path() / name);
  }
  return found;
}

}  // namespace

Fault template_program_gone() {
  return {
      .name = kProgramGone,
      .does =
          "The program of workers is gone or may not be executed, while the template, all spares and the arena's worker "
          "are killed",
      .holds = "arenad says so and goes on trying, other arenas play on, and the arena comes back with the program",
      .worker = Ends::must,
      // It may say that there is no worker, instead of how the last one ended.
      .alone = true,
      .prepare = wait_for_template,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        mark_log(stage, kProgramGone, strike, kCannotBeUsed);
        const auto programs = programs_in_folders(stage, "arena-worker");
        if (programs.empty()) return make_error(ErrorCode::failed, "arenad keeps no program of workers");
        std::error_code error;
        for (const fs::path& program : programs) {
          if (strike.draw % 2 == 0) {
            fs::rename(program, program.string() + kHidden, error);
          } else {
            fs::permissions(program, fs::perms::owner_read | fs::perms::owner_write, error);
          }
        }
        if (error) return make_error(ErrorCode::failed, "the program of workers cannot be taken away: " + error.message());
        (void)signal_all(templates(stage), SIGKILL);
        (void)signal_all(spares(stage), SIGKILL);
        return signal_worker(stage, strike.arena, SIGKILL);
      },
      .fired = [](const Stage& stage, const Strike& strike) { return has_logged(stage, kProgramGone, strike, kCannotBeUsed); },
      .heal = [](Stage& stage, const Strike&) -> Result<void> {
        std::error_code error;
        for (const fs::path& hidden : programs_in_folders(stage, std::string("arena-worker") + kHidden)) {
          fs::rename(hidden, hidden.parent_path() / "arena-worker", error);
        }
        for (const fs::path& program : programs_in_folders(stage, "arena-worker")) {
          fs::permissions(program, fs::perms::owner_all, fs::perm_options::add, error);
        }
        return error ? Result<void>(make_error(ErrorCode::failed, error.message())) : Result<void>();
      },
      .heal_after_ms = 500};
}

}  // namespace arenad::chaos
