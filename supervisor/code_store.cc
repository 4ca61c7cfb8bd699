#include "supervisor/code_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

#include <xxhash.h>

#include "ipc/clock.h"
#include "ipc/mutant.h"

namespace arenad {
namespace {

namespace fs = std::filesystem;

constexpr off_t kMaxCodeBytes = 1 << 30;
constexpr uint64_t kSettledNs = 2 * kSecond;
constexpr const char* kUnfinished = ".unfinished";

Result<std::vector<char>> read_whole(const Fd& file, const std::string& name) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return errno_error("cannot read " + name);
  if (!S_ISREG(facts.st_mode)) return make_error(ErrorCode::invalid, name + " is not a file");
  if (facts.st_size > kMaxCodeBytes) return make_error(ErrorCode::invalid, name + " is larger than 1 GiB");
  std::vector<char> bytes(static_cast<size_t>(facts.st_size));
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::pread(file.get(), bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot read " + name);
    if (count == 0) return make_error(ErrorCode::invalid, name + " became shorter while it was read");
    done += static_cast<size_t>(count);
  }
  return bytes;
}

Result<void> write_whole(const fs::path& path, const std::vector<char>& bytes) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755));
  if (!file) return errno_error("cannot make " + path.string());
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file.get(), bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_error("cannot write " + path.string());
    done += static_cast<size_t>(count);
  }
  if (::fsync(file.get()) != 0) return errno_error("cannot write " + path.string());
  return {};
}

// So that a rename in it outlives a power cut.
Result<void> sync_directory(const fs::path& path) {
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) return errno_error("cannot write " + path.string());
  return {};
}

Error cannot(const std::string& what, const fs::path& path, const std::error_code& error) {
  errno = error.value();
  return errno_error("cannot " + what + " " + path.string());
}

}  // namespace

std::optional<CodeStore::FileFacts> CodeStore::facts_of(const Fd& file) {
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0) return std::nullopt;
  const auto ns = [](const timespec& time) {
    return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
  };
  return FileFacts{facts.st_dev, facts.st_ino, static_cast<uint64_t>(facts.st_size), ns(facts.st_mtim), ns(facts.st_ctim)};
}

Result<KeptCode> CodeStore::keep(const fs::path& file) {
  const Fd opened(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened) return errno_error("cannot read " + file.string());
  const auto facts = facts_of(opened);
  if (const auto known = known_.find(file); known != known_.end() && facts && known->second.facts == *facts) {
    if (auto kept = find(known->second.hash)) return *kept;
  }
  auto kept = keep(opened, file.filename().string());
  if (kept && ARENAD_MUTANT("code.not_copied")) kept->file = file;
  // One that was written a moment ago may be written again without any of its times changing.
  if (kept && facts && facts->changed_ns + kSettledNs < unix_ns()) known_[file] = {*facts, kept->hash};
  return kept;
}

Result<KeptCode> CodeStore::keep(const Fd& file, const std::string& name) {
  const bool is_name = !name.empty() && name.size() <= 200 && name[0] != '.' && name.find('/') == std::string::npos &&
                       name.find('\0') == std::string::npos;
  if (!is_name) {
    return make_error(ErrorCode::invalid, "a file of code cannot be called \"" + name + '"');
  }
  auto bytes = read_whole(file, name);
  if (!bytes) return bytes.error();
  const XXH128_hash_t sum = XXH3_128bits(bytes->data(), bytes->size());
  const CodeHash hash{sum.high64, sum.low64};
  if (auto there = find(hash)) return *there;
  const fs::path folder = directory_ / hash.text();
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return cannot("make the directory", folder, error);
  const fs::path unfinished = folder / kUnfinished;
  if (auto written = write_whole(unfinished, *bytes); !written) {
    fs::remove_all(folder, error);
    return written.error();
  }
  fs::rename(unfinished, folder / name, error);
  if (error) return cannot("make", folder / name, error);
  for (const fs::path& changed : {folder, directory_}) {
    if (auto synced = sync_directory(changed); !synced) return synced.error();
  }
  return KeptCode{hash, folder / name};
}

std::optional<KeptCode> CodeStore::find(CodeHash hash) const {
  auto found = look(hash);
  return found ? std::move(*found) : std::nullopt;
}

Result<std::optional<KeptCode>> CodeStore::look(CodeHash hash) const {
  const fs::path folder = directory_ / hash.text();
  std::error_code error;
  for (fs::directory_iterator entry(folder, error); !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (entry->path().filename() != kUnfinished) return std::optional(KeptCode{hash, entry->path()});
  }
  if (error && is_want_of_descriptors_or_memory(error.value())) return cannot("read the directory", folder, error);
  return std::optional<KeptCode>();
}

void CodeStore::forget(CodeHash hash) {
  std::error_code error;
  fs::remove_all(directory_ / hash.text(), error);
}

void CodeStore::forget_all_but(const std::set<CodeHash>& needed) {
  std::error_code error;
  std::vector<fs::path> unneeded;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const auto hash = CodeHash::parse(entry.path().filename().string());
    if (!hash || !needed.contains(*hash)) unneeded.push_back(entry.path());
    fs::remove(entry.path() / kUnfinished, error);
  }
  for (const fs::path& path : unneeded) fs::remove_all(path, error);
}

}  // namespace arenad
