// What shows that a file has been written, or another one put in its place, without reading it.
#pragma once

#include <cstdint>
#include <filesystem>

namespace arenad {

struct FileStamp {
  std::filesystem::file_time_type written{};
  uintmax_t bytes = 0;

  bool operator==(const FileStamp&) const = default;
};

// Of a file that is not there, or cannot be looked at: as of none.
inline FileStamp file_stamp(const std::filesystem::path& file) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(file, error);
  if (error) return {};
  const auto bytes = std::filesystem::file_size(file, error);
  return error ? FileStamp{} : FileStamp{written, bytes};
}

}  // namespace arenad
