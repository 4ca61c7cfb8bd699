#include "chaos/disk/unsynced_disk.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace arenad::test {
namespace {

std::optional<std::string> content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

void UnsyncedDisk::opening(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (files_.contains(path)) return;
  File& file = files_[path];
  const auto content = content_of(path);
  file.is_present = content.has_value();
  file.certain = content.value_or("");
}

void UnsyncedDisk::opened(const std::string& path) {
  const std::lock_guard lock(mutex_);
  File& file = files_[path];
  if (file.is_present || !std::filesystem::exists(path)) return;
  if (!file.is_uncertain) file.before.reset();
  file.is_present = file.is_uncertain = true;
  file.certain.clear();
  file.waiting.clear();
}

void UnsyncedDisk::wrote(const std::string& path, uint64_t offset, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  files_[path].waiting.push_back({Change::Kind::write, offset, std::string(bytes)});
}

void UnsyncedDisk::truncated(const std::string& path, uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  files_[path].waiting.push_back({Change::Kind::truncate, bytes, {}});
}

void UnsyncedDisk::synced(const std::string& path) {
  const std::lock_guard lock(mutex_);
  File& file = files_[path];
  for (const Change& change : file.waiting) apply(change, file.certain);
  file.waiting.clear();
}

void UnsyncedDisk::removed(const std::string& path) {
  const std::lock_guard lock(mutex_);
  File& file = files_[path];
  if (!file.is_uncertain) file.before = file.certain;
  file.is_present = false;
  file.is_uncertain = true;
  file.waiting.clear();
}

void UnsyncedDisk::folder_synced() {
  const std::lock_guard lock(mutex_);
  for (auto& [path, file] : files_) file.is_uncertain = false;
}

bool UnsyncedDisk::is_new(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return files_[path].is_present && files_[path].is_uncertain;
}

void UnsyncedDisk::lost(const std::string& path) {
  const std::lock_guard lock(mutex_);
  files_[path].waiting.clear();
}

void UnsyncedDisk::apply(const Change& change, std::string& content) {
  switch (change.kind) {
    case Change::Kind::write:
      if (content.size() < change.offset + change.bytes.size()) content.resize(change.offset + change.bytes.size());
      content.replace(change.offset, change.bytes.size(), change.bytes);
      break;
    case Change::Kind::truncate:
      content.resize(change.offset);
      break;
  }
}

void UnsyncedDisk::apply_any_part(const std::vector<Change>& changes, Random& random, std::string& content) {
  const uint64_t sector = random.one_in(2) ? 512 : 4096;
  std::vector<Change> pieces;
  for (const Change& change : changes) {
    if (change.kind == Change::Kind::truncate) pieces.push_back(change);
    for (uint64_t at = 0; at < change.bytes.size();) {
      const uint64_t bytes = std::min(sector - (change.offset + at) % sector, change.bytes.size() - at);
      pieces.push_back({Change::Kind::write, change.offset + at, change.bytes.substr(at, bytes)});
      at += bytes;
    }
  }
  for (size_t n = pieces.size(); n > 1; --n) std::swap(pieces[n - 1], pieces[random.below(n)]);
  const uint64_t kept_of_8 = 1 + random.below(7);
  for (Change& piece : pieces) {
    if (random.below(8) >= kept_of_8) continue;
    if (random.one_in(8)) {
      for (char& byte : piece.bytes) byte = static_cast<char>(random());
    }
    apply(piece, content);
  }
}

std::optional<std::string> UnsyncedDisk::survivor(const File& file, Random& random, Survival survival) {
  const bool is_undone = survival == Survival::nothing || (survival == Survival::any_part && random.one_in(2));
  if (file.is_uncertain && is_undone) return file.before;
  if (!file.is_present) return std::nullopt;
  std::string content = file.certain;
  switch (survival) {
    case Survival::nothing:
      break;
    case Survival::everything:
      for (const Change& change : file.waiting) apply(change, content);
      break;
    case Survival::any_part:
      apply_any_part(file.waiting, random, content);
      break;
  }
  return content;
}

void UnsyncedDisk::power_cut(uint64_t seed, Survival survival) {
  const std::lock_guard lock(mutex_);
  Random random(seed);
  for (auto& [path, file] : files_) {
    const std::optional<std::string> left = survivor(file, random, survival);
    if (left) {
      std::ofstream(path, std::ios::binary | std::ios::trunc) << *left;
    } else {
      std::filesystem::remove(path);
    }
    file = File{};
    file.is_present = left.has_value();
    file.certain = left.value_or("");
  }
}

}  // namespace arenad::test
