// A batch that is refused for the sake of some of its records: those alone are not written.
#include "state/salvage.h"

#include <algorithm>
#include <set>
#include <string>

#include <doctest/doctest.h>

#include "tests/support/seed.h"

namespace {

using namespace arenad;

ArenaId id_of(uint64_t n) {
  return {.high = 0x0191'0000'0000'0000 + n, .low = n};
}

StoreBatch batch_of(uint64_t arenas) {
  StoreBatch batch;
  for (uint64_t n = 1; n <= arenas; ++n) {
    ArenaRecord arena;
    arena.id = id_of(n);
    arena.name = "arena-" + std::to_string(n);
    batch.arenas.push_back(arena);
    batch.checkpoints.push_back({.arena = id_of(n), .epoch = {1}, .frame = {n}, .taken_unix_ms = 0, .bytes = "snapshot"});
    ResultRecord result;
    result.arena = id_of(n);
    result.sequence = n;
    batch.results.push_back(result);
    LifecycleRecord event;
    event.number = n;
    event.type = "died";
    batch.lifecycle.push_back(event);
  }
  return batch;
}

// Takes what has none of these rows.
class Database {
 public:
  explicit Database(std::set<RowKey> bad) : bad_(std::move(bad)) {}

  CommitBatch commit() {
    return [this](const StoreBatch& batch) -> Result<void> {
      if (calls_++ == fails_at_) return make_error(ErrorCode::exhausted, "the disk is full");
      for (const RowKey& row : rows_of(batch)) {
        if (bad_.contains(row)) return make_error(ErrorCode::invalid, "no");
      }
      for (const RowKey& row : rows_of(batch)) CHECK(written_.insert(row).second);
      return {};
    };
  }
  void fail_at(uint64_t call) { fails_at_ = call; }
  [[nodiscard]] const std::set<RowKey>& written() const { return written_; }
  [[nodiscard]] uint64_t calls() const { return calls_; }

 private:
  std::set<RowKey> bad_;
  std::set<RowKey> written_;
  uint64_t calls_ = 0;
  uint64_t fails_at_ = UINT64_MAX;
};

std::set<RowKey> set_of(const std::vector<RowKey>& rows) {
  return {rows.begin(), rows.end()};
}

}  // namespace

TEST_CASE("salvage: everything but what is refused, in few tries") {
  constexpr uint64_t kArenas = 1000;
  const auto all = rows_of(batch_of(kArenas));
  CHECK(all.size() == 4 * kArenas);
  const RowKey bad{RowKey::Table::checkpoint, id_of(500), 0};
  Database database({bad});
  const Salvaged salvaged = salvage(batch_of(kArenas), database.commit());
  REQUIRE(salvaged.refused.size() == 1);
  CHECK(salvaged.refused[0].row == bad);
  CHECK(salvaged.refused[0].what == "the checkpoint of frame 500 of arena " + id_of(500).text());
  CHECK(salvaged.refused[0].error.message == "no");
  CHECK_FALSE(salvaged.failure);
  CHECK(salvaged.left.empty());
  std::set<RowKey> good = set_of(all);
  good.erase(bad);
  CHECK(database.written() == good);
  CHECK(database.calls() <= 30);
}

TEST_CASE("salvage: whatever is refused and whenever the disk fails, each record is written, refused or left") {
  test::Random random(test::test_seed());
  for (int round = 0; round < 200; ++round) {
    const StoreBatch batch = batch_of(1 + random.below(12));
    const auto all = rows_of(batch);
    std::set<RowKey> bad;
    for (const RowKey& row : all) {
      if (random.one_in(8)) bad.insert(row);
    }
    Database database(bad);
    database.fail_at(random.below(30));
    const Salvaged salvaged = salvage(batch, database.commit());
    std::vector<RowKey> seen(database.written().begin(), database.written().end());
    for (const RefusedRecord& one : salvaged.refused) {
      CHECK(bad.contains(one.row));
      seen.push_back(one.row);
    }
    const auto left = rows_of(salvaged.left);
    seen.insert(seen.end(), left.begin(), left.end());
    CHECK(left.empty() != salvaged.failure.has_value());
    CHECK(seen.size() == all.size());
    CHECK(set_of(seen) == set_of(all));
  }
}

TEST_CASE("salvage: an entry that has left quarantine stays away, one that comes under another number is there") {
  StoreBatch batch;
  QuarantineRecord used_up;
  used_up.id = 3;
  used_up.arena = id_of(1);
  QuarantineRecord comes = used_up;
  comes.id = 4;
  batch.quarantined = {used_up, comes};
  batch.unquarantined = {2, 3};
  std::vector<StoreBatch> commits;
  const Salvaged salvaged = salvage(batch, [&](const StoreBatch& part) -> Result<void> {
    if (part.quarantined.size() + part.unquarantined.size() > 2) return make_error(ErrorCode::invalid, "too much");
    commits.push_back(part);
    return {};
  });
  CHECK(salvaged.refused.empty());
  REQUIRE_FALSE(commits.empty());
  CHECK(commits.front().unquarantined == std::vector<uint64_t>{2});
  for (const StoreBatch& part : commits) {
    const bool has_entry = std::ranges::find(part.quarantined, uint64_t{3}, &QuarantineRecord::id) != part.quarantined.end();
    const bool lets_go = std::ranges::find(part.unquarantined, uint64_t{3}) != part.unquarantined.end();
    CHECK(has_entry == lets_go);
  }
}
