// What the next arenad does with an arena, for everything that may have been left of it.
#include "supervisor/adoption_plan.h"

#include <array>

#include <doctest/doctest.h>

namespace {

using namespace arenad;
using How = TakeUp::How;

constexpr std::array kDispositions = {ArenaDisposition::running, ArenaDisposition::saved,  ArenaDisposition::stopped,
                                      ArenaDisposition::ended,   ArenaDisposition::failed, ArenaDisposition::lost};

std::vector<KeptIncarnation> kept(Stage stage, bool process_lives) {
  return {{{4}, stage, process_lives}};
}

}  // namespace

TEST_CASE("adoption: a running arena whose worker lives is waited for, once") {
  for (const Stage stage : {Stage::blank, Stage::recovering, Stage::live, Stage::finished, Stage::ended}) {
    for (const Manager manager : {Manager::there, Manager::none}) {
      CHECK(plan_take_up(ArenaDisposition::running, kept(stage, true), manager, Wait::may_wait) ==
            TakeUp{How::await_offer, {4}});
    }
  }
  CHECK(plan_take_up(ArenaDisposition::running, kept(Stage::live, true), Manager::there, Wait::waited) ==
        TakeUp{How::from_region, {4}});
  CHECK(plan_take_up(ArenaDisposition::running, kept(Stage::recovering, true), Manager::there, Wait::waited).how ==
        How::from_checkpoint);
}

TEST_CASE("adoption: a running arena whose worker is dead goes on from the region") {
  for (const Stage stage : {Stage::live, Stage::finished, Stage::ended}) {
    CHECK(plan_take_up(ArenaDisposition::running, kept(stage, false), Manager::there, Wait::may_wait) ==
          TakeUp{How::from_region, {4}});
  }
  SUBCASE("not from one that never lived") {
    for (const Stage stage : {Stage::blank, Stage::recovering}) {
      CHECK(plan_take_up(ArenaDisposition::running, kept(stage, false), Manager::there, Wait::may_wait).how ==
            How::from_checkpoint);
    }
  }
  SUBCASE("from the newest that has lived") {
    const std::vector<KeptIncarnation> several = {
        {{3}, Stage::live, false}, {{5}, Stage::recovering, false}, {{4}, Stage::finished, false}};
    CHECK(plan_take_up(ArenaDisposition::running, several, Manager::there, Wait::may_wait) == TakeUp{How::from_region, {4}});
  }
  SUBCASE("but not while its successor may still come to life") {
    const std::vector<KeptIncarnation> several = {{{3}, Stage::live, false}, {{4}, Stage::recovering, true}};
    CHECK(plan_take_up(ArenaDisposition::running, several, Manager::there, Wait::may_wait) == TakeUp{How::await_offer, {4}});
    CHECK(plan_take_up(ArenaDisposition::running, several, Manager::there, Wait::waited) == TakeUp{How::from_region, {3}});
  }
}

TEST_CASE("adoption: with nothing kept") {
  CHECK(plan_take_up(ArenaDisposition::running, {}, Manager::there, Wait::may_wait).how == How::from_checkpoint);
  CHECK(plan_take_up(ArenaDisposition::running, {}, Manager::none, Wait::may_wait).how == How::await_offer);
  CHECK(plan_take_up(ArenaDisposition::running, {}, Manager::none, Wait::waited).how == How::from_checkpoint);
}

TEST_CASE("adoption: what does not run is never waited for, and only a failed arena keeps its region") {
  for (const ArenaDisposition disposition : kDispositions) {
    if (disposition == ArenaDisposition::running) continue;
    for (const bool lives : {false, true}) {
      for (const Manager manager : {Manager::there, Manager::none}) {
        for (const Wait wait : {Wait::may_wait, Wait::waited}) {
          const TakeUp expected =
              disposition == ArenaDisposition::failed ? TakeUp{How::keep_region, {4}} : TakeUp{How::from_checkpoint, {}};
          CHECK(plan_take_up(disposition, kept(Stage::live, lives), manager, wait) == expected);
          CHECK(plan_take_up(disposition, {}, manager, wait).how == How::from_checkpoint);
        }
      }
    }
  }
}
