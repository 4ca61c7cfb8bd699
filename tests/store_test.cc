// The durable store: what it keeps, and what it does about every kind of damage, full disk, lock
// and sudden death.
#include "state/store.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <type_traits>
#include <unistd.h>

#include <doctest/doctest.h>
#include <sqlite3.h>

#include "ipc/limits.h"
#include "tests/support/raw_database.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/why_not.h"

namespace {

using namespace arenad;
using namespace arenad::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

static_assert(std::is_nothrow_move_constructible_v<Store>);
static_assert(!std::is_copy_constructible_v<Store>);

// ---- Records ----

ArenaId id_of(uint64_t n) {
  return {.high = 0x0191'0000'0000'0000 + n, .low = 0xfedc'ba98'7654'3210};
}

ArenaRecord arena_of(uint64_t n) {
  return {.id = id_of(n),
          .name = "arena-" + std::to_string(n),
          .game = "tanks",
          .code = "00112233445566778899aabbccddeeff",
          .params = {{"map", "prokhorovka"}, {"mode", ""}},
          .disposition = ArenaDisposition::running,
          .epoch = n,
          .created_unix_ms = 1'700'000'000'000,
          .changed_unix_ms = 1'700'000'000'500,
          .reason = "",
          .restarts = 0,
          .pinned = n % 2 == 0};
}

CheckpointRecord checkpoint_of(uint64_t n, uint64_t epoch, uint64_t frame, size_t bytes = 300) {
  return {.arena = id_of(n),
          .epoch = {epoch},
          .frame = {frame},
          .taken_unix_ms = static_cast<int64_t>(frame * 50),
          .bytes = std::string(bytes, static_cast<char>('a' + (n + epoch + frame) % 26))};
}

ResultRecord result_of(uint64_t n, uint64_t sequence) {
  return {.arena = id_of(n),
          .sequence = sequence,
          .seat = static_cast<uint32_t>(sequence % 64),
          .type = 0xfedc'ba98'0000'0000 + sequence,
          .bytes = "result " + std::to_string(sequence),
          .recorded_unix_ms = 1'700'000'001'000};
}

IncidentRecord incident_of(uint64_t n, uint64_t step) {
  return {.id = 1'000'000'000 * n + step,
          .arena = id_of(n),
          .epoch = {1},
          .frame = {step},
          .kind = IncidentKind::crash,
          .at_unix_ms = 1'700'000'002'000,
          .report = "report " + std::to_string(step)};
}

QuarantineRecord quarantined_of(uint64_t n, uint64_t step) {
  return {.id = 1'000'000'000 * n + step,
          .arena = id_of(n),
          .channel = {1},
          .sequence = step,
          .seat = static_cast<uint32_t>(step % 64),
          .player = "anna",
          .type = 0xfedc'ba98'0000'0000 + step,
          .frame = {step},
          .at_unix_ms = 1'700'000'002'000,
          .incident = step,
          .bytes = "event " + std::to_string(step)};
}

// Everything that arena n would have written by its step: its row and one of each other kind of record.
StoreBatch step_of(uint64_t n, uint64_t step) {
  return {.forgotten = {},
          .arenas = {arena_of(n)},
          .checkpoints = {checkpoint_of(n, 1, step)},
          .results = {result_of(n, step)},
          .incidents = {incident_of(n, step)},
          .quarantined = {quarantined_of(n, step)},
          .unquarantined = {}};
}

// ---- Files ----

// Names of files that were moved aside, without those of their -wal and -shm.
std::vector<std::string> damaged_in(const TemporaryFolder& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder.path())) {
    const std::string name = entry.path().string();
    if (name.find(".damaged-") == std::string::npos || name.ends_with("-wal")) continue;
    if (!name.ends_with("-shm") && !name.ends_with("-journal")) names.push_back(name);
  }
  return names;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

// ---- Shorthands ----

const StoreOptions kImpatient{.busy_timeout = std::chrono::milliseconds(1)};

Store open_well(const std::string& path, const StoreOptions& options = {}) {
  Result<Store::Opened> opened = Store::open(path, options);
  REQUIRE_MESSAGE(opened.ok(), test::why_not(opened));
  REQUIRE_MESSAGE(!opened->notice, *opened->notice);
  return std::move(opened->store);
}

template <class T>
T well(Result<T> result) {
  REQUIRE_MESSAGE(result.ok(), test::why_not(result));
  return std::move(*result);
}

void well(const Result<void>& result) {
  REQUIRE_MESSAGE(result.ok(), test::why_not(result));
}

std::vector<uint64_t> frames_of(Store& store, uint64_t n) {
  std::vector<uint64_t> frames;
  for (const CheckpointRecord& each : well(store.checkpoints(id_of(n)))) {
    frames.push_back(each.frame.value);
  }
  return frames;
}

// A closed database with arenas 1 to count, each with two checkpoints and one result.
void make_database(const std::string& path, uint64_t count, size_t checkpoint_bytes = 300) {
  Store store = open_well(path);
  StoreBatch batch;
  for (uint64_t n = 1; n <= count; ++n) {
    batch.arenas.push_back(arena_of(n));
    batch.checkpoints.push_back(checkpoint_of(n, 1, 1, checkpoint_bytes));
    batch.checkpoints.push_back(checkpoint_of(n, 1, 2, checkpoint_bytes));
    batch.results.push_back(result_of(n, 1));
  }
  well(store.commit(batch));
}

// What must happen to a damaged file: it is there under another name with the same bytes, and the
// new database works.
void check_moved_aside(const TemporaryFolder& folder, const std::string& bytes) {
  Result<Store::Opened> opened = Store::open(folder.file());
  REQUIRE_MESSAGE(opened.ok(), test::why_not(opened));
  REQUIRE(opened->notice);
  const std::vector<std::string> damaged = damaged_in(folder);
  REQUIRE(damaged.size() == 1);
  CHECK(opened->notice->find(damaged[0]) != std::string::npos);
  CHECK(read_file(damaged[0]) == bytes);
  CHECK(well(opened->store.arenas()).empty());
  well(opened->store.commit(step_of(1, 1)));
  CHECK(frames_of(opened->store, 1) == std::vector<uint64_t>{1});
}

// ---- Faults below SQLite ----

// A layer over the system's VFS in which the n-th access to a file fails, or kills this process
// half way through a write.
class FaultyFiles {
 public:
  enum class Kind { none, io_error, full, kill };
  enum class Lasting { once, until_healed };

