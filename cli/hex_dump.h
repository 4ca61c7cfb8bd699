// Bytes for people who have nothing better.
#pragma once

#include <span>
#include <string>

namespace arenad::cli {

// Sixteen bytes a line, as xxd shows them: "00000000: 6865 6c6c 6f0a                           hello."
std::string hex_dump(std::span<const unsigned char> bytes);

std::string hex_text(std::span<const unsigned char> bytes);

}  // namespace arenad::cli
