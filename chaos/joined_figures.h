// The figures of several runs, each a flat JSON object, as one: of a name that several have, violations and what is not clean are added up, of
// other numbers the larger stands, and what is true must be true in all.
#pragma once

#include <span>
#include <string>

#include "arenad/result.h"

namespace arenad::chaos {

// An error says which is not a flat object.
Result<std::string> join_figures(std::span<const std::string> objects);

}  // namespace arenad::chaos
