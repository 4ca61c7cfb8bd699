#include "chaos/faults/database_file.h"

#include <csignal>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "chaos/faults/control_socket.h"
#include "chaos/faults/patience.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"
#include "ipc/control_client.h"
#include "ipc/process.h"

namespace arenad::chaos {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTakenDatabase = "taken database";
constexpr int kLockBusyMs = 2000;
constexpr uint64_t kLastBreathNs = 5 * kSecond;

fs::path database_of(const Stage& stage) {
  return stage.rig().folder() / "state/arenad.db";
}

ino_t inode_of(const fs::path& path) {
  struct stat facts {};
  return ::stat(path.c_str(), &facts) == 0 ? facts.st_ino : 0;
}

Error sqlite_error(const char* what, sqlite3* db) {
  return make_error(ErrorCode::failed, std::string(what) + ": " + sqlite3_errmsg(db));
}

// 0: there is none.
uintmax_t bytes_of_wal(const fs::path& database) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(database.string() + "-wal", error);
  return error ? 0 : bytes;
}

// Of a file that may have no name any more.
Result<void> copy_file(const Fd& from, const fs::path& to) {
  const Fd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!target) return errno_error("cannot make " + to.string());
  off_t at = 0;
  for (;;) {
    const ssize_t copied = ::sendfile(target.get(), from.get(), &at, size_t{1} << 20);
    if (copied < 0) return errno_error("cannot copy the database");
    if (copied == 0) return {};
  }
}

// What arenad has moved aside. The -wal of the database that was taken belongs to it.
void clear_what_is_aside(const Stage& stage, const fs::path& wal_goes_to) {
  std::error_code error;
  std::vector<fs::path> aside;
  for (const auto& entry : fs::directory_iterator(database_of(stage).parent_path(), error)) {
    if (entry.path().filename().string().starts_with("arenad.db.damaged-")) aside.push_back(entry.path());
  }
  for (const fs::path& path : aside) {
    if (!wal_goes_to.empty() && path.string().ends_with("-wal")) fs::rename(path, wal_goes_to, error);
    fs::remove(path, error);
  }
}

struct TakenDatabase {
  Fd file;  // of which what was stored is still to be kept; nothing: it is
  ino_t inode = 0;
  std::optional<ControlClient> asks;  // for what is in it
  std::vector<uint64_t> waiting;      // questions without an answer
};

std::shared_ptr<TakenDatabase> taken_database(const Stage& stage, const Strike& strike) {
  return std::static_pointer_cast<TakenDatabase>(stage.prop(kTakenDatabase, strike.arena));
}

// All of it is in the file, its -wal is empty, and nobody else writes.
Result<std::shared_ptr<sqlite3>> lock_whole_database(Stage& stage) {
  const fs::path path = database_of(stage);
  std::shared_ptr<sqlite3> db;
  const auto is_whole = [&] {
    db = open_database(path);
    if (sqlite3_wal_checkpoint_v2(db.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, nullptr, nullptr) != SQLITE_OK) return false;
    return execute(db.get(), "BEGIN IMMEDIATE").ok() && bytes_of_wal(path) == 0;
  };
  if (auto whole = wait_until(stage, "a moment in which all is in the database's file", is_whole); !whole) return whole.error();
  return db;
}

// Answers come when it can read; nobody waits for them.
void ask_for_what_is_stored(const Stage& stage, TakenDatabase& taken) {
  const auto post = [&](const std::function<void(wire::Request::Builder)>& fill) {
    if (auto posted = taken.asks->post(fill, {})) taken.waiting.push_back(*posted);
  };
  if (taken.asks && !taken.asks->poll()) taken.asks.reset();
  if (!taken.asks) {
    taken.waiting.clear();
    if (auto control = ControlClient::connect(stage.rig().socket())) taken.asks.emplace(std::move(*control));
    if (!taken.asks) return;
  }
  std::erase_if(taken.waiting, [&](uint64_t request) { return taken.asks->take_reply(request).has_value(); });
  if (!taken.waiting.empty()) return;
  post([](wire::Request::Builder request) { request.initCrashes().initSelection().setAll(true); });
  post([](wire::Request::Builder request) { request.initHistory().setLimit(10); });
  for (const Stage::Arena& arena : stage.arenas()) {
    post([&](wire::Request::Builder request) { request.setResults(arena.id.text()); });
  }
}

