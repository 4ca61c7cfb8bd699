#include "state/database_file.h"

#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "ipc/clock.h"

namespace arenad {
namespace {

namespace fs = std::filesystem;

// For a file's name, so without colons: 20260131T235959.123Z.
std::string time_stamp() {
  const uint64_t now_ms = unix_ms();
  const auto now = static_cast<time_t>(now_ms / 1000);
  tm utc{};
  gmtime_r(&now, &utc);
  std::array<char, 32> seconds{};
  const size_t length = std::strftime(seconds.data(), seconds.size(), "%Y%m%dT%H%M%S", &utc);
  const std::string ms = std::to_string(1000 + now_ms % 1000).substr(1);
  return std::string(seconds.data(), length) + "." + ms + "Z";
}

std::string unused_name(const std::string& wanted) {
  std::error_code error;
  std::string name = wanted;
  for (int n = 2; fs::exists(name, error) || fs::exists(name + "-wal", error); ++n) {
    name = wanted + "." + std::to_string(n);
  }
  return name;
}

}  // namespace

std::string absolute_path(const std::string& path) {
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(fs::absolute(path, error), error);
  return error ? path : resolved.string();
}

bool file_exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

uint64_t bytes_of_file(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return error ? 0 : size;
}

Result<void> require_regular_file(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status) || fs::is_regular_file(status)) return {};
  return make_error(ErrorCode::invalid, path + " is a folder or a device; configure another path for the database");
}

Result<std::string> move_aside(const std::string& path, Moved what) {
  const std::string aside = unused_name(path + ".damaged-" + time_stamp());
  for (const char* ending : {"", "-wal", "-shm", "-journal"}) {
    if (what == Moved::side_files_only && *ending == '\0') continue;
    std::error_code error;
    fs::rename(path + ending, aside + ending, error);
    if (!error || error == std::errc::no_such_file_or_directory) continue;
    errno = error.value();
    return errno_error("cannot move the damaged " + path + ending + " aside; move it by hand");
  }
  return aside;
}

}  // namespace arenad
