#include "chaos/programs.h"

#include <unistd.h>

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

// The build tree, and where everything is installed together.
std::vector<fs::path> folders_beside(const fs::path& self) {
  const fs::path here = self.parent_path();
  return {here / "../keeper", here / "../supervisor", here / "../worker", here / "../cli", here / "../games", here};
}

Result<fs::path> find(const char* name, int access_mode, const std::vector<fs::path>& folders) {
  std::string searched;
  for (const fs::path& folder : folders) {
    const fs::path candidate = folder / name;
    std::error_code error;
    if (fs::is_regular_file(candidate, error) && ::access(candidate.c_str(), access_mode) == 0) {
      return fs::canonical(candidate, error);
    }
    searched += "\n  " + candidate.lexically_normal().string();
  }
  return make_error(ErrorCode::failed,
                    std::string(name) + " is not there. Build it, or say with --bin where it is. Looked for:" + searched);
}

std::vector<fs::path> folders_to_search(const fs::path& self, const std::vector<std::string>& given) {
  std::vector<fs::path> folders(given.begin(), given.end());
  for (fs::path& folder : folders_beside(self)) folders.push_back(std::move(folder));
  return folders;
}

}  // namespace

Result<void> find_arenactl(Programs& programs, const std::vector<std::string>& given) {
  auto path = find("arenactl", X_OK, folders_to_search(programs.self, given));
  if (!path) return path.error();
  programs.arenactl = std::move(*path);
  return {};
}

Result<fs::path> find_module(const Programs& programs, const std::string& name, const std::vector<std::string>& given) {
  return find(name.c_str(), R_OK, folders_to_search(programs.self, given));
}

Result<Programs> find_programs(const std::vector<std::string>& given) {
  std::error_code error;
  Programs programs;
  programs.self = fs::read_symlink("/proc/self/exe", error);
  if (error) return make_error(ErrorCode::failed, "cannot tell where this program is: " + error.message());
  const std::vector<fs::path> folders = folders_to_search(programs.self, given);

  struct Wanted {
    const char* name;
    int access_mode;
    fs::path* found;
  };
  for (const Wanted& wanted : {Wanted{"arena-keeper", X_OK, &programs.keeper}, Wanted{"arenad", X_OK, &programs.daemon},
                               Wanted{"arena-worker", X_OK, &programs.worker}, Wanted{"tanks.so", R_OK, &programs.game}}) {
    auto path = find(wanted.name, wanted.access_mode, folders);
    if (!path) return path.error();
    *wanted.found = std::move(*path);
  }
  return programs;
}

}  // namespace arenad::chaos
