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

TEST_CASE(
    "adoption: what does not run is never waited for, and only one that failed, or was stopped before it was recovered, keeps "
    "its region") {
  for (const ArenaDisposition disposition : kDispositions) {
    if (disposition == ArenaDisposition::running) continue;
    for (const bool lives : {false, true}) {
      for (const Manager manager : {Manager::there, Manager::none}) {
        for (const Wait wait : {Wait::may_wait, Wait::waited}) {
          const bool keeps = disposition == ArenaDisposition::failed || disposition == ArenaDisposition::stopped;
          const TakeUp expected = keeps ? TakeUp{How::keep_region, {4}} : TakeUp{How::from_checkpoint, {}};
          CHECK(plan_take_up(disposition, kept(Stage::live, lives), manager, wait) == expected);
          // One that was stopped in order has nothing in its region that the database does not have.
          const bool keeps_finished = disposition == ArenaDisposition::failed;
          CHECK(plan_take_up(disposition, kept(Stage::finished, lives), manager, wait).how ==
                (keeps_finished ? How::keep_region : How::from_checkpoint));
          CHECK(plan_take_up(disposition, {}, manager, wait).how == How::from_checkpoint);
        }
      }
    }
  }
}

TEST_CASE("adoption: a region that is newer than what is written says that the arena was started again") {
  for (const ArenaDisposition written : kDispositions) {
    const bool may_be =
        written == ArenaDisposition::stopped || written == ArenaDisposition::failed || written == ArenaDisposition::saved;
    const ArenaDisposition now = may_be ? ArenaDisposition::running : written;
    for (const Stage stage : {Stage::live, Stage::finished, Stage::ended}) {
      CHECK(disposition_now(written, {3}, kept(stage, true)) == now);
      CHECK(disposition_now(written, {3}, kept(stage, false)) == now);
      CHECK(disposition_now(written, {4}, kept(stage, true)) == written);
      CHECK(disposition_now(written, {5}, kept(stage, true)) == written);
    }
    // One that never lived proves nothing.
    CHECK(disposition_now(written, {3}, kept(Stage::recovering, true)) == written);
    CHECK(disposition_now(written, {3}, {}) == written);
  }
}
