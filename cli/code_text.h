// A version of a game for people: the module's own version, which may be any text, and which code that is.
#pragma once

#include <string>
#include <string_view>

namespace arenad::cli {

// The first 12 digits of a CodeHash: enough to tell the versions of a game apart, and to name one to arenactl pin.
std::string short_code(std::string_view code);

// "1.3.0 (ba9876543210)", printable; what is empty is left out, and without both it is "?".
std::string version_label(std::string_view version, std::string_view code);

}  // namespace arenad::cli