  FaultyFiles() {
    system_ = sqlite3_vfs_find(nullptr);
    layer_ = *system_;
    layer_.pNext = nullptr;
    layer_.zName = "faulty";
    layer_.xOpen = open;
    sqlite3_vfs_register(&layer_, 1);
    heal();
  }
  FaultyFiles(const FaultyFiles&) = delete;
  FaultyFiles& operator=(const FaultyFiles&) = delete;
  ~FaultyFiles() {
    sqlite3_vfs_unregister(&layer_);
    sqlite3_vfs_register(system_, 1);
  }

  void arm(Kind kind, uint64_t nth, Lasting lasting) {
    kind_ = kind;
    countdown_ = nth;
    lasting_ = lasting;
    fired_ = false;
  }
  void heal() { kind_ = Kind::none; }
  [[nodiscard]] bool fired() const { return fired_; }

 private:
  static bool is_due() {
    if (kind_ == Kind::none || countdown_ == 0) return false;
    if (--countdown_ > 0) return false;
    fired_ = true;
    if (lasting_ == Lasting::until_healed) countdown_ = 1;
    return true;
  }
  static int failure(int io_error) { return kind_ == Kind::full ? SQLITE_FULL : io_error; }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    const int code = system_->xOpen(system_, name, file, flags, out);
    if (code != SQLITE_OK || file->pMethods == nullptr) return code;
    // The system's VFS has one table for each way of locking; the functions replaced here are the
    // same in all.
    auto [it, is_new] = methods_.try_emplace(file->pMethods, *file->pMethods);
    if (is_new) {
      original_ = *file->pMethods;
      it->second.xRead = read;
      it->second.xWrite = write;
      it->second.xSync = sync;
      it->second.xTruncate = truncate;
    }
    file->pMethods = &it->second;
    return code;
  }
  static int read(sqlite3_file* file, void* to, int bytes, sqlite3_int64 offset) {
    if (kind_ == Kind::io_error && is_due()) return SQLITE_IOERR_READ;
    return original_.xRead(file, to, bytes, offset);
  }
  static int write(sqlite3_file* file, const void* from, int bytes, sqlite3_int64 offset) {
    if (!is_due()) return original_.xWrite(file, from, bytes, offset);
    if (kind_ == Kind::kill) {
      original_.xWrite(file, from, bytes / 2, offset);
      ::raise(SIGKILL);
    }
    return failure(SQLITE_IOERR_WRITE);
  }
  static int sync(sqlite3_file* file, int flags) {
    if (kind_ == Kind::full || !is_due()) return original_.xSync(file, flags);
    if (kind_ == Kind::kill) ::raise(SIGKILL);
    // The bytes may be on the disk all the same: the outcome is unknown, as with a real disk.
    original_.xSync(file, flags);
    return SQLITE_IOERR_FSYNC;
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 bytes) {
    if (kind_ == Kind::full || !is_due()) return original_.xTruncate(file, bytes);
    if (kind_ == Kind::kill) ::raise(SIGKILL);
    return SQLITE_IOERR_TRUNCATE;
  }

  inline static sqlite3_vfs* system_ = nullptr;
  inline static sqlite3_vfs layer_{};
  inline static sqlite3_io_methods original_{};
  inline static std::map<const sqlite3_io_methods*, sqlite3_io_methods> methods_;
  inline static Kind kind_ = Kind::none;
  inline static Lasting lasting_ = Lasting::once;
  inline static uint64_t countdown_ = 0;
  inline static bool fired_ = false;
};

// The largest file that this process may write; past it, writing fails as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    before_signal_ = std::signal(SIGXFSZ, SIG_IGN);
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, before_signal_);
  }

 private:
  rlimit before_{};
  void (*before_signal_)(int) = SIG_DFL;
};

}  // namespace

// ---- What is kept ----

TEST_CASE("store: a new database is empty, and made as it should be") {
  TemporaryFolder folder;
  {
    Store store = open_well(folder.file());
    CHECK(well(store.arenas()).empty());
    CHECK(well(store.checkpoints(id_of(1))).empty());
    CHECK(well(store.results(id_of(1))).empty());
    CHECK(well(store.latest_results_sequence(id_of(1))) == std::nullopt);
    CHECK(store.take_notices().empty());
    CHECK(store.replacements() == 0);
  }
  CHECK_FALSE(fs::exists(folder.file() + "-wal"));
  Raw raw(folder.file());
  CHECK(raw.ask("PRAGMA journal_mode") == "wal");
  CHECK(raw.ask("PRAGMA user_version") == std::to_string(known_migrations().back().version));
  CHECK(raw.ask("PRAGMA application_id") == std::to_string(0x4172656e));
  CHECK(raw.ask("SELECT count(*) FROM pragma_table_list WHERE schema = 'main'"
                " AND name NOT LIKE 'sqlite_%' AND strict = 0") == "0");
}

