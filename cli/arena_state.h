// What the words for an arena's state mean to an operator.
//
//   standing   states                                  status exits with   shown
//   running    running, draining, probation            0                   green
//   changing   starting, recovering, backoff, ...      not_running         yellow
//   broken     failed, lost, quarantined               not_running         red
//   finished   ended, stopped                          not_running         plain
//
// A word that is not known here, from a newer arenad, counts as changing: what is not known to run
// is not reported as running.
#pragma once

#include <string_view>

#include "cli/table.h"

namespace arenad::cli {

enum class Standing { running, changing, broken, finished };

Standing standing_of(std::string_view state);
Tone tone_of(Standing standing);

}  // namespace arenad::cli
