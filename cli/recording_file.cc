#include "cli/recording_file.h"

#include <algorithm>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>
#include <vector>

namespace arenad::cli {
namespace {

constexpr size_t kCopyBytes = 1024 * 1024;

Result<void> write_all(int destination, const char* bytes, size_t count) {
  while (count > 0) {
    const ssize_t written = ::write(destination, bytes, count);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno_error("cannot write the recording");
    bytes += written;
    count -= static_cast<size_t>(written);
  }
  return {};
}

// A rename is durable only when the folder is.
Result<void> sync_folder_of(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path();
  if (folder.empty()) folder = ".";
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd || ::fsync(fd.get()) != 0) return errno_error("cannot sync the folder of " + path);
  return {};
}

Result<void> write_and_sync(const Fd& memfd, uint64_t bytes, const std::string& path) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file) return errno_error("cannot create " + path);
  if (auto copied = copy_memfd(memfd, bytes, file.get()); !copied) return copied;
  if (::fsync(file.get()) != 0) return errno_error("cannot sync " + path);
  return {};
}

}  // namespace

Result<void> copy_memfd(const Fd& memfd, uint64_t bytes, int destination) {
  std::vector<char> buffer(std::min<uint64_t>(bytes, kCopyBytes));
  // The descriptor shares its position with whoever filled it, so every read says where.
  for (uint64_t at = 0; at < bytes;) {
    const size_t wanted = std::min<uint64_t>(bytes - at, buffer.size());
    const ssize_t count = ::pread(memfd.get(), buffer.data(), wanted, static_cast<off_t>(at));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot read the recording that arenad sent");
    if (count == 0) return make_error(ErrorCode::corrupt, "the recording that arenad sent is shorter than it says");
    if (auto written = write_all(destination, buffer.data(), static_cast<size_t>(count)); !written) return written;
    at += static_cast<uint64_t>(count);
  }
  return {};
}

Result<void> save_memfd(const Fd& memfd, uint64_t bytes, const std::string& path) {
  const std::string temporary = path + ".tmp";
  auto saved = write_and_sync(memfd, bytes, temporary);
  if (saved && std::rename(temporary.c_str(), path.c_str()) != 0) {
    saved = errno_error("cannot rename " + temporary + " to " + path);
  }
  if (!saved) {
    ::unlink(temporary.c_str());
    return saved;
  }
  return sync_folder_of(path);
}

}  // namespace arenad::cli