TEST_CASE("store: everything written is read again, also after closing") {
  TemporaryFolder folder;
  ArenaRecord odd = arena_of(2);
  odd.name = "nul \0 inside, umlaut \xc3\xa4, not utf-8 \xff"s;
  odd.params.clear();
  odd.reason = "'; DROP TABLE arenas; --";
  odd.restarts = 7;
  ArenaRecord many = arena_of(3);
  many.params.clear();
  for (size_t i = limits::kMaxParams; i > 0; --i) many.params.emplace_back("same", std::to_string(i));
  const StoreBatch batch{.forgotten = {},
                         .arenas = {many, arena_of(1), odd},
                         .checkpoints = {checkpoint_of(1, 1, 0, 0), checkpoint_of(2, 1, 1, 1), checkpoint_of(2, 1, 2, 100'000)},
                         .results = {result_of(1, 2), result_of(1, 1), result_of(9, 0)}};
  {
    Store store = open_well(folder.file());
    well(store.commit(batch));
  }
  Store store = open_well(folder.file());
  CHECK(well(store.arenas()) == std::vector<ArenaRecord>{arena_of(1), odd, many});
  CHECK(well(store.checkpoints(id_of(1))) == std::vector<CheckpointRecord>{checkpoint_of(1, 1, 0, 0)});
  CHECK(well(store.checkpoints(id_of(2))) ==
        std::vector<CheckpointRecord>{checkpoint_of(2, 1, 2, 100'000), checkpoint_of(2, 1, 1, 1)});
  CHECK(well(store.checkpoints(id_of(3))).empty());
  CHECK(well(store.results(id_of(1))) == std::vector<ResultRecord>{result_of(1, 1), result_of(1, 2)});
  CHECK(well(store.latest_results_sequence(id_of(1))) == 2);
  CHECK(well(store.latest_results_sequence(id_of(9))) == 0);
}

TEST_CASE("store: an arena's row is replaced as a whole") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  using enum ArenaDisposition;
  for (const ArenaDisposition disposition : {running, stopped, ended, failed, lost}) {
    ArenaRecord arena = arena_of(1);
    arena.disposition = disposition;
    arena.params = {{"disposition", to_string(disposition)}};
    arena.epoch = 1 + static_cast<uint64_t>(disposition);
    well(store.commit({.forgotten = {}, .arenas = {arena}, .checkpoints = {}, .results = {}}));
    CHECK(well(store.arenas()) == std::vector<ArenaRecord>{arena});
  }
}

TEST_CASE("store: the two newest checkpoints of each arena stay") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  for (uint64_t frame = 1; frame <= 4; ++frame) {
    well(store.commit(step_of(1, frame)));
    well(store.commit(step_of(2, 10 * frame)));
  }
  CHECK(frames_of(store, 1) == std::vector<uint64_t>{4, 3});
  CHECK(frames_of(store, 2) == std::vector<uint64_t>{40, 30});

  SUBCASE("a later epoch is newer, even at an earlier frame") {
    StoreBatch batch;
    batch.checkpoints = {checkpoint_of(1, 2, 2)};
    well(store.commit(batch));
    CHECK(frames_of(store, 1) == std::vector<uint64_t>{2, 4});
  }
  SUBCASE("an old one that comes late does not displace a newer one") {
    StoreBatch batch;
    batch.checkpoints = {checkpoint_of(1, 1, 2)};
    well(store.commit(batch));
    CHECK(frames_of(store, 1) == std::vector<uint64_t>{4, 3});
  }
  SUBCASE("many in one batch") {
    StoreBatch batch;
    for (uint64_t frame = 100; frame > 50; --frame) batch.checkpoints.push_back(checkpoint_of(1, 1, frame));
    well(store.commit(batch));
    CHECK(frames_of(store, 1) == std::vector<uint64_t>{100, 99});
  }
}

TEST_CASE("store: the same batch twice is the same as once") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(step_of(2, 1)));
  StoreBatch batch = step_of(1, 5);
  batch.checkpoints.push_back(checkpoint_of(1, 1, 4));
  batch.forgotten = {id_of(2)};
  for (int times = 0; times < 3; ++times) {
    well(store.commit(batch));
    CHECK(well(store.arenas()) == batch.arenas);
    CHECK(well(store.checkpoints(id_of(1))) == batch.checkpoints);
    CHECK(well(store.results(id_of(1))) == batch.results);
  }
}

TEST_CASE("store: the first result of a sequence number stays") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(step_of(1, 1)));
  StoreBatch batch;
  batch.results = {result_of(1, 1), result_of(1, 2)};
  batch.results[0].bytes = "another";
  well(store.commit(batch));
  CHECK(well(store.results(id_of(1))) == std::vector<ResultRecord>{result_of(1, 1), result_of(1, 2)});
}

TEST_CASE("store: forgetting an arena keeps its results") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(step_of(1, 1)));
  well(store.commit(step_of(2, 1)));
  StoreBatch batch;
  batch.forgotten = {id_of(1), id_of(7)};
  well(store.commit(batch));
  CHECK(well(store.arenas()) == std::vector<ArenaRecord>{arena_of(2)});
  CHECK(frames_of(store, 1).empty());
  CHECK(frames_of(store, 2) == std::vector<uint64_t>{1});
  CHECK(well(store.results(id_of(1))) == std::vector<ResultRecord>{result_of(1, 1)});
  CHECK(Raw(folder.file()).ask("SELECT count(*) FROM arena_params") == "2");
}

TEST_CASE("store: forgotten and written in one batch is written anew") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  well(store.commit(step_of(1, 9)));
  StoreBatch batch = step_of(1, 2);
  batch.forgotten = {id_of(1)};
  well(store.commit(batch));
  CHECK(well(store.arenas()) == batch.arenas);
  CHECK(frames_of(store, 1) == std::vector<uint64_t>{2});
}

TEST_CASE("store: checkpoints without an arena are swept when it is opened again") {
  TemporaryFolder folder;
  {
    Store store = open_well(folder.file());
    StoreBatch batch = step_of(1, 1);
    batch.checkpoints.push_back(checkpoint_of(2, 1, 1));
    well(store.commit(batch));
    CHECK(frames_of(store, 2) == std::vector<uint64_t>{1});
  }
  Store store = open_well(folder.file());
  CHECK(frames_of(store, 1) == std::vector<uint64_t>{1});
  CHECK(frames_of(store, 2).empty());
}

TEST_CASE("store: an empty batch is no transaction") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  Raw other(folder.file());
  other.run("BEGIN EXCLUSIVE");
  well(store.commit({}));
}

TEST_CASE("store: what could never be stored is invalid, and spoils nothing") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  constexpr uint64_t kLargest = INT64_MAX;

  StoreBatch limit = step_of(1, 1);
  limit.checkpoints[0].frame = {kLargest};
  limit.results[0].sequence = kLargest;
  limit.arenas[0].epoch = kLargest;
  limit.checkpoints[0].epoch = {kLargest};
  limit.results[0].bytes.assign(limits::kMaxEventBytes, 'r');
  limit.results[0].seat = UINT32_MAX;
  limit.results[0].type = UINT64_MAX;
  well(store.commit(limit));
  CHECK(well(store.arenas()) == limit.arenas);
  CHECK(well(store.checkpoints(id_of(1))) == limit.checkpoints);
  CHECK(well(store.results(id_of(1))) == limit.results);

  StoreBatch beyond = step_of(2, 1);
  SUBCASE("arena without id") {
    beyond.arenas[0].id = {};
  }
  SUBCASE("epoch of an arena") {
    beyond.arenas[0].epoch = kLargest + 1;
  }
  SUBCASE("checkpoint without arena") {
    beyond.checkpoints[0].arena = {};
  }
  SUBCASE("epoch") {
    beyond.checkpoints[0].epoch = {kLargest + 1};
  }
  SUBCASE("frame") {
    beyond.checkpoints[0].frame = {kLargest + 1};
  }
  SUBCASE("checkpoint's bytes") {
    beyond.checkpoints[0].bytes.resize(2 * limits::kMaxStateBytes + 1);
  }
  SUBCASE("result without arena") {
    beyond.results[0].arena = {};
  }
  SUBCASE("sequence") {
    beyond.results[0].sequence = kLargest + 1;
  }
  SUBCASE("result's bytes") {
    beyond.results[0].bytes.resize(limits::kMaxEventBytes + 1);
  }
  SUBCASE("forgetting nobody") {
    beyond.forgotten = {ArenaId{}};
  }
  const Result<void> refused = store.commit(beyond);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid);
  CHECK(well(store.arenas()).size() == 1);
}

