// The recovery ladder: every combination of what may be found, against a rule that is told in plain words.
#include "state/recovery_ladder.h"

#include <algorithm>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace arenad;
using Source = RungCandidate::Source;
using Condition = RungCandidate::Condition;

constexpr uint64_t kOlder = 100;
constexpr uint64_t kNewer = 120;

RungCandidate slot(uint64_t frame, Condition condition = Condition::whole) {
  return {Source::slot, {frame}, condition};
}

RungCandidate checkpoint(uint64_t frame, Condition condition = Condition::whole) {
  return {Source::checkpoint, {frame}, condition};
}

// From a snapshot of this frame, is every frame up to the last decided one in the log?
bool can_be_run_again_from(uint64_t frame, const std::optional<LogRange>& log) {
  if (!log) return true;  // nothing is known of what came after: the snapshot stands alone
  for (uint64_t next = frame + 1; next <= log->last.value; ++next) {
    const bool logged = next >= log->first.value;
    if (log->first <= log->last && !logged) return false;
  }
  return true;
}

// The rule: of all whole snapshots from which the log goes on, the one that loses least time; from memory rather than from disk.
const RungCandidate* best_of(const std::vector<RungCandidate>& found, const std::optional<LogRange>& log) {
  for (uint64_t frame = 200; frame-- > 0;) {
    for (const Source source : {Source::slot, Source::checkpoint}) {
      for (const RungCandidate& c : found) {
        const bool here = c.frame.value == frame && c.source == source && c.condition == Condition::whole;
        if (here && can_be_run_again_from(frame, log)) return &c;
      }
    }
  }
  return nullptr;
}

// It is called the older slot if another slot was, or may have been, newer.
Rung name_of(const RungCandidate& chosen, const std::vector<RungCandidate>& found) {
  if (chosen.source == Source::checkpoint) return Rung::checkpoint;
  const bool better = std::any_of(found.begin(), found.end(), [&](const RungCandidate& other) {
    return other.source == Source::slot && (other.condition == Condition::damaged || other.frame > chosen.frame);
  });
  return better ? Rung::older_slot : Rung::newest_slot;
}

void check_against_rule(const std::vector<RungCandidate>& found, const std::optional<LogRange>& log) {
  std::string text;
  for (const RungCandidate& c : found) {
    text += (c.source == Source::slot ? "slot " : "checkpoint ") + std::to_string(c.frame.value) +
            (c.condition == Condition::damaged ? " damaged; " : "; ");
  }
  if (log) text += "log " + std::to_string(log->first.value) + ".." + std::to_string(log->last.value);
  CAPTURE(text);
  const auto choice = choose_rung(found, log);
  const RungCandidate* expected = best_of(found, log);
  REQUIRE(choice.has_value() == (expected != nullptr));
  if (!choice) return;
  REQUIRE(choice->candidate < found.size());
  const RungCandidate& chosen = found[choice->candidate];
  CHECK(chosen.condition == Condition::whole);
  CHECK(chosen.frame == expected->frame);
  CHECK(chosen.source == expected->source);
  CHECK(choice->rung == name_of(chosen, found));
}

}  // namespace

TEST_CASE("recovery ladder: every combination of slots, checkpoint and log") {
  using Maybe = std::optional<RungCandidate>;
  // What a damaged one says of its frame means nothing.
  const std::vector<Maybe> slots = {std::nullopt, slot(0, Condition::damaged), slot(150, Condition::damaged), slot(kOlder),
                                    slot(kNewer)};
  const std::vector<Maybe> checkpoints = {std::nullopt,
                                          checkpoint(0, Condition::damaged),
                                          checkpoint(150, Condition::damaged),
                                          checkpoint(0),
                                          checkpoint(80),
                                          checkpoint(kOlder),
                                          checkpoint(110),
                                          checkpoint(kNewer),
                                          checkpoint(140)};
  std::vector<std::optional<LogRange>> logs = {std::nullopt, LogRange{{1}, {0}}, LogRange{{121}, {120}}};
  for (const uint64_t first : {1, 80, 81, 82, 100, 101, 102, 111, 120, 121, 122, 140, 141, 142}) {
    for (const uint64_t last : {120, 121, 150}) {
      if (first <= last) logs.push_back(LogRange{{first}, {last}});
    }
  }
  for (const Maybe& first : slots) {
    for (const Maybe& second : slots) {
      for (const Maybe& durable : checkpoints) {
        std::vector<RungCandidate> found;
        for (const Maybe* each : {&first, &second, &durable}) {
          if (*each) found.push_back(**each);
        }
        for (const auto& log : logs) {
          check_against_rule(found, log);
          std::vector<RungCandidate> reversed(found.rbegin(), found.rend());
          check_against_rule(reversed, log);
        }
      }
    }
  }
}

TEST_CASE("recovery ladder: from rung to rung") {
  const LogRange log{{81}, {150}};
  auto rung = [](const std::vector<RungCandidate>& found, std::optional<LogRange> range) {
    const auto choice = choose_rung(found, range);
    return choice ? choice->rung : Rung::none;
  };
  CHECK(rung({}, std::nullopt) == Rung::none);
  CHECK(rung({}, log) == Rung::none);
  CHECK(rung({slot(kOlder), slot(kNewer), checkpoint(80)}, log) == Rung::newest_slot);
  CHECK(rung({slot(kOlder), slot(kNewer, Condition::damaged), checkpoint(80)}, log) == Rung::older_slot);
  CHECK(rung({slot(kOlder, Condition::damaged), slot(kNewer, Condition::damaged), checkpoint(80)}, log) == Rung::checkpoint);
  CHECK(rung({slot(kOlder, Condition::damaged), slot(kNewer, Condition::damaged), checkpoint(79)}, log) == Rung::none);
  CHECK(rung({checkpoint(80, Condition::damaged)}, std::nullopt) == Rung::none);
  CHECK(rung({checkpoint(80)}, std::nullopt) == Rung::checkpoint);
  // The very first snapshot, of the state right after on_init.
  CHECK(rung({slot(0)}, LogRange{{1}, {5}}) == Rung::newest_slot);
  CHECK(rung({slot(0)}, LogRange{{2}, {5}}) == Rung::none);
}

TEST_CASE("recovery ladder: of many, the index of the one that is meant") {
  std::vector<RungCandidate> found;
  for (uint64_t i = 0; i < 100; ++i) found.push_back(checkpoint(i * 7 % 100));
  const auto choice = choose_rung(found, std::nullopt);
  REQUIRE(choice);
  CHECK(found[choice->candidate].frame == FrameNumber{99});
  CHECK(choice->rung == Rung::checkpoint);
}
