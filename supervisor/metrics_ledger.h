// What arenad counts for its metrics: sums that never go back while it runs. Pure.
//
// Workers count in their regions, and each incarnation begins at 0 (or, for what counts the arena's whole life, at its last snapshot). Here
// the differences between two looks at a region are added up, for the arena and for its game. So an arena's sum goes on over its crashes,
// and a game's over the end of its arenas.
//
//   a look at a region     | what is added
//   -----------------------+------------------------------------------------------------------------
//   the first ever         | nothing: that was counted under an earlier arenad, which had told it
//   of the same incarnation| what has come since the last look
//   after begun()          | all of it: the incarnation began under this arenad
//   a smaller number       | nothing. A replay comes to where it was, and game code may write anything there
//   a leap that no worker  | nothing: neither
//   can make               |
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "arenad/ids.h"
#include "ipc/incarnation_layout.h"
#include "supervisor/recovery_times.h"

namespace arenad {

// Those of the whole life of an arena come first.
enum class Tally : size_t {
  events,
  events_rejected,
  outputs,
  results,
  frames,
  frames_late,
  frames_slow,
  outputs_refused,
  channels_full,
  snapshots,
  snapshots_failed,
  replayed_frames,
  replayed_events,
  divergences,
  garbage_put_off,
  frame_ns,
  lateness_ns,
  snapshot_ns,
  frame_time,                                 // kTimeBuckets of them
  tick_lateness = frame_time + kTimeBuckets,  // and of these
  end = tick_lateness + kTimeBuckets,
};

class Tallies {
 public:
  static constexpr size_t kCount = static_cast<size_t>(Tally::end);
  uint64_t& operator[](Tally tally) { return counts_[static_cast<size_t>(tally)]; }
  uint64_t operator[](Tally tally) const { return counts_[static_cast<size_t>(tally)]; }
  uint64_t& at(size_t index) { return counts_[index]; }
  [[nodiscard]] uint64_t at(size_t index) const { return counts_[index]; }
  // Of frame_time or tick_lateness.
  [[nodiscard]] uint64_t bucket(Tally first, size_t index) const { return counts_[static_cast<size_t>(first) + index]; }

 private:
  std::array<uint64_t, kCount> counts_{};
};

// Each word once, whatever it says.
Tallies read_tallies(const WorkerStatus& status);

class Durations {
 public:
  void add(uint64_t ns) {
    ++counts_[time_bucket(ns)];
    sum_ns_ += ns;
  }
  [[nodiscard]] uint64_t bucket(size_t index) const { return counts_[index]; }
  [[nodiscard]] uint64_t sum_ns() const { return sum_ns_; }

 private:
  std::array<uint64_t, kTimeBuckets> counts_{};
  uint64_t sum_ns_ = 0;
};

struct ArenaTotals {
  Tallies tallies;
  uint64_t recoveries = 0;
  uint64_t deaths = 0;
};

struct GameTotals {
  Tallies tallies;
  std::map<uint32_t, uint64_t> recoveries;  // by rung
  Durations recovery_time;
  Durations detection_time;
  Durations start_time;
  Durations load_time;
  Durations replay_time;
  std::map<std::string, uint64_t, std::less<>> deaths;      // by kind
  std::map<std::string, uint64_t, std::less<>> signatures;  // by signature
  std::map<std::string, uint64_t, std::less<>> handovers;   // by result
  std::map<std::string, uint64_t, std::less<>> rollouts;    // by result
  uint64_t quarantined = 0;
};

class MetricsLedger {
 public:
  // Of one game; further ones are counted as kOtherSignature.
  static constexpr size_t kMaxSignatures = 50;
  static constexpr std::string_view kOtherSignature = "other";

  // The region of the arena's last incarnation that went live, as it is now.
  void observe(ArenaId arena, const std::string& game, Epoch epoch, const Tallies& now);
  // An incarnation of this arena has gone live under this arenad. is_new: nothing of the arena was there before.
  enum class Past { none, earlier_incarnations };
  void begun(ArenaId arena, const std::string& game, Epoch epoch, const Tallies& now, Past past);
  // Arenas that are not known any more. What they have done stays in their games' sums.
  template <class IsKnown>
  void forget_all_but(IsKnown&& is_known) {
    std::erase_if(arenas_, [&](const auto& entry) { return !is_known(entry.first); });
  }

  // It went on from there. Nothing: nobody knows how long that took.
  void recovered(ArenaId arena, const std::string& game, Rung rung, const std::optional<RecoveryTimes>& took);
  // A death was heard of so long after the last sign of life.
  void detected(const std::string& game, uint64_t after_ns) { games_[game].detection_time.add(after_ns); }
  void died(ArenaId arena, const std::string& game, const char* kind, const std::string& signature);
  void quarantined(const std::string& game) { ++games_[game].quarantined; }
  void handed_over(const std::string& game, const char* result) { ++games_[game].handovers[result]; }
  void rolled_out(const std::string& game, const char* result) { ++games_[game].rollouts[result]; }

  [[nodiscard]] ArenaTotals of(ArenaId arena) const;
  [[nodiscard]] const std::map<std::string, GameTotals>& games() const { return games_; }

 private:
  struct Account {
    bool was_seen = false;  // a region of it
    Epoch epoch;
    Tallies seen;
    ArenaTotals totals;
  };

  std::map<ArenaId, Account> arenas_;
  std::map<std::string, GameTotals> games_;
};

}  // namespace arenad
