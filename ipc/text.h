// Texts of messages as strings.
#pragma once

#include <string>

#include <capnp/blob.h>

namespace arenad {

// Also if the text has bytes that are zero.
inline std::string text_of(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

// The other way.
inline capnp::Text::Reader whole_text(const std::string& text) {
  return {text.c_str(), text.size()};
}

}  // namespace arenad
