#include "chaos/histogram_svg.h"

#include <algorithm>
#include <fmt/format.h>

namespace arenad::chaos {
namespace {

constexpr double kBinWidth = 20;
constexpr double kWidth = kBinWidth * kBins;
constexpr double kHeight = 34;
constexpr double kAxisHeight = 16;
constexpr size_t kLabelEvery = 3;

std::string text_of_ms(double ms) {
  if (ms < 1) return fmt::format("{:.3g} \u00B5s", ms * 1000);
  return ms < 1000 ? fmt::format("{:g} ms", ms) : fmt::format("{:.3g} s", ms / 1000);
}

// Where bin + 1 begins.
double end_of_bin(size_t bin, BinScale scale) {
  return scale.first_ms * static_cast<double>(uint64_t{1} << bin);
}

}  // namespace

std::array<uint64_t, kBins> bins_of(const Durations& durations, BinScale scale) {
  std::array<uint64_t, kBins> bins{};
  for (const double ms : durations.sorted) {
    size_t bin = 0;
    while (bin + 1 < kBins && ms >= end_of_bin(bin, scale)) ++bin;
    bins[bin] += 1;
  }
  return bins;
}

std::string range_of_bin(size_t bin, BinScale scale) {
  if (bin == 0) return "below " + text_of_ms(scale.first_ms);
  const double from = end_of_bin(bin - 1, scale);
  if (bin == kBins - 1) return text_of_ms(from) + " or more";
  return text_of_ms(from) + " to " + text_of_ms(2 * from);
}

std::string histogram_svg(const Durations& durations, BinScale scale) {
  const auto bins = bins_of(durations, scale);
  const uint64_t most = std::max<uint64_t>(1, *std::ranges::max_element(bins));
  std::string bars;
  for (size_t bin = 0; bin < kBins; ++bin) {
    if (bins[bin] == 0) continue;
    // A single one among thousands is still seen.
    const double height = std::max(2.0, (kHeight - 2) * static_cast<double>(bins[bin]) / static_cast<double>(most));
    bars += fmt::format(
        R"(<rect class="bin" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"><title>{}: {}</title></rect>)",
        static_cast<double>(bin) * kBinWidth + 1, kHeight - height, kBinWidth - 2, height, range_of_bin(bin, scale), bins[bin]);
  }
  return fmt::format(
      R"(<svg class="histogram" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" role="img" aria-label="{2}"><line class="grid" x1="0" x2="{0:g}" y1="{1:g}" y2="{1:g}"/>{3}</svg>)",
      kWidth, kHeight, durations.text(), bars);
}

std::string histogram_axis_svg(BinScale scale) {
  std::string labels;
  for (size_t bin = 1; bin < kBins; bin += kLabelEvery) {
    const double x = static_cast<double>(bin) * kBinWidth;
    labels += fmt::format(
        R"(<line class="tick" x1="{0:g}" x2="{0:g}" y1="12" y2="16"/><text class="axis" x="{0:g}" y="10" text-anchor="middle">{1}</text>)",
        x, text_of_ms(end_of_bin(bin - 1, scale)));
  }
  return fmt::format(
      R"(<svg class="histogram" viewBox="0 0 {0:g} {1:g}" width="{0:g}" height="{1:g}" aria-hidden="true">{2}</svg>)", kWidth,
      kAxisHeight, labels);
}

}  // namespace arenad::chaos
