// That arenad has, when all is over, as many descriptors, mappings and threads as before: counted in /proc while nothing is done to
// anybody, when they have not changed for a while, because spares come, and what a recovery takes goes, a moment after it. Where
// the next arenad has come, its count is held against the last one's.
//
// What arenad has of a template or a spare is known, so more of them than before, or fewer, are no difference. Mappings also come
// and go with the heaps of libc, so a few more are no leak; one for each worker that ended is. Memory grows with the reports that
// the database's cache holds, so its slope is a figure (chaos/gauge.h tells how it is measured after a warm-up).
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <map>

#include "chaos/checkers/catalogue.h"
#include "chaos/faults/processes.h"
#include "chaos/gauge.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kRestNs = 600 * kMillisecond;
constexpr uint64_t kPatienceNs = 6 * kSecond;
constexpr uint64_t kSampleEveryNs = 500 * kMillisecond;
constexpr uint64_t kMoreMappings = 12;
// SQLite keeps the database's file open once more in an arenad that has found a -wal when it opened it, at its beginning or again after an error:
// closing it would give up the locks.
constexpr int64_t kMostMoreOfTheDatabase = 1;
// Its output, its process and its connection; a spare has the region of the arena that it may become, too. Mapped are the output,
// and each part of a region for itself (ipc/incarnation.h).
constexpr uint64_t kDescriptorsOfATemplate = 3;
constexpr uint64_t kDescriptorsOfASpare = 4;
constexpr uint64_t kMappingsOfATemplate = 1;
constexpr uint64_t kMappingsOfASpare = 8;
// Of an arena that is over: its board.
constexpr uint64_t kDescriptorsOfAnEndedArena = 1;

// What the descriptors of a process stand for, without what differs between two of a kind, and how many there are of each.
using Kinds = std::map<std::string, int64_t>;

Kinds descriptors_of(pid_t pid) {
  Kinds kinds;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", pid), error)) {
    std::string what = std::filesystem::read_symlink(entry.path(), error).string();
    if (const size_t number = what.find(":["); number != std::string::npos) what.resize(number);
    kinds[what] += 1;
  }
  return kinds;
}

// Of which there are more than before: "2 of socket, 1 of /memfd:arenad-channel (deleted)".
std::string more_of(const Kinds& before, const Kinds& after) {
  std::vector<std::string> more;
  for (const auto& [what, count] : after) {
    const auto was = before.find(what);
    const int64_t difference = count - (was == before.end() ? 0 : was->second);
    if (difference > 0) more.push_back(fmt::format("{} of {}", difference, what));
  }
  return fmt::format("{}", fmt::join(more, ", "));
}

uint64_t entries_of(const std::filesystem::path& folder) {
  std::error_code error;
  return static_cast<uint64_t>(
      std::distance(std::filesystem::directory_iterator(folder, error), std::filesystem::directory_iterator()));
}

uint64_t lines_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return static_cast<uint64_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
}

struct Holdings {
  uint64_t descriptors = 0;
  uint64_t mappings = 0;
  uint64_t threads = 0;
  uint64_t templates = 0;
  uint64_t spares = 0;
  bool operator==(const Holdings&) const = default;
};

class Resources : public Checker {
 public:
  void begins(Scene& scene) override {
    epochs_ = epochs(scene);
    before_ = at_rest_now(scene);
    kinds_before_ = descriptors_of(scene.stage.rig().arenad());
  }

  void looks(Scene& scene) override {
    if (monotonic_ns() - sampled_ns_ < kSampleEveryNs) return;
    sampled_ns_ = monotonic_ns();
    const pid_t arenad = scene.stage.rig().arenad();
    if (arenad != sampled_) rss_kib_.clear();
    sampled_ = arenad;
    std::ifstream statm(fmt::format("/proc/{}/statm", arenad));
    uint64_t pages = 0;
    if (statm >> pages >> pages) rss_kib_.emplace_back(epochs(scene) - epochs_, pages * 4);
  }

