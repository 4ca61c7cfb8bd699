// What a disk still holds after a power cut: everything up to a file's last sync, and of what came after it any part, in any order.
//
// The files themselves are written as always, so that whoever reads sees what was written; beside them this keeps what is certain, and
// the writes that are not. A write is cut into sectors, of which each survives, is lost, or is garbled within the bytes that were
// written; those around them stay, which SQLite takes for granted too (SQLITE_IOCAP_POWERSAFE_OVERWRITE). Whether a file is there that
// was made or deleted is uncertain until its folder is synced.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "chaos/disk/random_sequence.h"

namespace arenad::test {

class UnsyncedDisk {
 public:
  enum class Survival {
    nothing,     // that was not synced
    any_part,    // by seed
    everything,  // as after the death of a process
  };

  // Before it is opened, so that what was there already is seen.
  void opening(const std::string& path);
  void opened(const std::string& path);
  void wrote(const std::string& path, uint64_t offset, std::string_view bytes);
  void truncated(const std::string& path, uint64_t bytes);
  void synced(const std::string& path);
  void removed(const std::string& path);
  void folder_synced();
  // Made, and its folder not synced since.
  [[nodiscard]] bool is_new(const std::string& path);
  // What waits for a sync of this file never reaches the disk.
  void lost(const std::string& path);

  // Leaves in the files what has survived, and takes it for certain from now on.
  void power_cut(uint64_t seed, Survival survival);

 private:
  struct Change {
    enum class Kind { write, truncate } kind;
    uint64_t offset;  // of a truncation: the new size
    std::string bytes;
  };
  struct File {
    bool is_present = false;
    std::string certain;  // what it holds if nothing survives that was not synced
    std::vector<Change> waiting;
    // Made or deleted since its folder was synced: then `before` may come back, which may be no file.
    bool is_uncertain = false;
    std::optional<std::string> before;
  };

  static void apply(const Change& change, std::string& content);
  static void apply_any_part(const std::vector<Change>& changes, Random& random, std::string& content);
  static std::optional<std::string> survivor(const File& file, Random& random, Survival survival);

  mutable std::mutex mutex_;
  std::map<std::string, File> files_;
};

}  // namespace arenad::test
