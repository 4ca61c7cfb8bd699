// That an arena never has two workers: when the next one is there, the one before it has ended. Both would write to what clients
// read, and each would apply what is said. It may have been stopped, out of reach or without a link; whether it has ended its
// pidfd tells, whoever was its parent.
#include <fmt/format.h>
#include <fstream>

#include "chaos/checkers/catalogue.h"
#include "ipc/process.h"

namespace arenad::chaos {
namespace {

// As the kernel keeps it.
constexpr size_t kMostOfAName = 15;

// Its number may be another process's by now.
bool is_worker_of(pid_t pid, const std::string& arena) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/comm");
  std::string name;
  std::getline(file, name);
  return name == arena.substr(0, kMostOfAName);
}

class OneWriter : public Checker {
 public:
  void begins(Scene& scene) override {
    watched_.resize(scene.stage.arenas().size());
    looks(scene);
  }

  void looks(Scene& scene) override {
    for (size_t arena = 0; arena < watched_.size(); ++arena) {
      const uint64_t epoch = scene.stage.epoch(arena);
      Watched& watched = watched_[arena];
      if (epoch == watched.epoch) continue;
      look_at_end(scene, arena, epoch);
      watched = {epoch, Fd()};
      const Stage::Arena& played = scene.stage.arenas()[arena];
      auto process = played.worker > 0 ? open_pidfd(played.worker) : Result<Fd>(Fd());
      if (process && *process && is_worker_of(played.worker, played.name)) watched.process = std::move(*process);
    }
  }

 private:
  struct Watched {
    uint64_t epoch = 0;
    Fd process;  // of the worker that is this epoch; none: it was too late to be seen
  };

  void look_at_end(Scene& scene, size_t arena, uint64_t epoch) {
    const Watched& before = watched_[arena];
    if (!before.process) return;
    scene.invariants.holds(Invariant::isolation);
    if (has_ended(before.process)) return;
    scene.violated(Invariant::isolation, arena,
                   fmt::format("its worker of epoch {} is there, and that of epoch {} has not ended", epoch, before.epoch));
  }

  std::vector<Watched> watched_;  // by arena
};

}  // namespace

std::unique_ptr<Checker> one_writer() {
  return std::make_unique<OneWriter>();
}

}  // namespace arenad::chaos