  void at_rest(Scene& scene) override {
    const uint64_t ends = epochs(scene) - epochs_;
    Holdings after = at_rest_now(scene);
    const uint64_t deadline_ns = monotonic_ns() + kPatienceNs;
    while (is_more(after, ends, may_be_more(scene)) && monotonic_ns() < deadline_ns && !scene.stage.is_called_off())
      after = at_rest_now(scene);
    scene.invariants.holds(Invariant::resources);
    more_descriptors_ = static_cast<double>(after.descriptors) - static_cast<double>(before_.descriptors);
    // Who is in a hurry does not wait until it has come to rest.
    if (!is_more(after, ends, may_be_more(scene)) || scene.stage.is_called_off()) return;
    scene.violated(Invariant::resources,
                   fmt::format("arenad has {} descriptors, {} mappings and {} threads, {} templates and {} spares; before {} "
                               "workers ended it had {}, {} and {}, {} and {}; more descriptors: {}",
                               after.descriptors, after.mappings, after.threads, after.templates, after.spares, ends,
                               before_.descriptors, before_.mappings, before_.threads, before_.templates, before_.spares,
                               more_of(kinds_before_, descriptors_of(scene.stage.rig().arenad()))));
  }

  [[nodiscard]] std::map<std::string, double> figures() const override {
    return {{"rss_kib_per_1000_worker_ends", 1000 * slope(rss_kib_)}, {"more_descriptors", more_descriptors_}};
  }

 private:
  [[nodiscard]] bool is_more(const Holdings& after, uint64_t ends, uint64_t may_be_more) const {
    const auto beyond = [&](uint64_t now, uint64_t before, uint64_t may_be_more_than_before,
                            uint64_t (*of_processes)(const Holdings&)) {
      return now + of_processes(before_) > before + may_be_more_than_before + of_processes(after);
    };
    return beyond(after.descriptors, before_.descriptors, may_be_more, descriptors_of_processes) ||
           beyond(after.mappings, before_.mappings, kMoreMappings + ends / 4, mappings_of_processes) ||
           after.threads > before_.threads;
  }

  [[nodiscard]] uint64_t may_be_more(const Scene& scene) const {
    return more_of_the_database(scene) + (scene.stage.has_had_guest_arena() ? kDescriptorsOfAnEndedArena : 0);
  }

  [[nodiscard]] uint64_t more_of_the_database(const Scene& scene) const {
    const std::string file = (scene.stage.rig().folder() / "state/arenad.db").string();
    const Kinds now = descriptors_of(scene.stage.rig().arenad());
    const auto count = [&](const Kinds& kinds) { return kinds.contains(file) ? kinds.at(file) : 0; };
    return static_cast<uint64_t>(std::clamp(count(now) - count(kinds_before_), int64_t{0}, kMostMoreOfTheDatabase));
  }

  // Of what arenas may be given: more versions of the game may be played than before, and each has a template with its spares.
  static uint64_t descriptors_of_processes(const Holdings& held) {
    return held.templates * kDescriptorsOfATemplate + held.spares * kDescriptorsOfASpare;
  }
  static uint64_t mappings_of_processes(const Holdings& held) {
    return held.templates * kMappingsOfATemplate + held.spares * kMappingsOfASpare;
  }

  // Each end of a worker gives an epoch.
  static uint64_t epochs(Scene& scene) {
    uint64_t sum = 0;
    for (size_t arena = 0; arena < scene.stage.arenas().size(); ++arena) sum += scene.stage.epoch(arena);
    return sum;
  }

  // When it has not changed for a while; at the latest after a longer one.
  static Holdings at_rest_now(Scene& scene) {
    Holdings last;
    const uint64_t deadline_ns = monotonic_ns() + kPatienceNs;
    uint64_t since_ns = monotonic_ns();
    while (monotonic_ns() - since_ns < kRestNs && monotonic_ns() < deadline_ns) {
      scene.stage.turn();
      const std::string proc = fmt::format("/proc/{}", scene.stage.rig().arenad());
      const Holdings now{entries_of(proc + "/fd"), lines_of(proc + "/maps"), entries_of(proc + "/task"),
                         templates(scene.stage).size(), spares(scene.stage).size()};
      if (now == last) continue;
      last = now;
      since_ns = monotonic_ns();
    }
    return last;
  }

  Holdings before_;
  Kinds kinds_before_;
  uint64_t epochs_ = 0;
  double more_descriptors_ = 0;
  std::vector<std::pair<double, double>> rss_kib_;  // by worker ends; of the newest arenad
  pid_t sampled_ = 0;
  uint64_t sampled_ns_ = 0;
};

}  // namespace

std::unique_ptr<Checker> resources() {
  return std::make_unique<Resources>();
}

}  // namespace arenad::chaos
