// Databases that a fault has taken from arenad. What was stored in one of them was stored, and is not lost because the file is: who judges the
// results of a run looks into them too. Each is a file of the run's folder, with its -wal beside it if it has one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "arenad/ids.h"

namespace arenad::chaos {

class FormerDatabases {
 public:
  explicit FormerDatabases(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // Where the next one is to lie; whoever asks puts it there.
  std::filesystem::path next();
  // Of an arena: the message of each result that is in one of them, by its sequence.
  [[nodiscard]] std::map<uint64_t, std::string> results(ArenaId arena) const;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> files_;
};

// The results of an arena in this file; none if it cannot be read.
std::map<uint64_t, std::string> results_in(const std::filesystem::path& database, ArenaId arena);
// An arena as it stands in the tables: big-endian.
std::string database_key(ArenaId arena);

}  // namespace arenad::chaos
