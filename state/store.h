// The durable state: one SQLite database, one connection. Blocking; lives on the store thread (store_thread.h) and is used by
// one thread at a time.
//
//   found at open()                                   what happens
//   nothing                                           a new database
//   a database of this or an older version            checked, migrated and used
//   a database of a newer Arenad                      refused; the file is left alone
//   damage, another program's database, no database   moved aside with -wal and -shm; a new one; a notice
//   an empty file                                     a new database in it; a notice
//   a folder, a device, no right to write, a lock,    an error; the file is left alone
//   no memory, no disk space, an I/O error
//
// After an I/O error, or when the file proves damaged or has been moved away from under it, the store closes its connection
// without a checkpoint and the next call goes through open() again: an fsync that failed once is never taken for clean later.
//
// Invariants: a commit that returned ok survives the death of the machine. A commit that failed is unknown: it may be there or
// not, so the same batch is committed again, which is always safe. Reading never returns bytes that fail their checksum.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "state/records.h"
#include "state/store_options.h"

namespace arenad {

class StoreConnection;

class Store {
 public:
  struct Opened;

  // Errors: refused (written by a newer Arenad), invalid (no regular file), else as commit().
  static Result<Opened> open(const std::string& path, const StoreOptions& options = {});

  Store(Store&& other) noexcept;
  Store& operator=(Store&& other) noexcept;
  ~Store();  // closes with a checkpoint of the -wal, if the connection is sound

  // One transaction. Errors: invalid (never try it again), exhausted (no disk space or memory), corrupt, failed.
  Result<void> commit(const StoreBatch& batch);

  // All arenas, oldest first.
  Result<std::vector<ArenaRecord>> arenas();
  // By name.
  Result<std::vector<GameRecord>> games();
  // By game.
  Result<std::vector<RolloutRecord>> rollouts();
  // In the order in which they come.
  Result<std::vector<RolloutArenaRecord>> rollout_arenas(uint64_t rollout);
  // Newest first, that is by epoch, then frame. Rows that fail their checksum are skipped, counted and noticed.
  Result<std::vector<CheckpointRecord>> checkpoints(ArenaId arena);
  // By sequence.
  Result<std::vector<ResultRecord>> results(ArenaId arena);
  // Nothing if the arena has no results.
  Result<std::optional<uint64_t>> latest_results_sequence(ArenaId arena);
  // Newest first; a bounded number of rows is looked at, and the page may be empty although there are more.
  Result<ResultPage> result_page(const ResultQuery& query);
  // Nothing if there are none of that id. Damaged ones are skipped as above.
  Result<std::optional<std::string>> result_types(uint64_t id);

  // Newest first, at most so many. Of all arenas, forgotten ones too, if none is named. Damaged rows are skipped as above.
  Result<std::vector<IncidentRecord>> incidents(std::optional<ArenaId> arena, IncidentScope scope, size_t newest);
  Result<std::optional<IncidentRecord>> incident(uint64_t id);
  // The newest so many of those with lower ids, of all arenas.
  Result<std::vector<IncidentRecord>> slow_frames(uint64_t before, size_t newest);
  // Newest first; of all arenas if none is named. Damaged rows are skipped as above.
  Result<std::vector<QuarantineRecord>> quarantined(std::optional<ArenaId> arena);
  Result<std::optional<QuarantineRecord>> quarantined_event(uint64_t id);
  // The highest id that was ever used, also if its row is gone; 0: none was.
  Result<uint64_t> latest_incident();
  Result<uint64_t> latest_quarantined();
  // Newest first, at most so many.
  Result<std::vector<CommandRecord>> commands(uint64_t newest);
  // 0: there is none. The newest is never forgotten.
  Result<uint64_t> latest_command();
  // By number: all that are kept.
  Result<std::vector<LifecycleRecord>> lifecycle();

  // What the operator must hear of and no error says, since the last call.
  std::vector<std::string> take_notices();
  [[nodiscard]] uint64_t skipped_rows() const { return skipped_rows_; }
  // How often since open() another file took the place of the one in use: after each, what must be durable has to be written
  // again. The first transaction there has the arenas that go on all the same: an arenad that found a database which does not know
  // them would end them.
  [[nodiscard]] uint64_t replacements() const { return replacements_; }

 private:
  Store(std::string path, const StoreOptions& options);

  Result<void> connect();
  Result<void> ensure_connected();
  template <class Reading>
  auto read(Reading reading);
  Result<void> leave_moved_file();
  Result<void> judge_short_file();
  Result<void> move_damage_aside(const std::string& damage);
  [[nodiscard]] StoreBatch with_all_that_go_on(StoreBatch batch) const;
  void remember(const ArenaRecord& arena);
  Error drop_if_suspect(Error error);
  void skip_row(const std::string& what);
  void notice(std::string text);

  std::string path_;
  StoreOptions options_;
  std::unique_ptr<StoreConnection> connection_;  // none between a failure and the next call
  std::string identity_;                         // of the database last used
  Scrutiny next_scrutiny_ = Scrutiny::quick;
  std::vector<std::string> notices_;
  uint64_t skipped_rows_ = 0;
  uint64_t replacements_ = 0;
  std::map<ArenaId, ArenaRecord> going_on_;  // as they were written or read last
  uint64_t replacements_before_ = 0;         // when it was last committed
};

struct Store::Opened {
  Store store;
  // What was wrong with the file and where it is now; to be logged loudly.
  std::optional<std::string> notice;
};

}  // namespace arenad
