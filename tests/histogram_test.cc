// Buckets of durations: where each begins and ends, and what a quantile says.
#include "ipc/histogram.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using namespace arenad;
using arenad::test::Random;
using arenad::test::test_seed;

using Counts = std::array<uint64_t, kHistogramBuckets>;

uint64_t lower(size_t bucket) {
  return bucket == 0 ? 0 : histogram_upper(bucket - 1) + 1;
}

}  // namespace

TEST_CASE("histogram: every bucket begins where the one before ends") {
  for (size_t bucket = 0; bucket < kHistogramBuckets; ++bucket) {
    CAPTURE(bucket);
    CHECK(lower(bucket) <= histogram_upper(bucket));
    CHECK(histogram_bucket(lower(bucket)) == bucket);
    CHECK(histogram_bucket(histogram_upper(bucket)) == bucket);
    const uint64_t middle = lower(bucket) + (histogram_upper(bucket) - lower(bucket)) / 2;
    CHECK(histogram_bucket(middle) == bucket);
    const size_t next = std::min(bucket + 1, kHistogramBuckets - 1);
    CHECK(histogram_bucket(histogram_upper(bucket) + 1) == next);
  }
}

TEST_CASE("histogram: exact up to 15, then within an eighth") {
  for (size_t bucket = 0; bucket < 16; ++bucket) CHECK(histogram_upper(bucket) == bucket);
  for (size_t bucket = 16; bucket < kHistogramBuckets; ++bucket) {
    CAPTURE(bucket);
    const uint64_t width = histogram_upper(bucket) - lower(bucket) + 1;
    CHECK(width * 8 <= lower(bucket));
  }
}

TEST_CASE("histogram: the last bucket takes what is larger than all") {
  CHECK(histogram_upper(kHistogramBuckets - 1) == UINT32_MAX);
  CHECK(histogram_bucket(UINT32_MAX) == kHistogramBuckets - 1);
  CHECK(histogram_bucket(uint64_t{UINT32_MAX} + 1) == kHistogramBuckets - 1);
  CHECK(histogram_bucket(UINT64_MAX) == kHistogramBuckets - 1);
}

TEST_CASE("histogram: quantiles") {
  Counts counts{};
  SUBCASE("of nothing") {
    CHECK(histogram_quantile(counts, 0) == 0);
    CHECK(histogram_quantile(counts, 1) == 0);
  }
  SUBCASE("of one value") {
    counts[histogram_bucket(9)] = 1;
    for (const double fraction : {0.0, 0.5, 0.99, 1.0}) CHECK(histogram_quantile(counts, fraction) == 9);
  }
  SUBCASE("of the lowest and the highest") {
    counts[0] = 99;
    counts[kHistogramBuckets - 1] = 1;
    CHECK(histogram_quantile(counts, 0.5) == 0);
    CHECK(histogram_quantile(counts, 0.98) == 0);
    CHECK(histogram_quantile(counts, 1) == UINT32_MAX);
  }
  SUBCASE("of 0 to 15, once each") {
    for (size_t value = 0; value < 16; ++value) counts[value] = 1;
    CHECK(histogram_quantile(counts, 0) == 0);
    CHECK(histogram_quantile(counts, 0.5) == 7);
    CHECK(histogram_quantile(counts, 1) == 15);
  }
  SUBCASE("of more than a double can count") {
    counts[3] = 1ull << 62;
    CHECK(histogram_quantile(counts, 0) == 3);
    CHECK(histogram_quantile(counts, 0.999) == 3);
  }
}

TEST_CASE("histogram: a quantile is the bucket of the value at that rank") {
  Random random(test_seed());
  for (int round = 0; round < 200; ++round) {
    std::vector<uint64_t> values(1 + random.below(300));
    Counts counts{};
    for (uint64_t& value : values) {
      value = random() >> random.below(64);
      ++counts[histogram_bucket(value)];
    }
    std::sort(values.begin(), values.end());
    for (const double fraction : {0.0, 0.1, 0.5, 0.9, 0.99, 1.0}) {
      const auto rank = static_cast<size_t>(fraction * static_cast<double>(values.size() - 1));
      const uint64_t expected = histogram_upper(histogram_bucket(values[rank]));
      CAPTURE(round);
      CAPTURE(fraction);
      CHECK(histogram_quantile(counts, fraction) == expected);
    }
  }
}

TEST_CASE("histogram: reads counters in shared memory") {
  std::array<std::atomic<uint64_t>, kHistogramBuckets> counts{};
  counts[histogram_bucket(1000)].fetch_add(3);
  CHECK(histogram_quantile(counts, 0.5) == histogram_upper(histogram_bucket(1000)));
}
