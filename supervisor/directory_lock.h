// One arenad for one directory: a lock on a file in it, which the kernel gives up when the process ends, however it ends.
#pragma once

#include <filesystem>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad {

class DirectoryLock {
 public:
  // Makes the directory if it is not there (mode 0750). Refused if another arenad holds it; says which process.
  static Result<DirectoryLock> take(const std::filesystem::path& directory);
  // The one that this process has had before it executed another program.
  static DirectoryLock take_on(Fd file) { return DirectoryLock(std::move(file)); }
  [[nodiscard]] const Fd& file() const { return file_; }

 private:
  explicit DirectoryLock(Fd file) : file_(std::move(file)) {}
  Fd file_;
};

}  // namespace arenad
