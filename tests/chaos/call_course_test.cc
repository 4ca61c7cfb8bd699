// Which hits of a call a sweep tries, in what order, and when it is over.
#include "chaos/sweep/call_course.h"

#include <algorithm>
#include <set>

#include <doctest/doctest.h>

namespace {

using namespace arenad::sweep;
using Hits = std::vector<uint64_t>;

constexpr CallExtent kAll{};
constexpr CallExtent kFirstLast{.kind = CallExtent::Kind::first_last};

CallExtent some(uint64_t every, uint64_t first) {
  return {CallExtent::Kind::some, every, first};
}

// Each run has exactly so many hits.
Hits tried_hits(CallCourse& course, uint64_t hits_of_a_run) {
  Hits tried;
  while (const auto hit = course.next()) {
    REQUIRE(tried.size() < 1000);
    tried.push_back(*hit);
    course.tried(*hit <= hits_of_a_run);
  }
  return tried;
}

}  // namespace

TEST_CASE("all: from the first to one beyond the last, which is tried again before it is over") {
  for (const uint64_t hits : {1, 2, 7, 100}) {
    CAPTURE(hits);
    CallCourse course(kAll, hits);
    Hits expected;
    for (uint64_t hit = 1; hit <= hits; ++hit) expected.push_back(hit);
    for (int i = 0; i < kTriesBeyond; ++i) expected.push_back(hits + 1);
    CHECK(tried_hits(course, hits) == expected);
    CHECK(course.fired() == hits);
    CHECK(!course.next());
  }
}

TEST_CASE("all: longer runs than the one without a fault are swept to their end, shorter ones end it after more tries") {
  CallCourse longer(kAll, 3);
  CHECK(tried_hits(longer, 5) == Hits{1, 2, 3, 4, 5, 6, 6});
  CallCourse shorter(kAll, 3);
  CHECK(tried_hits(shorter, 1) == Hits{1, 2, 2, 2});
  CHECK(shorter.fired() == 1);
}

TEST_CASE("all: a hit that comes at the second try is one, and the next hit has all of its tries") {
  CallCourse course(kAll, 2);
  course.tried(false);
  CHECK(course.next() == 1);
  course.tried(true);
  CHECK(course.next() == 2);
  course.tried(false);
  course.tried(false);
  CHECK(course.next() == 2);
  course.tried(true);
  CHECK(course.next() == 3);
  CHECK(course.fired() == 2);
}

TEST_CASE("all: what is never reached is over") {
  CallCourse seen(kAll, 4);
  CHECK(tried_hits(seen, 0) == Hits{1, 1, 1});
  CHECK(seen.fired() == 0);
  CallCourse unseen(kAll, 0);
  CHECK(tried_hits(unseen, 0) == Hits{1, 1});
}

TEST_CASE("first_last: the first, the middle one and the last, each once") {
  const auto hits_of = [](uint64_t seen) {
    CallCourse course(kFirstLast, seen);
    return tried_hits(course, seen);
  };
  CHECK(hits_of(0) == Hits{});
  CHECK(hits_of(1) == Hits{1});
  CHECK(hits_of(2) == Hits{1, 2});
  CHECK(hits_of(3) == Hits{1, 2, 3});
  CHECK(hits_of(100) == Hits{1, 50, 100});
}

TEST_CASE("first_last: one that is missed does not keep the others from being tried") {
  CallCourse course(kFirstLast, 9);
  for (int i = 0; i < kTriesOfSeenHit; ++i) course.tried(false);
  CHECK(course.next() == 5);
  course.tried(true);
  CHECK(course.next() == 9);
}

TEST_CASE("some: with all first hits together, each hit is tried once") {
  Hits all;
  for (uint64_t first = 1; first <= 4; ++first) {
    CallCourse course(some(4, first), 10);
    const Hits hits = tried_hits(course, 10);
    CHECK(hits.front() == first);
    for (const uint64_t hit : std::set<uint64_t>(hits.begin(), hits.end())) {
      if (hit <= 10) all.push_back(hit);
    }
  }
  std::ranges::sort(all);
  CHECK(all == Hits{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
}

TEST_CASE("some: of a call that is made less often than every n-th time, one hit is tried") {
  for (uint64_t first = 1; first <= 50; ++first) {
    CAPTURE(first);
    CallCourse course(some(50, first), 3);
    const Hits hits = tried_hits(course, 3);
    CHECK(course.fired() == 1);
    CHECK(hits.front() == 1 + (first - 1) % 3);
  }
}

TEST_CASE("what never ends by itself is ended") {
  CallCourse course(some(kMostCallHits, 1), 1);
  course.tried(true);
  CHECK(!course.next());
}

TEST_CASE("each call can be a death, comes first as one, and lasts only as what also fails once") {
  std::set<std::string_view> names;
  for (const IoCall& call : kIoCalls) {
    CAPTURE(call.name);
    CHECK(names.insert(call.name).second);
    const auto ways = ways_of(call);
    CHECK(ways.front() == CallWay());
    std::set<int> once;
    for (size_t i = 1; i < ways.size(); ++i) {
      CHECK(ways[i].error != 0);
      if (ways[i].lasting == Lasting::once) {
        CHECK(once.insert(ways[i].error).second);
      } else {
        CHECK(once.contains(ways[i].error));
        CHECK(ways[i].error != EINTR);
      }
    }
  }
}
