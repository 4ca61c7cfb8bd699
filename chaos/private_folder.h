// The one folder that everything of a run lies in: configuration, database, socket, logs, recordings. It goes when the run goes,
// unless it is kept as evidence.
#pragma once

#include <filesystem>

#include "arenad/result.h"

namespace arenad::chaos {

class PrivateFolder {
 public:
  // In $TMPDIR, or else in `otherwise`.
  static Result<PrivateFolder> make(const std::filesystem::path& otherwise);
  PrivateFolder(PrivateFolder&& other) noexcept;
  PrivateFolder& operator=(PrivateFolder&&) = delete;
  ~PrivateFolder();

  void keep() { fate_ = Fate::stays; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  enum class Fate { goes, stays };
  explicit PrivateFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
  Fate fate_ = Fate::goes;
};

}  // namespace arenad::chaos
