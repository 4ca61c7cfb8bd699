// What the durable state is made of: one struct for each kind of row, and the batch in which rows are written. Plain values;
// where and how they are kept is store.h.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arenad/ids.h"

namespace arenad {

// How an arena stands, as far as it must be known after the machine has died.
enum class ArenaDisposition {
  running,  // has, or is about to get, a live incarnation
  saved,    // as running, but arenad stopped in order: its last checkpoint is all that it was
  stopped,  // put down by an operator; can be started again from its checkpoints
  ended,    // its match is over
  failed,   // its restart budget is used up; all of its state is kept
  lost,     // no rung of the recovery ladder held; its state is gone
};

// Also the words in the database, so they never change.
constexpr const char* to_string(ArenaDisposition disposition) {
  switch (disposition) {
    case ArenaDisposition::running:
      return "running";
    case ArenaDisposition::saved:
      return "saved";
    case ArenaDisposition::stopped:
      return "stopped";
    case ArenaDisposition::ended:
      return "ended";
    case ArenaDisposition::failed:
      return "failed";
    case ArenaDisposition::lost:
      return "lost";
  }
  return "?";
}

struct ArenaRecord {
  ArenaId id;
  std::string name;
  std::string game;
  std::string module_path;
  std::vector<std::pair<std::string, std::string>> params;  // in the order in which they were given
  ArenaDisposition disposition = ArenaDisposition::running;
  uint64_t epoch = 0;
  int64_t created_unix_ms = 0;
  int64_t changed_unix_ms = 0;
  std::string reason;  // why it is in this disposition, for people
  uint64_t restarts = 0;

  bool operator==(const ArenaRecord&) const = default;
};

struct CheckpointRecord {
  ArenaId arena;
  Epoch epoch;
  FrameNumber frame;
  int64_t taken_unix_ms = 0;
  std::string bytes;  // a snapshot that describes itself; opaque here

  bool operator==(const CheckpointRecord&) const = default;
};

struct ResultRecord {
  ArenaId arena;
  uint64_t sequence = 0;  // counts an arena's results, across its epochs
  uint32_t seat = 0;
  uint64_t type = 0;
  std::string bytes;
  int64_t recorded_unix_ms = 0;

  bool operator==(const ResultRecord&) const = default;
};

// What one transaction writes, in the order of its members: an arena that is both forgotten and written in one batch is
// afterwards there, with nothing from before. Writing the same batch twice has the effect of writing it once.
struct StoreBatch {
  std::vector<ArenaId> forgotten;             // row and checkpoints go, results stay
  std::vector<ArenaRecord> arenas;            // inserted, or replace the row of the same id
  std::vector<CheckpointRecord> checkpoints;  // the two newest of each arena stay
  std::vector<ResultRecord> results;          // the first of a sequence stays

  [[nodiscard]] bool empty() const { return forgotten.empty() && arenas.empty() && checkpoints.empty() && results.empty(); }
};

}  // namespace arenad
