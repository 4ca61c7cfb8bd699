// Game modules and runtimes (arena-worker), kept by content under arenad's directory, so that a file that is replaced on disk changes
// nothing that runs, and a template that dies is loaded again as it was:
//
//   modules/HASH/NAME     HASH: CodeHash of the file, NAME: what it was called when it was first given; it may be executed
//
// A file is written under another name, synced and then renamed: what is there is whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
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
  // The same. A file that has not changed since it was kept last is not read again.
  Result<KeptCode> keep(const std::filesystem::path& file);
  [[nodiscard]] std::optional<KeptCode> find(CodeHash hash) const;
  // The same, for whom it matters that there is none. Errors: no descriptor or no memory to look with.
  [[nodiscard]] Result<std::optional<KeptCode>> look(CodeHash hash) const;
  void forget(CodeHash hash);
  // Removes all others, and what an interrupted keep() has left.
  void forget_all_but(const std::set<CodeHash>& needed);

 private:
  // Which file it is, and whether it was written since.
  struct FileFacts {
    uint64_t device = 0;
    uint64_t inode = 0;
    uint64_t bytes = 0;
    uint64_t written_ns = 0;  // Unix time, as the next one
    uint64_t changed_ns = 0;
    bool operator==(const FileFacts&) const = default;
  };
  static std::optional<FileFacts> facts_of(const Fd& file);
  struct Known {
    FileFacts facts;
    CodeHash hash;
  };

  std::filesystem::path directory_;
  std::map<std::filesystem::path, Known> known_;
};

}  // namespace arenad