TEST_CASE("store: closing moves the -wal into the file, also while another reads it") {
  TemporaryFolder folder;
  make_database(folder.file(), 0);
  Raw reader(folder.file());
  {
    Store store = open_well(folder.file());
    well(store.commit(step_of(1, 1)));
    CHECK(reader.ask("SELECT count(*) FROM arenas") == "1");
  }
  fs::copy_file(folder.file(), folder.file("copy.db"));
  CHECK(Raw(folder.file("copy.db")).ask("SELECT count(*) FROM arenas") == "1");
}

TEST_CASE("store: moved from one place to another it goes on") {
  TemporaryFolder folder;
  Store first = open_well(folder.file());
  well(first.commit(step_of(1, 1)));
  Store second = std::move(first);
  well(second.commit(step_of(1, 2)));
  Store third = open_well(folder.file("other.db"));
  third = std::move(second);
  CHECK(frames_of(third, 1) == std::vector<uint64_t>{2, 1});
}

// ---- Versions ----

TEST_CASE("store: migrations run in order, once, and keep what is there") {
  TemporaryFolder folder;
  const int64_t known = known_migrations().back().version;
  std::vector<Migration> newer(known_migrations().begin(), known_migrations().end());
  newer.push_back({known + 1, "CREATE TABLE extra (n INTEGER NOT NULL) STRICT; INSERT INTO extra VALUES (2)"});
  newer.push_back({known + 2, "UPDATE extra SET n = n * 10; ALTER TABLE extra ADD COLUMN m INTEGER"});
  const StoreOptions options{.busy_timeout = std::chrono::milliseconds(1), .migrations = newer};
  SUBCASE("from the version before") {
    make_database(folder.file(), 1);
  }
  SUBCASE("from nothing") {
    Store store = open_well(folder.file(), options);
    StoreBatch batch = step_of(1, 2);
    batch.checkpoints.push_back(checkpoint_of(1, 1, 1));
    well(store.commit(batch));
  }
  for (int times = 0; times < 2; ++times) {
    Store store = open_well(folder.file(), options);
    CHECK(well(store.arenas()) == std::vector<ArenaRecord>{arena_of(1)});
    CHECK(frames_of(store, 1) == std::vector<uint64_t>{2, 1});
  }
  CHECK(Raw(folder.file()).ask("SELECT n FROM extra") == "20");
  CHECK(Raw(folder.file()).ask("PRAGMA user_version") == std::to_string(known + 2));
}

TEST_CASE("store: a migration that fails changes nothing") {
  TemporaryFolder folder;
  make_database(folder.file(), 1);
  std::vector<Migration> broken(known_migrations().begin(), known_migrations().end());
  broken.push_back({broken.back().version + 1, "CREATE TABLE extra (n) ; SELECT nothing"});
  const Result<Store::Opened> refused =
      Store::open(folder.file(), {.busy_timeout = std::chrono::milliseconds(1), .migrations = broken});
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::failed);
  CHECK(refused.error().message.find(folder.file()) != std::string::npos);
  CHECK(damaged_in(folder).empty());
  CHECK(Raw(folder.file()).ask("SELECT count(*) FROM sqlite_schema WHERE name = 'extra'") == "0");
  Store store = open_well(folder.file());
  CHECK(well(store.arenas()).size() == 1);
}

TEST_CASE("store: a database of a newer Arenad is refused and left alone") {
  TemporaryFolder folder;
  make_database(folder.file(), 1);
  Raw(folder.file()).run("PRAGMA user_version = " + std::to_string(known_migrations().back().version + 1));
  const std::string before = read_file(folder.file());
  const Result<Store::Opened> refused = Store::open(folder.file());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::refused);
  CHECK(refused.error().message.find("newer Arenad") != std::string::npos);
  CHECK(refused.error().message.find(folder.file()) != std::string::npos);
  CHECK(damaged_in(folder).empty());
  CHECK(read_file(folder.file()) == before);
}

// ---- Damage ----

