#include "tests/support/store_steps.h"

#include <algorithm>

#include <sqlite3.h>

#include "tests/support/seed.h"

namespace arenad::test {
namespace {

constexpr uint64_t kArenas = 3;

ArenaId lasting_id(uint64_t n) {
  return {.high = 0x0191'0000'0000'0000 + n, .low = n};
}

ArenaId passing_id(uint64_t step) {
  return {.high = 0x0192'0000'0000'0000 + step, .low = step};
}

std::string bytes_of(uint64_t n, uint64_t step, size_t size) {
  std::string bytes;
  for (uint64_t i = 0; bytes.size() < size; ++i) {
    const uint64_t word = mix(n * 1000 + step, i);
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return bytes;
}

ArenaRecord arena_of(ArenaId id, uint64_t step) {
  ArenaRecord arena;
  arena.id = id;
  arena.name = id.text();
  arena.game = "tanks";
  arena.params = {{"step", std::to_string(step)}};
  arena.epoch = step;
  return arena;
}

CheckpointRecord checkpoint_of(uint64_t n, uint64_t step) {
  return {.arena = lasting_id(n),
          .epoch = {1},
          .frame = {step},
          .taken_unix_ms = static_cast<int64_t>(step),
          .bytes = bytes_of(n, step, 700 * n * n)};
}

ResultRecord result_of(uint64_t n, uint64_t step) {
  return {.arena = lasting_id(n),
          .sequence = step,
          .seat = static_cast<uint32_t>(n),
          .type = step,
          .bytes = bytes_of(n, step, 40),
          .recorded_unix_ms = static_cast<int64_t>(step)};
}

std::string integrity_of(const std::string& path) {
  sqlite3* db = nullptr;
  std::string verdict;
  const auto keep = [](void* into, int, char** values, char**) {
    *static_cast<std::string*>(into) += values[0] == nullptr ? "NULL" : values[0];
    return 0;
  };
  int code = sqlite3_open(path.c_str(), &db);
  if (code == SQLITE_OK) code = sqlite3_exec(db, "PRAGMA integrity_check", keep, &verdict, nullptr);
  if (code != SQLITE_OK) verdict = sqlite3_errmsg(db);
  sqlite3_close(db);
  return verdict;
}

std::string differs(const std::string& what, uint64_t steps) {
  return what + " are not those of step " + std::to_string(steps);
}

std::string complaint_about(Store& store, uint64_t steps) {
  std::vector<ArenaRecord> arenas;
  if (steps > 0) {
    for (uint64_t n = 1; n <= kArenas; ++n) arenas.push_back(arena_of(lasting_id(n), steps));
    arenas.push_back(arena_of(passing_id(steps), steps));
  }
  auto found = store.arenas();
  if (!found) return found.error().text();
  if (*found != arenas) return differs("the arenas", steps);
  for (uint64_t n = 1; n <= kArenas; ++n) {
    std::vector<CheckpointRecord> newest;
    for (uint64_t step = steps; step > 0 && newest.size() < 2; --step) newest.push_back(checkpoint_of(n, step));
    auto checkpoints = store.checkpoints(lasting_id(n));
    if (!checkpoints) return checkpoints.error().text();
    if (*checkpoints != newest) return differs("the checkpoints", steps);
    std::vector<ResultRecord> all;
    for (uint64_t step = 1; step <= steps; ++step) all.push_back(result_of(n, step));
    auto results = store.results(lasting_id(n));
    if (!results) return results.error().text();
    if (*results != all) return differs("the results", steps);
  }
  return {};
}

}  // namespace

StoreBatch step_batch(uint64_t step) {
  StoreBatch batch;
  if (step > 1) batch.forgotten.push_back(passing_id(step - 1));
  for (uint64_t n = 1; n <= kArenas; ++n) {
    batch.arenas.push_back(arena_of(lasting_id(n), step));
    batch.checkpoints.push_back(checkpoint_of(n, step));
    batch.results.push_back(result_of(n, step));
  }
  batch.arenas.push_back(arena_of(passing_id(step), step));
  return batch;
}

Found look_at(const std::string& path) {
  auto opened = Store::open(path);
  if (!opened) return {0, "it does not open: " + opened.error().text(), {}};
  Store& store = opened->store;
  auto latest = store.latest_results_sequence(lasting_id(1));
  if (!latest) return {0, latest.error().text(), {}};
  Found found{latest->value_or(0), complaint_about(store, latest->value_or(0)), opened->notice.value_or("")};
  if (found.complaint.empty() && store.skipped_rows() != 0) found.complaint = "rows are damaged";
  if (found.complaint.empty()) {
    if (const std::string integrity = integrity_of(path); integrity != "ok") found.complaint = integrity;
  }
  return found;
}

std::string fault_of(const Found& found, uint64_t acknowledged, uint64_t attempted) {
  if (!found.complaint.empty()) return found.complaint;
  const std::string counts = std::to_string(found.steps) + " steps are there, " + std::to_string(acknowledged) +
                             " were acknowledged, " + std::to_string(attempted) + " attempted";
  // Of a new database that was never finished it may say that it found an empty file.
  if (!found.notice.empty() && acknowledged > 0) return found.notice;
  if (found.steps < acknowledged) return "lost: " + counts;
  if (found.steps > attempted) return "invented: " + counts;
  return {};
}

}  // namespace arenad::test
