#include <filesystem>

#include "chaos/equipment.h"
#include "chaos/faults/bad_program.h"
#include "chaos/faults/catalogue.h"
#include "chaos/files.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

constexpr size_t kBeginning = 4096;

Result<std::string> no_program(Stage& stage, const Strike& strike) {
  const fs::path path = stage.rig().folder() / "no-program";
  std::error_code error;
  fs::remove(path, error);
  enum Kind { nothing, folder, cannot_be_executed, text, beginning_of_one, kinds };
  const auto kind = static_cast<Kind>(strike.draw % kinds);
  if (kind == nothing) return path.string();
  if (kind == folder) {
    fs::create_directory(path, error);
    return path.string();
  }
  std::string content = "no program\n";
  if (kind == beginning_of_one) {
    auto equipment = find_equipment();
    if (!equipment) return equipment.error();
    auto whole = read_file(equipment->arenad);
    if (!whole) return whole.error();
    content = whole->substr(0, kBeginning);
  }
  if (auto written = write_file(path, content); !written) return written.error();
  if (kind != cannot_be_executed) fs::permissions(path, fs::perms::owner_all, error);
  return path.string();
}

}  // namespace

Fault arenad_upgraded_to_no_program() {
  return upgrade_refused("arenad.upgraded_to_no_program",
                         "arenad is told to upgrade to a file that is not there, or is no program, or the beginning of one",
                         no_program, 10'000, "no-program");
}

}  // namespace arenad::chaos