Result<void> kill_arenad_for_good(Stage& stage) {
  auto arenad = open_pidfd(stage.rig().arenad());
  if (!arenad) return make_error(ErrorCode::unreachable, "there is no arenad at the moment");
  send_signal(*arenad, SIGKILL);
  for (const uint64_t deadline_ns = monotonic_ns() + kLastBreathNs; !has_ended(*arenad); ::usleep(100)) {
    if (monotonic_ns() > deadline_ns) return make_error(ErrorCode::timeout, "arenad does not end by SIGKILL");
  }
  return {};
}

std::function<Result<void>(Stage&, const Strike&)> takes_database(Deed deed) {
  return [deed = std::move(deed)](Stage& stage, const Strike& strike) -> Result<void> {
    const fs::path path = database_of(stage);
    auto taken = std::make_shared<TakenDatabase>();
    taken->file = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    taken->inode = inode_of(path);
    if (!taken->file || taken->inode == 0) return errno_error("cannot open the database");
    Random random(strike.draw, "database");
    if (auto done = deed(path, random); !done) return done;
    stage.prop(kTakenDatabase, strike.arena) = std::move(taken);
    return disk_becomes_well(stage, strike);
  };
}

std::function<Result<void>(Stage&, const Strike&)> damages_database(Deed deed) {
  return [deed = std::move(deed)](Stage& stage, const Strike& strike) -> Result<void> {
    const fs::path path = database_of(stage);
    auto locked = lock_whole_database(stage);
    if (!locked) return locked.error();
    if (auto kept = copy_database(path, stage.former_databases().next()); !kept) return kept;
    // When this is committed, whoever has parts of it in memory reads them again.
    if (auto changed = execute(locked->get(), "UPDATE store SET commits = commits + 1"); !changed) return changed;
    auto taken = std::make_shared<TakenDatabase>();
    taken->inode = inode_of(path);
    Random random(strike.draw, "database");
    if (auto done = deed(path, random); !done) return done;
    if (auto committed = execute(locked->get(), "COMMIT"); !committed) return committed;
    stage.prop(kTakenDatabase, strike.arena) = std::move(taken);
    return disk_becomes_well(stage, strike);
  };
}

bool damage_is_found(const Stage& stage, const Strike& strike) {
  const auto taken = taken_database(stage, strike);
  if (taken == nullptr) return false;
  if (!another_database_is_there(stage, strike)) {
    ask_for_what_is_stored(stage, *taken);
    return false;
  }
  taken->asks.reset();
  return true;
}

std::function<Result<void>(Stage&, const Strike&)> kills_arenad_and_spoils_database(Deed deed) {
  return [deed = std::move(deed)](Stage& stage, const Strike& strike) -> Result<void> {
    const fs::path path = database_of(stage);
    if (auto stopped = signal_keeper(stage, SIGSTOP); !stopped) return stopped;
    Random random(strike.draw, "database");
    Result<void> done = kill_arenad_for_good(stage);
    if (done) done = copy_database(path, stage.former_databases().next());
    if (done) done = deed(path, random);
    auto goes_on = signal_keeper(stage, SIGCONT);
    if (done) done = goes_on;
    if (done) done = disk_becomes_well(stage, strike);
    return done;
  };
}

}  // namespace

