// One connection to the database, from a path to a closed file. Store makes it, drops it once it is suspect, and decides what
// becomes of a file that did not pass. No file is moved here, and only what looks like damage is
// looked at twice.
//
// Opening goes in steps, so that each may trust what the ones before it have established:
//
//   open_file, harden     the file can be written, and nothing that stands in it makes SQLite do more than keep rows
//   recognise             it is new, or Arenad's and of a version that this build knows
//   check_content         its pages and rows are sound
//   check_wal, use_wal    the -wal beside it is its own, and is used
//   renew_wal             what stands in it is on the disk, also if a sync had failed
//   migrate               it has the newest version
//   prepare_statements    its tables are the ones that the statements are for
//   learn_identity        which database it is
//   sweep_orphans         every checkpoint has an arena
//   count_incidents       how many there are is known without counting
//
// Invariants: a write is there in whole when it returns ok, and in part never. After an error that casts doubt on what SQLite
// believes about the file, is_suspect() holds for good.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arenad/result.h"
#include "state/history_tables.h"
#include "state/incident_tables.h"
#include "state/lifecycle_tables.h"
#include "state/records.h"
#include "state/result_tables.h"
#include "state/rollout_tables.h"
#include "state/sqlite.h"
#include "state/store_options.h"
#include "state/store_tables.h"

namespace arenad {

class StoreConnection {
 public:
  // ErrorCode::corrupt means that the file is damaged or no database of Arenad, and nothing else does.
  static Result<std::unique_ptr<StoreConnection>> open(const std::string& path, const StoreOptions& options, Scrutiny scrutiny);
  StoreConnection(const StoreConnection&) = delete;
  StoreConnection& operator=(const StoreConnection&) = delete;
  ~StoreConnection();

  [[nodiscard]] bool is_suspect() const { return trust_ == Trust::suspect; }
  [[nodiscard]] bool file_has_moved() const;
  // Of the database, for as long as it exists.
  [[nodiscard]] const std::string& identity() const { return identity_; }

  Result<void> write(const StoreBatch& batch);

  Result<std::vector<ArenaRecord>> arenas(const OnDamage& on_damage);
  Result<std::vector<GameRecord>> games();
  Result<std::vector<RolloutRecord>> rollouts();
  Result<std::vector<RolloutArenaRecord>> rollout_arenas(uint64_t rollout);
  Result<std::vector<CheckpointRecord>> checkpoints(ArenaId arena, const OnDamage& on_damage);
  Result<std::vector<ResultRecord>> results(ArenaId arena);
  Result<std::optional<uint64_t>> latest_results_sequence(ArenaId arena);
  Result<ResultPage> result_page(const ResultQuery& query);
  Result<std::optional<std::string>> result_types(uint64_t id, const OnDamage& on_damage);
  Result<std::vector<IncidentRecord>> incidents(std::optional<ArenaId> arena, IncidentScope scope, size_t newest,
                                                const OnDamage& on_damage);
  Result<std::vector<IncidentRecord>> slow_frames(uint64_t before, size_t newest, const OnDamage& on_damage);
  Result<std::optional<IncidentRecord>> incident(uint64_t id, const OnDamage& on_damage);
  Result<uint64_t> latest_incident();
  Result<std::vector<QuarantineRecord>> quarantined(std::optional<ArenaId> arena, const OnDamage& on_damage);
  Result<std::optional<QuarantineRecord>> quarantined_event(uint64_t id, const OnDamage& on_damage);
  Result<uint64_t> latest_quarantined();
  Result<std::vector<CommandRecord>> commands(uint64_t newest);
  Result<uint64_t> latest_command();
  Result<std::vector<LifecycleRecord>> lifecycle();

 private:
  enum class Trust {
    unproven,  // being opened: closing leaves the -wal, which may be evidence
    sound,     // closing moves the -wal into the file
    suspect,   // after an I/O error: closing leaves the -wal for the next connection to judge
  };

  void let_go_of_pages();
  StoreConnection(std::string path, Scrutiny scrutiny) : path_(std::move(path)), scrutiny_(scrutiny) {}

  // The steps of opening, all of them, and each in their order.
  Result<void> take_steps(const StoreOptions& options);
  Result<void> open_file(const StoreOptions& options);
  Result<void> harden(const StoreOptions& options);
  Result<void> recognise(const StoreOptions& options);
  Result<void> check_content(const StoreOptions& options);
  Result<void> check_wal(const StoreOptions& options);
  Result<void> use_wal(const StoreOptions& options);
  Result<void> renew_wal(const StoreOptions& options);
  Result<void> migrate(const StoreOptions& options);
  Result<void> prepare_statements(const StoreOptions& options);
  Result<void> learn_identity(const StoreOptions& options);
  Result<void> sweep_orphans(const StoreOptions& options);
  Result<void> count_incidents(const StoreOptions& options);

  int apply(const Migration& migration);

  Error error(int code, const char* doing);
  // While the content is judged: what SQLite does not understand is damage, too.
  Error judgement(int code, const char* doing);

  std::string path_;
  Scrutiny scrutiny_;
  sqlite::Database db_;
  Trust trust_ = Trust::unproven;
  int64_t version_ = 0;
  std::string identity_;
  StoreTables tables_;  // its statements end before db_
  ResultTables result_tables_;
  RolloutTables rollout_tables_;
  IncidentTables incident_tables_;
  HistoryTables history_tables_;
  LifecycleTables lifecycle_tables_;
};

}  // namespace arenad
