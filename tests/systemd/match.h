// What a match must not notice: a player who talks all the time, and the pace of its frames.
#pragma once

#include <algorithm>
#include <memory>

#include <doctest/doctest.h>

#include "tests/real/player.h"
#include "tests/systemd/service.h"

namespace arenad::test {

constexpr uint64_t kHz = 60;
// Of an arena that goes on, on a machine whose two processors do other things too; one that waited for arenad would take its outage.
constexpr uint64_t kLongestSilenceMs = 700;

// Says numbers all the time, and knows how long it waited for an echo.
class Match {
 public:
  explicit Match(uint64_t said = 0) : ann_(std::make_unique<Player>(kControlSocket, "duel", "ann")) { ann_->go_on_after(said); }

  // Plays until that holds.
  template <class Condition>
  bool plays_until(Condition&& holds, uint64_t patience_ms = kPatienceMs) {
    const uint64_t deadline_ns = monotonic_ns() + patience_ms * kMillisecond;
    uint64_t look_ns = 0;
    while (monotonic_ns() < deadline_ns) {
      say_and_hear();
      if (monotonic_ns() < look_ns) continue;
      if (holds()) return true;
      look_ns = monotonic_ns() + 50 * kMillisecond;
    }
    return false;
  }
  void play(uint64_t ms) {
    const uint64_t end_ns = monotonic_ns() + ms * kMillisecond;
    while (monotonic_ns() < end_ns) say_and_hear();
  }
  // Nothing was lost, repeated or changed; gives the number of events.
  uint64_t is_whole() {
    CHECK(ann_->hears_all());
    CHECK(ann_->complaint() == "");
    CHECK(ann_->ask().applied == ann_->said());
    CHECK_FALSE(ann_->is_gone());
    CHECK(ann_->times_lagged() == 0);
    return ann_->said();
  }
  uint64_t longest_silence_ms() const { return longest_silence_ns_ / kMillisecond; }
  Player& player() { return *ann_; }

 private:
  void say_and_hear() {
    const uint64_t began_ns = monotonic_ns();
    ann_->say();
    REQUIRE(ann_->hears_all());
    longest_silence_ns_ = std::max(longest_silence_ns_, monotonic_ns() - began_ns);
  }

  std::unique_ptr<Player> ann_;
  uint64_t longest_silence_ns_ = 0;
};

// From one look at an arena to the next.
class Pace {
 public:
  explicit Pace(Unit& unit) : unit_(unit), began_ns_(monotonic_ns()), before_(unit.arena()) {}
  // The same process has run a frame for each tick since.
  void is_kept() {
    const uint64_t due = (monotonic_ns() - began_ns_) * kHz / (1000 * kMillisecond);
    const Unit::Arena now = unit_.arena();
    CHECK(now.pid == before_.pid);
    CHECK(now.epoch == before_.epoch);
    CHECK(now.restarts == before_.restarts);
    const uint64_t tolerated = kHz / 2;  // the looks themselves take time
    CHECK(now.frame - before_.frame + tolerated >= due);
  }

 private:
  Unit& unit_;
  uint64_t began_ns_;
  Unit::Arena before_;
};

}  // namespace arenad::test
