// Game modules, kept by content under arenad's directory, so that a file that is replaced on disk changes nothing that runs, and a
// template that dies is loaded again as it was:
//
//   modules/HASH/NAME.so     HASH: CodeHash of the file, NAME.so: what it was called when it was first given
//
// A file is written under another name, synced and then renamed: what is there is whole.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "arenad/code_hash.h"
#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad {

struct KeptCode {
  CodeHash hash;
  std::filesystem::path file;
};

class CodeStore {
 public:
  // Nothing is made before the first file is kept.
  explicit CodeStore(std::filesystem::path directory) : directory_(std::move(directory)) {}

  // A copy of this file; the one that is there already if there is one. Errors: it is no regular file, cannot be read, is larger than
  // 1 GiB, no room on the disk.
  Result<KeptCode> keep(const Fd& file, const std::string& name);
  Result<KeptCode> keep(const std::filesystem::path& file);
  [[nodiscard]] std::optional<KeptCode> find(CodeHash hash) const;
  void forget(CodeHash hash);
  // Removes all others, and what an interrupted keep() has left.
  void forget_all_but(const std::set<CodeHash>& needed);

 private:
  std::filesystem::path directory_;
};

}  // namespace arenad
