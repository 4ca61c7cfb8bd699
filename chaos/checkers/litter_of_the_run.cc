// That nothing is left when all has ended: no process of the run, which would be a child of this one now; in arenad's runtime folder no socket
// and no other file; in its state folder only what the next arenad begins with; nothing of Arenad's in /dev/shm.
#include <algorithm>
#include <array>
#include <set>

#include "chaos/checkers/catalogue.h"
#include "chaos/litter.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kGraceMs = 5000;
constexpr const char* kSharedMemory = "/dev/shm";

std::set<std::string> files_in(const std::filesystem::path& folder) {
  std::set<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) names.insert(entry.path().filename().string());
  return names;
}

class LitterOfTheRun : public Checker {
 public:
  void begins(Scene&) override { shared_memory_before_ = files_in(kSharedMemory); }

  void all_has_ended(Scene& scene) override {
    scene.invariants.holds(Invariant::litter);
    for (const std::string& process : clear_litter(kGraceMs))
      scene.violated(Invariant::litter, "a process is left: " + process);
    const auto& folder = scene.stage.rig().folder();
    expect_only(scene, folder / "run", kExpectedInRun);
    expect_only(scene, folder / "state", kExpectedInState);
    for (const std::string& name : files_in(kSharedMemory)) {
      if (name.find("arena") != std::string::npos && !shared_memory_before_.contains(name))
        scene.violated(Invariant::litter, "a file is left in /dev/shm: " + name);
    }
  }

 private:
  static constexpr auto kExpectedInRun = std::to_array<std::string_view>({"lock"});
  static constexpr auto kExpectedInState = std::to_array<std::string_view>({"arenad.db", "lock", "modules", "versions"});

  template <class Names>
  static void expect_only(Scene& scene, const std::filesystem::path& folder, const Names& expected) {
    for (const std::string& name : files_in(folder)) {
      if (std::ranges::find(expected, name) == expected.end())
        scene.violated(Invariant::litter, "a file is left: " + folder.filename().string() + "/" + name);
    }
  }

  std::set<std::string> shared_memory_before_;
};

}  // namespace

std::unique_ptr<Checker> litter_of_the_run() {
  return std::make_unique<LitterOfTheRun>();
}

}  // namespace arenad::chaos
