// The timeline of a run as SVG, a row for each arena and one for arenad. Pure.
//
//   a bar       a fault, from when it struck until an entry said afterwards came back; coloured by its group, that is its name up to the dot;
//               a low one is compound, it struck while the one before was not over
//   a tick      below the bars: another worker, in arenad's row another arenad
//   a triangle  a violation
//
// It stays of a size that a browser shows at once: of very many faults those of an arena that begin in the same column are one bar, and of
// very many arenas those with a violation and then the first ones are shown.
#pragma once

#include <string>
#include <vector>

#include "chaos/run_record.h"

namespace arenad::chaos {

constexpr size_t kMostBars = 4000;
constexpr size_t kMostRows = 48;
constexpr size_t kColours = 7;  // the last one is for all further groups

// "worker" of "worker.killed".
std::string group_of(const std::string& fault);
// Those of a run's faults, by name.
std::vector<std::string> groups_of(const RunRecord& record);
// 0 <= result < kColours; the style sheet has a colour for each.
size_t colour_of(const std::vector<std::string>& groups, const std::string& fault);

std::string timeline_svg(const RunRecord& record);

}  // namespace arenad::chaos