TEST_CASE("store: a file that is no database is moved aside") {
  TemporaryFolder folder;
  std::string bytes;
  SUBCASE("one byte") {
    bytes = "x";
  }
  SUBCASE("text") {
    bytes = "# Arenad\ndatabase = \"/var/lib/arenad/arenad.db\"\n";
  }
  SUBCASE("long text") {
    bytes.assign(100'000, '\n');
  }
  SUBCASE("zeros") {
    bytes.assign(8192, '\0');
  }
  SUBCASE("garbage") {
    std::mt19937_64 random(1);
    std::generate_n(std::back_inserter(bytes), 20'000, [&] { return static_cast<char>(random()); });
  }
  SUBCASE("only the first words of a database") {
    bytes = "SQLite format 3\0"s;
  }
  write_file(folder.file(), bytes);
  check_moved_aside(folder, bytes);
}

TEST_CASE("store: a database of another program is moved aside") {
  TemporaryFolder folder;
  {
    Raw raw(folder.file());
    SUBCASE("without an application id") {
      raw.run("CREATE TABLE t (x)");
    }
    SUBCASE("with another application id") {
      raw.run("CREATE TABLE t (x); PRAGMA application_id = 7");
    }
    SUBCASE("without tables") {
      raw.run("PRAGMA application_id = 7; PRAGMA user_version = 1");
    }
    SUBCASE("newer, but another's") {
      raw.run("CREATE TABLE t (x); PRAGMA user_version = 99");
    }
  }
  check_moved_aside(folder, read_file(folder.file()));
}

TEST_CASE("store: a database of ours with other tables is moved aside") {
  TemporaryFolder folder;
  make_database(folder.file(), 1);
  SUBCASE("a table is missing") {
    Raw(folder.file()).run("DROP TABLE results");
  }
  SUBCASE("a table of a later version is missing") {
    Raw(folder.file()).run("DROP TABLE counters");
  }
  SUBCASE("a column is missing") {
    Raw(folder.file()).run("ALTER TABLE arenas RENAME COLUMN game TO play");
  }
  SUBCASE("no tables at all") {
    Raw(folder.file())
        .run(
            "DROP TABLE counters; DROP TABLE quarantine; DROP TABLE incidents;"
            "DROP TABLE results; DROP TABLE checkpoints; DROP TABLE arena_params;"
            "DROP TABLE arenas; DROP TABLE store");
  }
  check_moved_aside(folder, read_file(folder.file()));
}

TEST_CASE("store: a truncated database is moved aside") {
  TemporaryFolder folder;
  make_database(folder.file(), 50);
  const auto whole = fs::file_size(folder.file());
  uintmax_t bytes = 0;
  SUBCASE("1") {
    bytes = 1;
  }
  SUBCASE("within the header") {
    bytes = 60;
  }
  SUBCASE("header") {
    bytes = 100;
  }
  SUBCASE("within the first page") {
    bytes = 2000;
  }
  SUBCASE("first page") {
    bytes = 4096;
  }
  SUBCASE("half") {
    bytes = whole / 2;
  }
  SUBCASE("last page gone") {
    bytes = whole - 4096;
  }
  fs::resize_file(folder.file(), bytes);
  check_moved_aside(folder, read_file(folder.file()));
}

TEST_CASE("store: an empty file becomes a new database, with a notice") {
  TemporaryFolder folder;
  write_file(folder.file(), "");
  {
    Result<Store::Opened> opened = Store::open(folder.file());
    REQUIRE(opened.ok());
    REQUIRE(opened->notice);
    CHECK(opened->notice->find("was empty") != std::string::npos);
    CHECK(damaged_in(folder).empty());
    well(opened->store.commit(step_of(1, 1)));
  }
  Store store = open_well(folder.file());
  CHECK(frames_of(store, 1) == std::vector<uint64_t>{1});
}

TEST_CASE("store: a -wal whose database is gone is kept") {
  TemporaryFolder folder;
  std::string wal;
  {
    Store store = open_well(folder.file("old.db"));
    well(store.commit(step_of(1, 1)));
    wal = read_file(folder.file("old.db-wal"));
  }
  REQUIRE_FALSE(wal.empty());
  write_file(folder.file() + "-wal", wal);
  SUBCASE("the file is empty") {
    write_file(folder.file(), "");
  }
  SUBCASE("the file is not there") {}
  Result<Store::Opened> opened = Store::open(folder.file());
  REQUIRE(opened.ok());
  REQUIRE(opened->notice);
  CHECK(well(opened->store.arenas()).empty());
  const size_t name_at = opened->notice->find(folder.file() + ".damaged-");
  REQUIRE(name_at != std::string::npos);
  const std::string aside = opened->notice->substr(name_at, opened->notice->find(' ', name_at) - name_at);
  CHECK(read_file(aside + "-wal") == wal);
}

TEST_CASE("store: a hot -wal of its own is used, that of another database is not") {
  TemporaryFolder folder;
  make_database(folder.file(), 40);
  SUBCASE("its own, after a death") {
    Store dying = open_well(folder.file());
    well(dying.commit(step_of(77, 1)));
    for (const char* ending : {"", "-wal"}) {
      fs::copy_file(folder.file() + ending, folder.file("copy.db") + ending);
    }
    Store store = open_well(folder.file("copy.db"));
    CHECK(well(store.arenas()).size() == 41);
  }
  SUBCASE("another's of the same kind") {
    Store other = open_well(folder.file("other.db"));
    for (uint64_t n = 1; n < 20; ++n) well(other.commit(step_of(100 + n, 1)));
    fs::copy_file(folder.file("other.db-wal"), folder.file() + "-wal");
    const std::string wal = read_file(folder.file() + "-wal");
    check_moved_aside(folder, read_file(folder.file()));
    CHECK(read_file(damaged_in(folder)[0] + "-wal") == wal);
  }
  SUBCASE("another program's") {
    Raw other(folder.file("other.db"));
    other.run("PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)");
    fs::copy_file(folder.file("other.db-wal"), folder.file() + "-wal");
    check_moved_aside(folder, read_file(folder.file()));
  }
  SUBCASE("garbage") {
    write_file(folder.file() + "-wal", std::string(50'000, 'w'));
    Store store = open_well(folder.file());
    CHECK(well(store.arenas()).size() == 40);
  }
}

TEST_CASE("store: whatever stays readable of damaged pages is true") {
  TemporaryFolder folder;
  make_database(folder.file(), 30, 9000);
  const std::string sound = read_file(folder.file());
  const auto open_and_compare = [&](const std::string& bytes, size_t at) {
    TemporaryFolder here;
    write_file(here.file(), bytes);
    Result<Store::Opened> opened = Store::open(here.file());
    if (!opened) {
      // Only the version makes it refuse.
      CHECK(opened.error().code == ErrorCode::refused);
      CHECK((at >= 60 && at < 64));
      return;
    }
    CHECK(damaged_in(here).size() == (opened->notice ? 1 : 0));
    if (opened->notice) return;
    for (uint64_t n = 1; n <= 30; ++n) {
      const auto read = opened->store.checkpoints(id_of(n));
      if (!read) continue;
      for (const CheckpointRecord& each : read.value()) {
        CHECK(each == checkpoint_of(n, 1, each.frame.value, 9000));
      }
    }
  };
  SUBCASE("each byte of the header") {
    for (size_t at = 0; at < 100; ++at) {
      CAPTURE(at);
      std::string bytes = sound;
      bytes[at] = static_cast<char>(~bytes[at]);
      open_and_compare(bytes, at);
    }
  }
  SUBCASE("random bytes") {
    const uint64_t seed = std::random_device()();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    for (int times = 0; times < 60; ++times) {
      std::string bytes = sound;
      size_t at = 0;
      for (int flips = 0; flips < 8; ++flips) {
        at = 100 + random() % (bytes.size() - 100);
        bytes[at] = static_cast<char>(random());
      }
      open_and_compare(bytes, at);
    }
  }
  SUBCASE("the head of every page") {
    for (size_t at = 4096; at < sound.size(); at += 4096) {
      std::string bytes = sound;
      bytes.replace(at, 8, 8, '\x7f');
      open_and_compare(bytes, at);
    }
  }
}

TEST_CASE("store: a tree page with flipped bytes is moved aside") {
  TemporaryFolder folder;
  make_database(folder.file(), 50);
  const std::string root = Raw(folder.file()).ask("SELECT rootpage FROM sqlite_schema WHERE name = 'arenas'");
  std::string bytes = read_file(folder.file());
  bytes.replace((std::stoul(root) - 1) * 4096, 16, 16, '\x5a');
  write_file(folder.file(), bytes);
  check_moved_aside(folder, bytes);
}

TEST_CASE("store: a damaged row is skipped, counted and noticed") {
  TemporaryFolder folder;
  make_database(folder.file(), 2);
  Store store = open_well(folder.file());
  SUBCASE("bytes of a checkpoint") {
    Raw(folder.file()).run("UPDATE checkpoints SET bytes = zeroblob(length(bytes)) WHERE frame = 2");
  }
  SUBCASE("time of a checkpoint") {
    Raw(folder.file()).run("UPDATE checkpoints SET taken_unix_ms = taken_unix_ms + 1 WHERE frame = 2");
  }
  SUBCASE("frame of a checkpoint") {
    Raw(folder.file()).run("UPDATE checkpoints SET frame = 3 WHERE frame = 2");
  }
  CHECK(frames_of(store, 1) == std::vector<uint64_t>{1});
  CHECK(store.skipped_rows() == 1);
  CHECK(frames_of(store, 2) == std::vector<uint64_t>{1});
  CHECK(store.skipped_rows() == 2);
  const std::vector<std::string> notices = store.take_notices();
  REQUIRE(notices.size() == 2);
  CHECK(notices[0].find(id_of(1).text()) != std::string::npos);
  CHECK(store.take_notices().empty());

  StoreBatch again;
  again.checkpoints = {checkpoint_of(1, 1, 2)};
  well(store.commit(again));
  const auto healed = well(store.checkpoints(id_of(1)));
  CHECK(std::find(healed.begin(), healed.end(), again.checkpoints[0]) != healed.end());
}

TEST_CASE("store: an arena of unknown disposition is skipped, not invented") {
  TemporaryFolder folder;
  make_database(folder.file(), 2);
  Raw(folder.file()).run("UPDATE arenas SET disposition = 'asleep' WHERE name = 'arena-1'");
  Store store = open_well(folder.file());
  CHECK(well(store.arenas()) == std::vector<ArenaRecord>{arena_of(2)});
  CHECK(store.skipped_rows() == 1);
}

TEST_CASE("store: triggers in the file do nothing") {
  TemporaryFolder folder;
  make_database(folder.file(), 1);
  Raw(folder.file()).run("CREATE TRIGGER evil AFTER INSERT ON arenas BEGIN DELETE FROM results; END");
  Store store = open_well(folder.file());
  well(store.commit(step_of(2, 1)));
  CHECK(well(store.results(id_of(1))).size() == 1);
}

TEST_CASE("store: damage met in use leads to a new database at the next call") {
  TemporaryFolder folder;
  make_database(folder.file(), 50);
  Store store = open_well(folder.file());
  const auto bytes = fs::file_size(folder.file());
  // Another's write makes the store read its pages again.
  Raw other(folder.file());
  other.run("UPDATE store SET commits = 0");
  std::fstream file(folder.file(), std::ios::in | std::ios::out | std::ios::binary);
  for (size_t at = 4096; at < bytes; at += 4096) {
    file.seekp(static_cast<std::streamoff>(at));
    file.write("ZZZZZZZZ", 8);
  }
  file.close();

  const Result<void> failed = store.commit(step_of(1, 3));
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::corrupt);
  CHECK(damaged_in(folder).empty());
  well(store.commit(step_of(1, 3)));
  CHECK(damaged_in(folder).size() == 1);
  CHECK(store.replacements() == 1);
  CHECK(store.take_notices().size() == 1);
  CHECK(frames_of(store, 1) == std::vector<uint64_t>{3});
}

TEST_CASE("store: damage that only the full check sees does not make calls fail for ever") {
  TemporaryFolder folder;
  make_database(folder.file(), 1);
  // An entry of this index ends with the arena, the frame (the epoch 1 takes no bytes) and the
  // number of a row.
  const std::string root = Raw(folder.file())
                               .ask(
                                   "SELECT rootpage FROM sqlite_schema"
                                   " WHERE name = 'sqlite_autoindex_checkpoints_1'");
  const size_t page = (std::stoul(root) - 1) * 4096;
  std::string bytes = read_file(folder.file());
  const size_t row_at = bytes.find("\xfe\xdc\xba\x98\x76\x54\x32\x10\x02"s, page) + 9;
  REQUIRE((row_at > page && row_at < page + 4096));
  bytes[row_at] = 77;
  write_file(folder.file(), bytes);

  Store store = open_well(folder.file());
  const auto failed = store.checkpoints(id_of(1));
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == ErrorCode::corrupt);
  well(store.commit(step_of(1, 3)));
  CHECK(damaged_in(folder).size() == 1);
  CHECK(store.replacements() == 1);
  CHECK(frames_of(store, 1) == std::vector<uint64_t>{3});
}

// ---- What is no damage ----

TEST_CASE("store: what is not a file is refused and left alone") {
  TemporaryFolder folder;
  SUBCASE("a folder") {
    fs::create_directory(folder.file());
  }
  SUBCASE("a pipe") {
    REQUIRE(::mkfifo(folder.file().c_str(), 0600) == 0);
  }
  const auto before = fs::status(folder.file()).type();
  const Result<Store::Opened> refused = Store::open(folder.file());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::invalid);
  CHECK(refused.error().message.find(folder.file()) != std::string::npos);
  CHECK(fs::status(folder.file()).type() == before);
  CHECK(damaged_in(folder).empty());
}

TEST_CASE("store: a folder that is not there is an error") {
  TemporaryFolder folder;
  const Result<Store::Opened> refused = Store::open(folder.file("nowhere/arenad.db"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::failed);
  CHECK(refused.error().errno_value == ENOENT);
}

TEST_CASE("store: a link to the database is followed, also when it is moved aside") {
  TemporaryFolder folder;
  fs::create_directory(folder.file("disk"));
  fs::create_symlink(folder.file("disk/real.db"), folder.file());
  { well(open_well(folder.file()).commit(step_of(1, 1))); }
  CHECK(fs::is_symlink(folder.file()));
  write_file(folder.file("disk/real.db"), "damage");
  {
    Result<Store::Opened> opened = Store::open(folder.file());
    REQUIRE(opened.ok());
    CHECK(opened->notice.value_or("").find(folder.file("disk/real.db.damaged-")) != std::string::npos);
  }
  CHECK(fs::is_symlink(folder.file()));
  CHECK(fs::file_size(folder.file("disk/real.db")) > 4096);
}

TEST_CASE("store: a path with the signs of a URI") {
  TemporaryFolder folder;
  const std::string path = folder.file("100%41 sure?mode=ro#1 \xc3\xa4.db");
  make_database(path, 1);
  Store other = open_well(folder.file("other.db"));
  well(other.commit(step_of(5, 1)));
  fs::copy_file(folder.file("other.db-wal"), path + "-wal");
  const Result<Store::Opened> opened = Store::open(path);
  REQUIRE(opened.ok());
  CHECK(opened.value().notice.value_or("").find("-wal of another database") != std::string::npos);
}

TEST_CASE("store: a lock of another process is waited for, then an error, and later no matter") {
  TemporaryFolder folder;
  make_database(folder.file(), 1);
  SUBCASE("while it is opened") {
    {
      Raw other(folder.file());
      other.run("PRAGMA locking_mode = EXCLUSIVE; UPDATE store SET commits = 0");
      const Result<Store::Opened> busy = Store::open(folder.file(), kImpatient);
      REQUIRE_FALSE(busy.ok());
      CHECK(busy.error().code == ErrorCode::failed);
      CHECK(busy.error().message.find("lock") != std::string::npos);
    }
    CHECK(damaged_in(folder).empty());
    Store store = open_well(folder.file());
    CHECK(well(store.arenas()).size() == 1);
  }
  SUBCASE("while it is written") {
    Store store = open_well(folder.file(), kImpatient);
    Raw other(folder.file());
    other.run("BEGIN EXCLUSIVE");
    const Result<void> busy = store.commit(step_of(2, 1));
    REQUIRE_FALSE(busy.ok());
    CHECK(busy.error().code == ErrorCode::failed);
    CHECK(well(store.arenas()).size() == 1);
    other.run("ROLLBACK");
    well(store.commit(step_of(2, 1)));
    CHECK(well(store.arenas()).size() == 2);
    CHECK(store.replacements() == 0);
  }
}

TEST_CASE("store: a file that was moved, replaced or deleted in use is left") {
  TemporaryFolder folder;
  make_database(folder.file(), 1);
  fs::copy_file(folder.file(), folder.file("backup.db"));
  Store store = open_well(folder.file());
  well(store.commit(step_of(2, 1)));
  size_t arenas_left = 0;
  SUBCASE("moved") {
    fs::rename(folder.file(), folder.file("moved.db"));
  }
  SUBCASE("deleted") {
    fs::remove(folder.file());
  }
  SUBCASE("replaced by an older copy") {
    fs::rename(folder.file("backup.db"), folder.file());
    arenas_left = 1;
  }
  SUBCASE("replaced by garbage") {
    fs::remove(folder.file());
    write_file(folder.file(), "garbage");
  }
  well(store.commit(step_of(3, 1)));
  // In one transaction with it comes what goes on: arena 2, which was written before.
  CHECK(well(store.arenas()).size() == arenas_left + 2);
  CHECK(frames_of(store, 2).empty());
  CHECK(store.replacements() == 1);
  const std::vector<std::string> notices = store.take_notices();
  REQUIRE_FALSE(notices.empty());
  CHECK(notices[0].find(folder.file()) != std::string::npos);
  CHECK(Raw(folder.file()).ask("PRAGMA integrity_check") == "ok");
  if (fs::exists(folder.file("moved.db"))) {
    CHECK(Raw(folder.file("moved.db")).ask("SELECT count(*) FROM arenas") == "2");
  }
}

// ---- Disk and memory ----

TEST_CASE("store: what is in the database is not kept in memory, however large it becomes") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  const int64_t before = sqlite3_memory_used();
  for (uint64_t n = 1; n <= 200; ++n) {
    StoreBatch batch = step_of(n, 1);
    batch.checkpoints[0].bytes.assign(64 * 1024, 'b');
    well(store.commit(batch));
  }
  CHECK(fs::file_size(folder.file()) + fs::file_size(folder.file() + "-wal") > 12 * 1024 * 1024);
  CHECK(sqlite3_memory_used() - before < 1024 * 1024);
}

TEST_CASE("store: a full disk is 'exhausted', reading goes on, and it heals") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  const auto big_step = [](uint64_t n) {
    StoreBatch batch = step_of(n, 1);
    batch.checkpoints[0].bytes.assign(64 * 1024, 'b');
    return batch;
  };
  uint64_t n = 0;
  Result<void> committed;
  Result<std::vector<ArenaRecord>> read = std::vector<ArenaRecord>();
  {
    const FileSizeLimit limit(512 * 1024);
    while (committed.ok() && n < 100) committed = store.commit(big_step(++n));
    read = store.arenas();
  }
  REQUIRE_FALSE(committed.ok());
  CHECK_MESSAGE(committed.error().code == ErrorCode::exhausted, committed.error().text());
  CHECK(committed.error().message.find(folder.file()) != std::string::npos);
  CHECK(well(read).size() == n - 1);
  well(store.commit(big_step(n)));
  CHECK(well(store.arenas()).size() == n);
  CHECK(store.take_notices().empty());
  CHECK(Raw(folder.file()).ask("PRAGMA integrity_check") == "ok");
}

