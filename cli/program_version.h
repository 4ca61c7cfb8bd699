// Of this program.
#pragma once

#include <string_view>

namespace arenad::cli {

inline constexpr std::string_view kProgramVersion = ARENACTL_VERSION;

}  // namespace arenad::cli
