#include "chaos/faults/database_file.h"

#include <csignal>
#include <fcntl.h>
#include <memory>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "chaos/faults/control_socket.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/faults/signals.h"
#include "chaos/stage.h"
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

std::shared_ptr<sqlite3> open_database(const fs::path& path) {
  sqlite3* db = nullptr;
  sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  std::shared_ptr<sqlite3> opened(db, sqlite3_close);
  sqlite3_busy_timeout(db, kLockBusyMs);
  // One that has read nothing does not know that there is a -wal, and would do nothing about it.
  sqlite3_exec(db, "PRAGMA schema_version", nullptr, nullptr, nullptr);
  // Closing would write what is in the -wal into the file, and delete the -wal.
  sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return opened;
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
  Fd file;
  ino_t inode = 0;
};

std::shared_ptr<TakenDatabase> taken_database(const Stage& stage, const Strike& strike) {
  return std::static_pointer_cast<TakenDatabase>(stage.prop(kTakenDatabase, strike.arena));
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

}  // namespace

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

std::function<Result<void>(Stage&, const Strike&)> spoils_database_and_kills_arenad(Deed deed) {
  return [deed = std::move(deed)](Stage& stage, const Strike& strike) -> Result<void> {
    const fs::path path = database_of(stage);
    const auto lock = lock_database(stage);
    if (!lock) return lock.error();
    const fs::path kept = stage.former_databases().next();
    if (auto copied = copy_database(path, kept); !copied) return copied;
    Random random(strike.draw, "database");
    if (auto done = deed(path, random); !done) return done;
    stage.prop(kTakenDatabase, strike.arena).reset();
    (void)disk_becomes_well(stage, strike);
    return kill_arenad_for_good(stage);
  };
}

bool another_database_is_there(const Stage& stage, const Strike& strike) {
  const auto taken = taken_database(stage, strike);
  const ino_t now = inode_of(database_of(stage));
  return taken != nullptr && now != 0 && now != taken->inode;
}

bool database_is_made_up_for(Stage& stage, const Strike& strike) {
  if (!is_made_up_for(stage, strike)) return false;
  const auto taken = taken_database(stage, strike);
  fs::path former;
  if (taken) {
    former = stage.former_databases().next();
    (void)copy_file(taken->file, former);
    stage.prop(kTakenDatabase, strike.arena).reset();
  }
  clear_what_is_aside(stage, taken ? fs::path(former.string() + "-wal") : fs::path());
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

Fault database_spoiled(const char* name, const char* does, const char* holds, Deed deed) {
  return {.name = name,
          .does = does,
          .holds = holds,
          .arenad = Ends::must,
          .uses = "disk",
          .alone = true,
          .takes_database = true,
          .prepare = wait_for_arenad,
          .inject = spoils_database_and_kills_arenad(std::move(deed)),
          .plays_on = 20,
          .settled = database_is_made_up_for};
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