TEST_CASE("store: SQLite's own 'full' is 'exhausted', too") {
  TemporaryFolder folder;
  FaultyFiles files;
  Store store = open_well(folder.file());
  files.arm(FaultyFiles::Kind::full, 1, FaultyFiles::Lasting::until_healed);
  for (int times = 0; times < 3; ++times) {
    const Result<void> full = store.commit(step_of(1, 1));
    REQUIRE_FALSE(full.ok());
    CHECK(full.error().code == ErrorCode::exhausted);
    CHECK(well(store.arenas()).empty());
  }
  files.heal();
  well(store.commit(step_of(1, 1)));
  CHECK(well(store.arenas()).size() == 1);
}

TEST_CASE("store: no memory is 'exhausted', and it heals") {
  TemporaryFolder folder;
  Store store = open_well(folder.file());
  StoreBatch batch;
  for (uint64_t n = 1; n <= 200; ++n) batch.arenas.push_back(arena_of(n));
  batch.results.push_back(result_of(1, 1));
  batch.results[0].bytes.assign(limits::kMaxEventBytes, 'r');
  const sqlite3_int64 used = sqlite3_memory_used();
  // SQLite takes 0 for "no limit". Some steps are enough memory, and that is as well.
  for (sqlite3_int64 more = 1; more < 400'000; more += 9'973) {
    sqlite3_hard_heap_limit64(used + more);
    const Result<void> committed = store.commit(batch);
    const auto read = store.results(id_of(1));
    sqlite3_hard_heap_limit64(0);
    if (!committed) CHECK(committed.error().code == ErrorCode::exhausted);
    if (!read) CHECK(read.error().code == ErrorCode::exhausted);
    if (read && !read.value().empty()) CHECK(read.value() == batch.results);
  }
  well(store.commit(batch));
  CHECK(well(store.arenas()) == batch.arenas);
  CHECK(well(store.results(id_of(1))) == batch.results);
  CHECK(damaged_in(folder).empty());
}

