// That the database holds what arenad says that it holds, and is whole. Read by SQLite alone, over connections of this process.
//
// While the run goes on: of an arena of which arenad says that a frame is durable, the file has a checkpoint of that frame or a later one.
// When all has ended: every page and every index is right, every row refers to one that is there, the schema is of the version it was, and
// every arena has a last checkpoint, and its results without a gap.
#include <fmt/format.h>

#include <sqlite3.h>

#include "chaos/checkers/catalogue.h"
#include "chaos/former_databases.h"
#include "chaos/status_client.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kLookEveryNs = 30 * kMillisecond;
constexpr int kBusyMs = 2000;

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) {
    if (sqlite3_open_v2(path.c_str(), &db_, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) sqlite3_busy_timeout(db_, kBusyMs);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() { sqlite3_close(db_); }

  // The rows' first columns, as text. ?1 is the arena.
  std::vector<std::string> rows(const char* sql, const std::string& arena = {}) {
    std::vector<std::string> found;
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) == SQLITE_OK) {
      if (!arena.empty()) sqlite3_bind_blob(statement, 1, arena.data(), static_cast<int>(arena.size()), SQLITE_TRANSIENT);
      while (sqlite3_step(statement) == SQLITE_ROW) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        found.emplace_back(text == nullptr ? "" : text);
      }
    }
    if (sqlite3_finalize(statement) != SQLITE_OK || statement == nullptr) error_ = sqlite3_errmsg(db_);
    return found;
  }
  uint64_t number(const char* sql, const std::string& arena = {}) {
    const auto found = rows(sql, arena);
    return found.empty() || found[0].empty() ? 0 : std::stoull(found[0]);
  }
  // Empty: all could be read so far.
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  sqlite3* db_ = nullptr;
  std::string error_;
};

class Database : public Checker {
 public:
  void begins(Scene& scene) override {
    path_ = scene.stage.rig().folder() / "state/arenad.db";
    client_.emplace(scene.stage.rig().socket());
    (void)client_->ask(scene.stage.arenas()[0].id);  // its connection is not one that a fault has left
    told_durable_.resize(scene.stage.arenas().size());
    version_ = Reader(path_).number("PRAGMA user_version");
  }

  void looks(Scene& scene) override {
    if (monotonic_ns() - looked_ns_ < kLookEveryNs) return;
    looked_ns_ = monotonic_ns();
    next_ = (next_ + 1) % told_durable_.size();
    // What arenad has called durable is gone with its database.
    if (scene.database_concerned) return told_durable_.assign(told_durable_.size(), 0);
    const ArenaId id = scene.stage.arenas()[next_].id;
    const auto told = client_->ask(id);
    if (!told || told->durable_frame == 0) return;
    told_durable_[next_] = told->durable_frame;
    look_at_checkpoint(scene, next_);
  }

  void at_rest(Scene& scene) override {
    for (size_t arena = 0; arena < told_durable_.size(); ++arena) epochs_.push_back(scene.stage.epoch(arena));
  }

  void all_has_ended(Scene& scene) override {
    Reader reader(path_);
    for (const std::string& verdict : reader.rows("PRAGMA integrity_check")) {
      if (verdict != "ok") scene.violated(Invariant::database, "it is damaged: " + verdict);
    }
    for (const std::string& table : reader.rows("PRAGMA foreign_key_check"))
      scene.violated(Invariant::database, "a row of " + table + " refers to one that is not there");
    const uint64_t version = reader.number("PRAGMA user_version");
    if (version == 0 || version != version_)
      scene.violated(Invariant::database, fmt::format("its version is {} and was {}", version, version_));
    if (!reader.error().empty()) scene.violated(Invariant::database, "it cannot be read: " + reader.error());
    scene.invariants.holds(Invariant::database);
    for (size_t arena = 0; arena < told_durable_.size(); ++arena) {
      look_at_checkpoint(scene, arena);
      look_at_rows(scene, reader, arena);
    }
  }

 private:
  void look_at_checkpoint(Scene& scene, size_t arena) {
    Reader reader(path_);
    const uint64_t newest =
        reader.number("SELECT max(frame) FROM checkpoints WHERE arena = ?1", database_key(scene.stage.arenas()[arena].id));
    // It was busy, or is being replaced: that is looked at when all has ended.
    if (!reader.error().empty()) return;
    scene.invariants.holds(Invariant::database);
    if (newest >= told_durable_[arena]) return;
    scene.violated(Invariant::database, arena,
                   fmt::format("arenad has said that frame {} is durable, and the newest checkpoint in the file is of frame {}",
                               told_durable_[arena], newest));
  }

  void look_at_rows(Scene& scene, Reader& reader, size_t arena) const {
    const std::string key = database_key(scene.stage.arenas()[arena].id);
    const auto epoch = reader.number("SELECT epoch FROM arenas WHERE id = ?1", key);
    if (arena < epochs_.size() && epoch != epochs_[arena])
      scene.violated(Invariant::database, arena, fmt::format("its epoch was {}, and the file says {}", epochs_[arena], epoch));
    const uint64_t checkpoints = reader.number("SELECT count(*) FROM checkpoints WHERE arena = ?1", key);
    if (checkpoints == 0 || checkpoints > 2)
      scene.violated(Invariant::database, arena, fmt::format("it has {} checkpoints", checkpoints));
    // What was stored in a file that a fault has taken away is not in this one.
    auto results = scene.stage.former_databases().results(scene.stage.arenas()[arena].id);
    results.merge(results_in(path_, scene.stage.arenas()[arena].id));
    const uint64_t last = results.empty() ? 0 : results.rbegin()->first;
    if (results.size() != last)
      scene.violated(Invariant::database, arena,
                     fmt::format("it has {} results, the last of which is {}", results.size(), last));
    scene.invariants.holds(Invariant::database);
  }

  std::filesystem::path path_;
  std::optional<StatusClient> client_;
  std::vector<uint64_t> told_durable_;  // by arena
  std::vector<uint64_t> epochs_;        // by arena, at rest
  uint64_t version_ = 0;
  size_t next_ = 0;
  uint64_t looked_ns_ = 0;
};

}  // namespace

std::unique_ptr<Checker> database() {
  return std::make_unique<Database>();
}

}  // namespace arenad::chaos
