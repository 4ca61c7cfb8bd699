#include "chaos/equipment.h"

#include <string>
#include <unistd.h>
#include <vector>

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

constexpr const char* kGameModule = "ledger.so";
constexpr const char* kDiskLibrary = "libarenad_faulty_vfs.so";
constexpr const char* kClockLibrary = "libarenad_faulty_clock.so";
constexpr const char* kCallsLibrary = "libarenad_call_preload.so";

// Of the build tree, seen from programs in chaos/ and in tests/sweep/.
std::vector<fs::path> roots_of(const fs::path& here) {
  return {here / "..", here / "../.."};
}

Result<fs::path> find_in(const std::vector<fs::path>& folders, const char* name, int access_mode) {
  std::string searched;
  for (const fs::path& folder : folders) {
    const fs::path candidate = (folder / name).lexically_normal();
    std::error_code error;
    if (fs::is_regular_file(candidate, error) && ::access(candidate.c_str(), access_mode) == 0) return candidate;
    searched += "\n  " + candidate.string();
  }
  return make_error(ErrorCode::failed, std::string(name) + " is not there. Looked for:" + searched);
}

}  // namespace

Result<Equipment> find_equipment() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error) return make_error(ErrorCode::failed, "cannot tell where this program is: " + error.message());
  const fs::path here = self.parent_path();
  const auto folders_of = [&](const char* in_the_tree, const fs::path& installed) {
    std::vector<fs::path> folders{installed};
    for (const fs::path& root : roots_of(here)) folders.push_back(root / in_the_tree);
    return folders;
  };
  const fs::path installed = here / ".." / ARENAD_EQUIPMENT_FOLDER;
  Equipment found;
  struct Program {
    const char* name;
    const char* in_the_tree;
    fs::path* path;
  };
  for (const Program& program :
       {Program{"arenad", "supervisor", &found.arenad}, Program{"arena-worker", "worker", &found.worker},
        Program{"arena-keeper", "keeper", &found.keeper}}) {
    auto path = find_in(folders_of(program.in_the_tree, here), program.name, X_OK);
    if (!path) return path.error();
    *program.path = std::move(*path);
  }
  auto game = find_in(folders_of("games", installed), kGameModule, R_OK);
  if (!game) return game.error();
  found.games = game->parent_path();
  found.room = found.games == installed.lexically_normal() ? fs::path("/var/tmp") : here;
  // One that is built with sanitizers has none of these.
  struct Library {
    const char* name;
    fs::path* path;
  };
  for (const Library& library :
       {Library{kDiskLibrary, &found.disk}, Library{kClockLibrary, &found.clock}, Library{kCallsLibrary, &found.calls}}) {
    if (auto path = find_in(folders_of("chaos", installed), library.name, R_OK)) *library.path = std::move(*path);
  }
  return found;
}

}  // namespace arenad::chaos
