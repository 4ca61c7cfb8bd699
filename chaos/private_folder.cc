#include "chaos/private_folder.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

namespace arenad::chaos {

Result<PrivateFolder> PrivateFolder::make(const std::filesystem::path& otherwise) {
  const char* temporary = std::getenv("TMPDIR");
  const bool usable = temporary != nullptr && *temporary != '\0';
  std::string name = std::filesystem::absolute((usable ? std::filesystem::path(temporary) : otherwise) / "arenad-demo-XXXXXX");
  if (::mkdtemp(name.data()) == nullptr) return errno_error("cannot make a folder " + name);
  return PrivateFolder(name);
}

PrivateFolder::PrivateFolder(PrivateFolder&& other) noexcept
    : path_(std::move(other.path_)), fate_(std::exchange(other.fate_, Fate::stays)) {}

PrivateFolder::~PrivateFolder() {
  if (fate_ == Fate::stays) return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) std::fprintf(stderr, "arenad-demo: cannot remove %s: %s\n", path_.c_str(), error.message().c_str());
}

}  // namespace arenad::chaos
