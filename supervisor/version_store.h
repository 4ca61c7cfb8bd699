// The versions of games on disk. A version is a module and the runtime that runs it, and its CodeHash is that of the two together:
//
//   modules/HASH/NAME    the files, one copy of each content, however many versions share it (code_store.h)
//   versions/HASH        which two files a version is: "module HASH" and "runtime HASH", a line each
//
// A directory from before runtimes were kept has modules only, and the module's own CodeHash is the version's: complete().
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "supervisor/code_store.h"

namespace arenad {

struct KeptVersion {
  CodeHash hash;  // null: it is not kept, and the files are where the configuration says
  KeptCode module;
  KeptCode runtime;
};

class VersionStore {
 public:
  // Nothing is made before the first file is kept.
  explicit VersionStore(const std::filesystem::path& directory)
      : files_(directory / "modules"), directory_(directory / "versions") {}

  // Where the files of versions are kept first.
  [[nodiscard]] CodeStore& files() { return files_; }

  // Both are kept already. Errors: no room on the disk.
  Result<KeptVersion> keep(const KeptCode& module, const KeptCode& runtime);
  // nullopt: it is not known, or one of its files is not there.
  [[nodiscard]] std::optional<KeptVersion> find(CodeHash hash) const;
  // The same, for whom it matters that it is not. Errors: no descriptor or no memory to look with.
  [[nodiscard]] Result<std::optional<KeptVersion>> look(CodeHash hash) const;
  // A version from before runtimes were kept, of which there is only the module: from now on it has this runtime, and keeps its name.
  // Of any other nothing is changed.
  void complete(CodeHash hash, const KeptCode& runtime);
  // With those of its files that no other version has.
  void forget(CodeHash hash);
  // Files that belong to no version: those of one that could not be made.
  void forget_loose_files() { forget_files_but(incomplete_); }
  // Removes all others, their files, and what an interruption has left.
  void forget_all_but(const std::set<CodeHash>& needed);

 private:
  struct Halves {
    CodeHash module;
    CodeHash runtime;
  };
  [[nodiscard]] Result<std::optional<Halves>> read(CodeHash hash) const;
  // Also if it cannot be read now.
  [[nodiscard]] bool is_unknown(CodeHash hash) const;
  Result<void> write(CodeHash hash, const Halves& halves) const;
  void forget_files_but(std::set<CodeHash> needed);

  CodeStore files_;
  std::filesystem::path directory_;
  std::set<CodeHash> incomplete_;  // needed, and not known: a module may be there that is to be completed
};

}  // namespace arenad
