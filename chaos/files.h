// Whole files, read and written at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "arenad/result.h"

namespace arenad::chaos {

// Whether write_file() could write there, as far as can be known before. Leaves everything as it is.
Result<void> check_writable(const std::filesystem::path& path);
Result<void> write_file(const std::filesystem::path& path, std::string_view bytes);
Result<std::string> read_file(const std::filesystem::path& path);
// As 64-bit words. A file that does not end with a whole word is read without its last bytes.
Result<std::vector<uint64_t>> read_words(const std::filesystem::path& path);
// The last lines of a text file, for a message; empty if it cannot be read.
std::string last_lines(const std::filesystem::path& path, size_t count);
// The lines of a text file that contain a part; none if it cannot be read.
std::vector<std::string> lines_with(const std::filesystem::path& path, std::string_view part);

}  // namespace arenad::chaos