TEST_CASE("store: an I/O error at any access loses nothing and moves nothing aside") {
  FaultyFiles files;
  bool has_fired = true;
  uint64_t nth = 0;
  while (has_fired) {
    ++nth;
    CAPTURE(nth);
    TemporaryFolder folder;
    files.arm(FaultyFiles::Kind::io_error, nth, FaultyFiles::Lasting::once);
    Result<Store::Opened> opened = Store::open(folder.file());
    if (!opened) {
      CHECK(opened.error().code == ErrorCode::failed);
      opened = Store::open(folder.file());
    }
    REQUIRE_MESSAGE(opened.ok(), test::why_not(opened));
    Store store = std::move(opened->store);
    for (uint64_t step = 1; step <= 4; ++step) {
      Result<void> committed = store.commit(step_of(1, step));
      if (!committed) {
        CHECK(committed.error().code == ErrorCode::failed);
        committed = store.commit(step_of(1, step));
      }
      well(committed);
    }
    Result<std::vector<ResultRecord>> results = store.results(id_of(1));
    if (!results) results = store.results(id_of(1));
    has_fired = files.fired();
    files.heal();
    CHECK(well(results).size() == 4);
    CHECK(frames_of(store, 1) == std::vector<uint64_t>{4, 3});
    CHECK(well(store.incidents({}, IncidentScope::deaths, 10)).size() == 4);
    CHECK(well(store.quarantined({})).size() == 4);
    CHECK(damaged_in(folder).empty());
    CHECK(store.replacements() == 0);
  }
  CHECK(nth > 50);
  MESSAGE("failed each of ", nth - 1, " accesses");
}

