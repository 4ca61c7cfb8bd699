// How long others may take, counted in looks.
#include "supervisor/patience.h"

#include <doctest/doctest.h>

using namespace arenad;

namespace {

// A look at the end of each interval; `gap` at one of them, for which the observer was stopped. Gives when it was over.
uint64_t over_at(uint64_t limit, uint64_t gap_after_look, uint64_t gap) {
  Patience patience;
  patience.begin();
  uint64_t now = 0;
  for (uint64_t look = 1; look < 1000; ++look) {
    now += Patience::interval(limit) + (look == gap_after_look ? gap : 0);
    if (patience.look()) return now;
  }
  return 0;
}

}  // namespace

TEST_CASE("patience: lasts as long as its limit") {
  for (const uint64_t limit : {1u, 19u, 20u, 21u, 100u, 5000u, 30'000u}) {
    const uint64_t over = over_at(limit, 0, 0);
    CHECK(over >= limit);
    CHECK(over < limit + Patience::kLooks);
  }
}

TEST_CASE("patience: a gap of any length costs one look") {
  for (uint64_t look = 1; look <= Patience::kLooks; ++look) {
    CHECK(over_at(1000, look, 0) == over_at(1000, 0, 0));
    CHECK(over_at(1000, look, 3'600'000) == over_at(1000, 0, 0) + 3'600'000);
  }
}

TEST_CASE("patience: it is over once, and not before it begins") {
  Patience patience;
  CHECK_FALSE(patience.look());
  patience.begin();
  uint64_t over = 0;
  for (int look = 0; look < 100; ++look) over += patience.look() ? 1 : 0;
  CHECK(over == 1);
  patience.begin();
  for (uint64_t look = 1; look < Patience::kLooks; ++look) CHECK_FALSE(patience.look());
  CHECK(patience.look());
}
