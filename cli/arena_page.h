// Everything about one arena on one page, for people.
#pragma once

#include <string>

#include "cli/arena_fields.h"
#include "cli/table.h"

namespace arenad::cli {

std::string render_arena_page(const ArenaAt& arena, Colour colour);

}  // namespace arenad::cli