// ---- Sudden death ----

namespace {

struct Death {
  uint64_t acknowledged = 0;
  bool is_killed = false;
};

// A child process that commits steps 1 to count, and acknowledges each on a pipe. after_ack is
// called for each in the parent.
template <class BeforeStart, class AfterAck>
Death run_committing_child(const std::string& path, uint64_t count, BeforeStart before_start, AfterAck after_ack) {
  int ends[2];
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    before_start();
    Result<Store::Opened> opened = Store::open(path);
    for (uint64_t step = 1; opened.ok() && step <= count; ++step) {
      if (!opened->store.commit(step_of(1, step))) ::_exit(3);
      if (::write(ends[1], "a", 1) != 1) ::_exit(4);
    }
    // The store is closed, too: its last checkpoint is among what may be cut off.
    { const Store closing = std::move(opened->store); }
    ::_exit(opened.ok() ? 0 : 2);
  }
  ::close(ends[1]);
  Death death;
  char ack = 0;
  while (::read(ends[0], &ack, 1) == 1) after_ack(child, ++death.acknowledged);
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  death.is_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  REQUIRE((death.is_killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0)));
  return death;
}

// All that was acknowledged is there, and at most one step more, which was committed but not yet
// acknowledged.
void check_after_death(const TemporaryFolder& folder, const Death& death) {
  Result<Store::Opened> opened = Store::open(folder.file());
  REQUIRE_MESSAGE(opened.ok(), test::why_not(opened));
  if (death.acknowledged > 0) CHECK_FALSE(opened->notice);
  CHECK(damaged_in(folder).empty());
  const uint64_t latest = well(opened->store.latest_results_sequence(id_of(1))).value_or(0);
  CHECK(latest >= death.acknowledged);
  CHECK(latest <= death.acknowledged + 1);
  CHECK(well(opened->store.results(id_of(1))).size() == latest);
  const std::vector<uint64_t> frames = frames_of(opened->store, 1);
  CHECK(frames.size() == std::min<uint64_t>(latest, 2));
  if (latest > 0) CHECK(frames[0] == latest);
  const auto incidents = well(opened->store.incidents(id_of(1), IncidentScope::deaths, SIZE_MAX));
  CHECK(incidents.size() == std::min<uint64_t>(latest, limits::kMaxDeathsOfArena));
  if (latest > 0) CHECK(incidents[0] == incident_of(1, latest));
  CHECK(well(opened->store.quarantined(id_of(1))).size() == latest);
  CHECK(opened->store.skipped_rows() == 0);
  CHECK(Raw(folder.file()).ask("PRAGMA integrity_check") == "ok");
}

}  // namespace

TEST_CASE("store: killed after any acknowledgement, everything acknowledged is there") {
  for (uint64_t kill_at = 1; kill_at <= 20; ++kill_at) {
    CAPTURE(kill_at);
    TemporaryFolder folder;
    const Death death = run_committing_child(
        folder.file(), 1'000'000, [] {},
        [&](pid_t child, uint64_t acknowledged) {
          if (acknowledged == kill_at) ::kill(child, SIGKILL);
        });
    CHECK(death.is_killed);
    CHECK(death.acknowledged >= kill_at);
    check_after_death(folder, death);
  }
}

TEST_CASE("store: killed at any write, sync or truncation, everything acknowledged is there") {
  bool is_killed = true;
  uint64_t nth = 0;
  while (is_killed) {
    ++nth;
    CAPTURE(nth);
    TemporaryFolder folder;
    const Death death = run_committing_child(
        folder.file(), 3,
        [nth] {
          // Outlives this scope: the child ends without returning.
          static FaultyFiles files;
          files.arm(FaultyFiles::Kind::kill, nth, FaultyFiles::Lasting::once);
        },
        [](pid_t, uint64_t) {});
    is_killed = death.is_killed;
    check_after_death(folder, death);
  }
  CHECK(nth > 50);
  MESSAGE("killed at each of ", nth - 1, " accesses");
}
