// Shrinking a list that fails.
#include "chaos/ddmin.h"

#include <numeric>
#include <set>

#include <doctest/doctest.h>

namespace {

using namespace arenad::chaos;
using List = std::vector<int>;
using Fails = std::function<bool(const List&)>;

List up_to(int count) {
  List list(static_cast<size_t>(count));
  std::iota(list.begin(), list.end(), 0);
  return list;
}

// Fails whenever all of these are in it.
Fails needs(const std::set<int>& needed) {
  return [needed](const List& list) {
    return std::ranges::all_of(needed, [&](int one) { return std::ranges::find(list, one) != list.end(); });
  };
}

}  // namespace

TEST_CASE("finds exactly what a failure needs, in its order") {
  for (const int count : {1, 2, 3, 8, 17, 100}) {
    for (const std::set<int>& needed :
         {std::set<int>{0}, std::set<int>{count - 1}, std::set<int>{0, count - 1}, std::set<int>{count / 3, count / 2}}) {
      CAPTURE(count);
      const auto shrunk = ddmin(up_to(count), needs(needed), 10'000);
      CHECK(shrunk.list == List(needed.begin(), needed.end()));
      CHECK(shrunk.is_minimal);
    }
  }
}

TEST_CASE("a list all of which is needed stays whole") {
  const auto shrunk = ddmin(up_to(9), needs({0, 1, 2, 3, 4, 5, 6, 7, 8}), 10'000);
  CHECK(shrunk.list == up_to(9));
  CHECK(shrunk.is_minimal);
}

TEST_CASE("an empty list and a single thing are not tried") {
  CHECK(ddmin(List{}, needs({}), 10).tries == 0);
  CHECK(ddmin(List{4}, needs({4}), 10).tries == 0);
}

TEST_CASE("no single thing can be left out of the result, whatever fails") {
  // Fails with three or more, of which one is even: many smallest lists.
  const Fails fails = [](const List& list) {
    return list.size() >= 3 && std::ranges::any_of(list, [](int one) { return one % 2 == 0; });
  };
  const auto shrunk = ddmin(up_to(40), fails, 10'000);
  REQUIRE(fails(shrunk.list));
  for (size_t i = 0; i < shrunk.list.size(); ++i) {
    List without = shrunk.list;
    without.erase(without.begin() + static_cast<ptrdiff_t>(i));
    CHECK_FALSE(fails(without));
  }
}

TEST_CASE("it asks no more often than it may, and gives what it has by then") {
  for (size_t most = 0; most < 12; ++most) {
    CAPTURE(most);
    size_t asked = 0;
    const Fails fails = [&](const List& list) {
      ++asked;
      return needs({3, 60})(list);
    };
    const auto shrunk = ddmin(up_to(64), fails, most);
    CHECK(asked == most);
    CHECK(shrunk.tries == most);
    CHECK_FALSE(shrunk.is_minimal);
    CHECK(needs({3, 60})(shrunk.list));
  }
}

TEST_CASE("a thing among many is found in about twice the logarithm of their number") {
  CHECK(ddmin(up_to(1024), needs({777}), 10'000).tries <= 20);
}
