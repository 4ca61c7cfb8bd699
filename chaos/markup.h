// Text inside HTML and XML. Pure.
#pragma once

#include <string>
#include <string_view>

namespace arenad::chaos {

// Fit for an element's text and for an attribute in double or single quotes. What neither may hold, control characters and bytes that are
// not UTF-8, becomes U+FFFD.
std::string escaped(std::string_view text);

}  // namespace arenad::chaos
