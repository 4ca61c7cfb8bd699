// Which hits of a call are tried at one place in one way, one after the other, and when that is over. Pure: it is told what
// each run came to. The order of everything: places, at each the ways of ways_of(), in each the hits from the first on.
//
//   extent      hits                                                     over when
//   ----------  -------------------------------------------------------  -------------------------------------------
//   all         1, 2, 3, ...                                             several runs in a row had no such hit
//   first_last  1, the middle one and the last of a run without a fault  all are tried
//   some        every n-th, from one within the first n on               as all
//
// A run is never quite as long as another, so a hit that was there in the run without a fault is tried more often than one
// beyond.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "chaos/sweep/call_table.h"

namespace arenad::sweep {

struct CallExtent {
  enum class Kind { all, first_last, some };
  Kind kind = Kind::all;
  uint64_t every = 1;  // of some
  uint64_t first = 1;  // of some: 1 to every
};

constexpr int kTriesOfSeenHit = 3;
constexpr int kTriesBeyond = 2;
constexpr uint64_t kMostCallHits = 100'000;  // of what never ends by itself

class CallCourse {
 public:
  // seen: hits in the run without a fault.
  CallCourse(const CallExtent& extent, uint64_t seen);
  // The hit to be tried now; nothing: it is over.
  [[nodiscard]] std::optional<uint64_t> next() const;
  // What the run at next() came to.
  void tried(bool has_fired);
  // In how many runs it went off.
  [[nodiscard]] uint64_t fired() const { return fired_; }

 private:
  void go_on();
  CallExtent extent_;
  uint64_t seen_;
  std::vector<uint64_t> hits_;  // of first_last
  size_t at_ = 0;               // in hits_
  uint64_t hit_ = 1;            // of the others
  int in_vain_ = 0;             // runs without this hit
  uint64_t fired_ = 0;
  bool is_over_ = false;
};

// A death, each error once, and each that may last.
std::vector<CallWay> ways_of(const IoCall& call);

}  // namespace arenad::sweep
