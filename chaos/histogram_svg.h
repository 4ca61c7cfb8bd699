// How long recoveries took, as bars over doubling times, all of one scale so that faults compare. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "chaos/durations.h"

namespace arenad::chaos {

// Bin 0: below `first_ms`; bin k: from 2^(k-1) times that on, below 2^k times; the last one: all beyond too.
constexpr size_t kBins = 18;
struct BinScale {
  double first_ms;
};
constexpr BinScale kFromMilliseconds{1};
constexpr BinScale kFromMicroseconds{1.0 / 32};

std::array<uint64_t, kBins> bins_of(const Durations& durations, BinScale scale = kFromMilliseconds);
// "16 ms to 32 ms"
std::string range_of_bin(size_t bin, BinScale scale = kFromMilliseconds);

// The bars are as high as their share of the highest.
std::string histogram_svg(const Durations& durations, BinScale scale = kFromMilliseconds);
// What stands under or over such bars.
std::string histogram_axis_svg(BinScale scale = kFromMilliseconds);

}  // namespace arenad::chaos