std::shared_ptr<sqlite3> open_database(const fs::path& path) {
  sqlite3* db = nullptr;
  sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  std::shared_ptr<sqlite3> opened(db, sqlite3_close);
  sqlite3_busy_timeout(db, kLockBusyMs);
  // One that has read nothing does not know that there is a -wal, and would do nothing about it.
  sqlite3_exec(db, "PRAGMA schema_version", nullptr, nullptr, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  // Closing would write what is in the -wal into the file, and delete the -wal.
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return opened;
}

std::shared_ptr<sqlite3> open_database(const Stage& stage) {
  return open_database(database_of(stage));
}

Result<std::shared_ptr<sqlite3>> lock_database(const Stage& stage) {
  auto writer = open_database(stage);
  if (sqlite3_exec(writer.get(), "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK)
    return sqlite_error("cannot lock the database", writer.get());
  return writer;
}

Result<void> copy_database(const fs::path& from, const fs::path& to) {
  const auto source = open_database(from);
  const auto target = open_database(to);
  sqlite3_backup* backup = sqlite3_backup_init(target.get(), "main", source.get(), "main");
  if (backup == nullptr) return sqlite_error("cannot copy the database", target.get());
  sqlite3_backup_step(backup, -1);
  if (sqlite3_backup_finish(backup) != SQLITE_OK) return sqlite_error("cannot copy the database", target.get());
  return {};
}

bool another_database_is_there(const Stage& stage, const Strike& strike) {
  const auto taken = taken_database(stage, strike);
  const ino_t now = inode_of(database_of(stage));
  return taken != nullptr && now != 0 && now != taken->inode;
}

bool database_is_made_up_for(Stage& stage, const Strike& strike) {
  if (!is_made_up_for_everywhere(stage)) return false;
  // A checkpoint may be there before its arena is: an arenad that died now would know no arena.
  auto arenas = number_from(open_database(stage).get(), "SELECT count(*) FROM arenas");
  if (!arenas || *arenas < static_cast<int64_t>(stage.arenas().size())) return false;
  const auto taken = taken_database(stage, strike);
  fs::path former;
  const bool is_to_be_kept = taken && taken->file;
  if (is_to_be_kept) {
    former = stage.former_databases().next();
    (void)copy_file(taken->file, former);
  }
  stage.prop(kTakenDatabase, strike.arena).reset();
  clear_what_is_aside(stage, is_to_be_kept ? fs::path(former.string() + "-wal") : fs::path());
  return true;
}

Fault database_taken(const char* name, const char* does, const char* holds, Deed deed) {
  return {.name = name,
          .does = does,
          .holds = holds,
          .uses = "disk",
          .alone = true,
          .takes_database = true,
          .prepare = wait_for_arenad,
          .inject = takes_database(std::move(deed)),
          .fired = another_database_is_there,
          .plays_on = 20,
          .settled = database_is_made_up_for};
}

Fault database_damaged(const char* name, const char* does, const char* holds, Deed deed) {
  Fault fault = database_taken(name, does, holds, {});
  fault.inject = damages_database(std::move(deed));
  fault.fired = damage_is_found;
  return fault;
}

Fault database_spoiled(const char* name, const char* does, const char* holds, Deed deed) {
  return {.name = name,
          .does = does,
          .holds = holds,
          .arenad = Ends::must,
          .uses = "disk",
          .alone = true,
          .takes_database = true,
          .prepare = wait_for_arenad,
          .inject = kills_arenad_and_spoils_database(std::move(deed)),
          .plays_on = 20,
          .settled = database_is_made_up_for};
}

Result<void> execute(sqlite3* db, const std::string& sql) {
  if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return sqlite_error("the database refuses it", db);
  return {};
}

Result<int64_t> number_from(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  int64_t number = 0;
  int code = sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
  if (code == SQLITE_OK) code = sqlite3_step(statement);
  if (code == SQLITE_ROW) number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  if (code != SQLITE_ROW) return sqlite_error("the database does not say", db);
  return number;
}

Result<void> overwrite(const fs::path& file, uint64_t offset, size_t bytes, Random& random) {
  const Fd opened(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  const std::string garbage = random_bytes(random, bytes);
  if (!opened ||
      ::pwrite(opened.get(), garbage.data(), garbage.size(), static_cast<off_t>(offset)) != static_cast<ssize_t>(bytes))
    return errno_error("cannot write to " + file.string());
  return {};
}

}  // namespace arenad::chaos
