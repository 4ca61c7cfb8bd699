// What arenad grows by while it recovers workers: its memory and its descriptors, looked at from outside.
//
//   warming up --it is warm--> resting --all arenas are up, a while--> measuring --the last kill--> resting --a while--> done
//
// Memory is sampled while workers are killed, and its growth is the slope of the line through the samples. Descriptors come and go with
// each recovery, so they are counted when nothing is killed: the fewest of a while.
//
// It is warm when the database is as large as it is going to be: what arenad reads of it for a commit grows with it. Until each arena has as many reports of deaths as are kept of one
// (limits::kMaxDeathsOfArena), the database grows by half a KiB a death; and as its pages were then filled one after the other, and those
// with old reports empty row by row, it takes as many deaths again until they are as full as they stay. The -wal has been through its
// largest size by then, and with it its index, which arenad has mapped.
#pragma once

#include <cstdint>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace arenad::chaos {

// Of the line through the points by least squares; 0 for fewer than two different x.
double slope(const std::vector<std::pair<double, double>>& points);

class Gauge {
 public:
  // arenad's process, and how many kills there will be.
  Gauge(pid_t arenad, uint64_t last) : arenad_(arenad), last_(last) {}

  // How often workers were killed: all together, and of the arena that was spared most.
  struct Kills {
    uint64_t all = 0;
    uint64_t fewest = 0;
  };
  // To be called all the time. True: nothing may be killed now.
  bool look(uint64_t now_ns, const Kills& kills, bool all_are_up);
  [[nodiscard]] bool done() const { return stage_ == Stage::done; }

  [[nodiscard]] double rss_kib_per_1000() const { return 1000 * slope(rss_kib_); }
  [[nodiscard]] double heap_kib_per_1000() const { return 1000 * slope(anonymous_kib_); }
  [[nodiscard]] int64_t fd_growth() const { return static_cast<int64_t>(fds_after_) - static_cast<int64_t>(fds_before_); }
  [[nodiscard]] uint64_t fds() const { return fds_after_; }
  [[nodiscard]] uint64_t last_rss_kib() const { return rss_kib_.empty() ? 0 : static_cast<uint64_t>(rss_kib_.back().second); }
  [[nodiscard]] size_t samples() const { return rss_kib_.size(); }
  // Kills until it was warm.
  [[nodiscard]] uint64_t warm_up() const { return warm_up_; }

 private:
  enum class Stage { warming_up, first_rest, measuring, last_rest, done };
  [[nodiscard]] bool is_warm(const Kills& kills) const;
  bool rest(uint64_t now_ns, bool all_are_up, uint64_t& fewest);
  void sample(uint64_t kills);

  pid_t arenad_;
  uint64_t last_;
  uint64_t warm_up_ = 0;
  Stage stage_ = Stage::warming_up;
  uint64_t rest_since_ns_ = 0;
  uint64_t next_sample_ = 0;
  uint64_t fds_before_ = 0;
  uint64_t fds_after_ = 0;
  std::vector<std::pair<double, double>> rss_kib_;        // by kills
  std::vector<std::pair<double, double>> anonymous_kib_;  // heap and stacks, without what is shared
};

}  // namespace arenad::chaos
