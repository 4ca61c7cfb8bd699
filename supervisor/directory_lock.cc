#include "supervisor/directory_lock.h"

#include <fcntl.h>
#include <string>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace arenad {

Result<DirectoryLock> DirectoryLock::take(const std::filesystem::path& directory) {
  std::error_code error;
  const bool made = std::filesystem::create_directories(directory, error);
  if (error) {
    errno = error.value();
    return errno_error("cannot make the directory " + directory.string());
  }
  if (made) ::chmod(directory.c_str(), 0750);
  const auto path = (directory / "lock").string();
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640));
  if (!file) return errno_error("cannot use the directory " + directory.string());
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    char holder[32] = {};
    const ssize_t length = ::pread(file.get(), holder, sizeof holder - 1, 0);
    return make_error(ErrorCode::refused,
                      "another arenad" + (length > 0 ? " (pid " + std::string(holder) + ")" : std::string()) +
                          " uses the directory " + directory.string() + ". Stop it, or give this one a directory of its own");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(file.get(), 0) != 0 || ::pwrite(file.get(), pid.data(), pid.size(), 0) < 0) {
    return errno_error("cannot write to the directory " + directory.string());
  }
  return DirectoryLock(std::move(file));
}

}  // namespace arenad
