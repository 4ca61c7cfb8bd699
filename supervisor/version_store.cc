#include "supervisor/version_store.h"

#include <algorithm>
#include <array>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>
#include <vector>

#include <xxhash.h>

namespace arenad {
namespace {

namespace fs = std::filesystem;

constexpr const char* kUnfinished = ".unfinished";

CodeHash hash_of(CodeHash module, CodeHash runtime) {
  const std::array<uint64_t, 4> both{module.high, module.low, runtime.high, runtime.low};
  const XXH128_hash_t sum = XXH3_128bits(both.data(), sizeof both);
  return {sum.high64, sum.low64};
}

Result<void> sync(const fs::path& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) return errno_error("cannot write " + path.string());
  return {};
}

}  // namespace

Result<KeptVersion> VersionStore::keep(const KeptCode& module, const KeptCode& runtime) {
  const KeptVersion version{hash_of(module.hash, runtime.hash), module, runtime};
  if (find(version.hash)) return version;
  if (auto written = write(version.hash, {module.hash, runtime.hash}); !written) return written.error();
  return version;
}

std::optional<KeptVersion> VersionStore::find(CodeHash hash) const {
  auto found = look(hash);
  return found ? std::move(*found) : std::nullopt;
}

Result<std::optional<KeptVersion>> VersionStore::look(CodeHash hash) const {
  const std::optional<KeptVersion> none;
  auto halves = read(hash);
  if (!halves) return halves.error();
  if (!*halves) return none;
  auto module = files_.look((*halves)->module);
  if (!module) return module.error();
  auto runtime = files_.look((*halves)->runtime);
  if (!runtime) return runtime.error();
  if (!*module || !*runtime) return none;
  return std::optional(KeptVersion{hash, **module, **runtime});
}

bool VersionStore::is_unknown(CodeHash hash) const {
  auto halves = read(hash);
  return !halves || !*halves;
}

void VersionStore::complete(CodeHash hash, const KeptCode& runtime) {
  if (!hash.is_null() && is_unknown(hash) && files_.find(hash)) (void)write(hash, {hash, runtime.hash});
}

void VersionStore::forget(CodeHash hash) {
  std::error_code error;
  fs::remove(directory_ / hash.text(), error);
  forget_loose_files();
}

void VersionStore::forget_all_but(const std::set<CodeHash>& needed) {
  std::error_code error;
  std::vector<fs::path> unneeded;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const auto hash = CodeHash::parse(entry.path().filename().string());
    if (!hash || !needed.contains(*hash)) unneeded.push_back(entry.path());
  }
  for (const fs::path& path : unneeded) fs::remove_all(path, error);
  for (const CodeHash hash : needed) {
    if (is_unknown(hash)) incomplete_.insert(hash);
  }
  forget_loose_files();
}

void VersionStore::forget_files_but(std::set<CodeHash> needed) {
  std::error_code error;
  for (fs::directory_iterator entry(directory_, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
    const auto hash = CodeHash::parse(entry->path().filename().string());
    if (!hash) continue;
    auto halves = read(*hash);
    // What cannot be read at the moment may be any of them.
    if (!halves || !*halves) return;
    needed.insert({(*halves)->module, (*halves)->runtime});
  }
  if (error && error != std::errc::no_such_file_or_directory) return;
  files_.forget_all_but(needed);
}

Result<std::optional<VersionStore::Halves>> VersionStore::read(CodeHash hash) const {
  const std::optional<Halves> none;
  const fs::path path = directory_ / hash.text();
  // The stream does not say why it could not be opened.
  const Fd opened(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened)
    return is_want_of_descriptors_or_memory(errno) ? Result<std::optional<Halves>>(errno_error("cannot read " + path.string()))
                                                   : none;
  std::array<char, 256> text{};
  const ssize_t bytes = ::read(opened.get(), text.data(), text.size());
  std::istringstream file(std::string(text.data(), static_cast<size_t>(std::max<ssize_t>(bytes, 0))));
  std::string module_word;
  std::string module;
  std::string runtime_word;
  std::string runtime;
  if (!(file >> module_word >> module >> runtime_word >> runtime)) return none;
  const auto module_hash = CodeHash::parse(module);
  const auto runtime_hash = CodeHash::parse(runtime);
  if (module_word != "module" || runtime_word != "runtime" || !module_hash || !runtime_hash) return none;
  return std::optional(Halves{*module_hash, *runtime_hash});
}

Result<void> VersionStore::write(CodeHash hash, const Halves& halves) const {
  std::error_code error;
  fs::create_directories(directory_, error);
  const fs::path unfinished = directory_ / kUnfinished;
  std::ofstream file(unfinished, std::ios::trunc);
  file << "module " << halves.module.text() << "\nruntime " << halves.runtime.text() << '\n';
  file.close();
  if (!file) return errno_error("cannot write " + unfinished.string());
  if (auto synced = sync(unfinished); !synced) return synced;
  fs::rename(unfinished, directory_ / hash.text(), error);
  if (error) {
    errno = error.value();
    return errno_error("cannot make " + (directory_ / hash.text()).string());
  }
  return sync(directory_);
}

}  // namespace arenad
