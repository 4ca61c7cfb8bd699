// Text in XML.
#pragma once

#include <string>
#include <string_view>

namespace arenad::cli {

// For content and for values in double quotes. The text is UTF-8 without control characters (ipc/printable.h).
std::string xml_escaped(std::string_view text);

}  // namespace arenad::cli
