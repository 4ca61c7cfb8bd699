// The one place that decides what becomes of a database: when it is opened again, and when it is moved aside.
#include "state/store.h"

#include <algorithm>
#include <utility>

#include "state/database_file.h"
#include "state/records_check.h"
#include "state/store_connection.h"

namespace arenad {
namespace {

constexpr uint64_t kHeaderBytes = 100;  // of the first page, sqlite.org/fileformat.html
constexpr size_t kMaxNotices = 100;

}  // namespace

Store::Store(std::string path, const StoreOptions& options) : path_(std::move(path)), options_(options) {}
Store::Store(Store&& other) noexcept = default;
Store& Store::operator=(Store&& other) noexcept = default;
Store::~Store() = default;

Result<Store::Opened> Store::open(const std::string& path, const StoreOptions& options) {
  ARENAD_ASSERT(!options.migrations.empty());
  Store store(absolute_path(path), options);
  if (Result<void> connected = store.connect(); !connected) return connected.error();
  std::optional<std::string> notice;
  for (const std::string& text : store.take_notices()) {
    notice = notice ? *notice + "; " + text : text;
  }
  return Opened{std::move(store), std::move(notice)};
}

Result<void> Store::connect() {
  if (Result<void> usable = require_regular_file(path_); !usable) return usable;
  if (Result<void> judged = judge_short_file(); !judged) return judged;
  auto opened = StoreConnection::open(path_, options_, next_scrutiny_);
  if (!opened && opened.error().code == ErrorCode::corrupt) {
    if (Result<void> moved = move_damage_aside(opened.error().text()); !moved) return moved;
    opened = StoreConnection::open(path_, options_, next_scrutiny_);
  }
  if (!opened) return opened.error();
  connection_ = std::move(*opened);
  next_scrutiny_ = Scrutiny::quick;
  if (!identity_.empty() && identity_ != connection_->identity()) ++replacements_;
  identity_ = connection_->identity();
  return {};
}

// SQLite takes a file of one byte for an empty one, and begins a new database in an empty file without a word.
Result<void> Store::judge_short_file() {
  const uint64_t bytes = bytes_of_file(path_);
  if (bytes >= kHeaderBytes) return {};
  if (bytes > 0) return move_damage_aside(path_ + " is shorter than a database's header");
  // SQLite would delete this -wal unread, as left from a database that is gone.
  if (bytes_of_file(path_ + "-wal") > 0) {
    return move_damage_aside(path_ + " is empty or gone, but its -wal is not");
  }
  if (file_exists(path_)) {
    notice(path_ +
           " was empty: what it held before, if anything, is lost; a new database was "
           "begun in it");
  }
  return {};
}

Result<void> Store::move_damage_aside(const std::string& damage) {
  Result<std::string> aside = move_aside(path_, Moved::database_and_side_files);
  if (!aside) return aside.error();
  notice(damage + ". It was moved to " + *aside +
         " and a new, empty database was begun: running arenas write themselves into it, "
         "everything else is only in the old file");
  return {};
}

Result<void> Store::ensure_connected() {
  if (connection_ != nullptr && connection_->file_has_moved()) {
    if (Result<void> left = leave_moved_file(); !left) return left;
  }
  if (connection_ != nullptr) return {};
  return connect();
}

// Someone renamed, replaced or deleted the file in use. SQLite would write on into a file that nobody finds again. The -wal
// that stays behind belongs to the old file and would spoil whatever stands there now.
Result<void> Store::leave_moved_file() {
  Result<std::string> aside = move_aside(path_, Moved::side_files_only);
  if (!aside) return aside.error();
  connection_.reset();
  notice(path_ + " was moved, replaced or deleted while in use. The -wal that it left, if any, is now " + *aside +
         "-wal; the store goes on with what is at its path");
  // Counted here, because what is there now may be an old copy with the same identity.
  identity_.clear();
  ++replacements_;
  return {};
}

Error Store::drop_if_suspect(Error error) {
  if (error.code == ErrorCode::corrupt) next_scrutiny_ = Scrutiny::full;
  if (connection_->is_suspect()) connection_.reset();
  return error;
}

Result<void> Store::commit(const StoreBatch& batch) {
  if (Result<void> checked = check_batch(batch); !checked) return checked;
  if (batch.empty()) return {};
  if (Result<void> ready = ensure_connected(); !ready) return ready;
  Result<void> written = connection_->write(replacements_ == replacements_before_ ? batch : with_all_that_go_on(batch));
  if (!written) return drop_if_suspect(written.error());
  replacements_before_ = replacements_;
  for (const ArenaId forgotten : batch.forgotten) going_on_.erase(forgotten);
  for (const ArenaRecord& arena : batch.arenas) remember(arena);
  return {};
}

// ---- Reading ----

// Reading is given the connection, and for what must not be believed skip_row().
template <class Reading>
auto Store::read(Reading reading) {
  using Read = decltype(reading(*connection_, OnDamage()));
  if (Result<void> ready = ensure_connected(); !ready) return Read(ready.error());
  Read read = reading(*connection_, [this](const std::string& what) { skip_row(what); });
  if (!read) return Read(drop_if_suspect(read.error()));
  return read;
}

StoreBatch Store::with_all_that_go_on(StoreBatch batch) const {
  for (const auto& [id, arena] : going_on_) {
    const bool is_there = std::ranges::find(batch.arenas, id, &ArenaRecord::id) != batch.arenas.end() ||
                          std::ranges::find(batch.forgotten, id) != batch.forgotten.end();
    if (!is_there) batch.arenas.push_back(arena);
  }
  return batch;
}

void Store::remember(const ArenaRecord& arena) {
  const bool goes_on = arena.disposition == ArenaDisposition::running || arena.disposition == ArenaDisposition::saved;
  if (goes_on) {
    going_on_.insert_or_assign(arena.id, arena);
  } else {
    going_on_.erase(arena.id);
  }
}

Result<std::vector<ArenaRecord>> Store::arenas() {
  auto all = read([](StoreConnection& from, const OnDamage& on_damage) { return from.arenas(on_damage); });
  // Not what another database says of them.
  if (all && replacements_ == replacements_before_) {
    for (const ArenaRecord& arena : *all) remember(arena);
  }
  return all;
}

Result<std::vector<GameRecord>> Store::games() {
  return read([](StoreConnection& from, const OnDamage&) { return from.games(); });
}

Result<std::vector<RolloutRecord>> Store::rollouts() {
  return read([](StoreConnection& from, const OnDamage&) { return from.rollouts(); });
}

Result<std::vector<CommandRecord>> Store::commands(uint64_t newest) {
  return read([&](StoreConnection& from, const OnDamage&) { return from.commands(newest); });
}

Result<std::vector<LifecycleRecord>> Store::lifecycle() {
  return read([](StoreConnection& from, const OnDamage&) { return from.lifecycle(); });
}

Result<uint64_t> Store::latest_command() {
  return read([](StoreConnection& from, const OnDamage&) { return from.latest_command(); });
}

Result<std::vector<RolloutArenaRecord>> Store::rollout_arenas(uint64_t rollout) {
  return read([&](StoreConnection& from, const OnDamage&) { return from.rollout_arenas(rollout); });
}

Result<std::vector<CheckpointRecord>> Store::checkpoints(ArenaId arena) {
  return read([&](StoreConnection& from, const OnDamage& on_damage) { return from.checkpoints(arena, on_damage); });
}

Result<std::vector<ResultRecord>> Store::results(ArenaId arena) {
  return read([&](StoreConnection& from, const OnDamage&) { return from.results(arena); });
}

Result<std::optional<uint64_t>> Store::latest_results_sequence(ArenaId arena) {
  return read([&](StoreConnection& from, const OnDamage&) { return from.latest_results_sequence(arena); });
}

Result<ResultPage> Store::result_page(const ResultQuery& query) {
  return read([&](StoreConnection& from, const OnDamage&) { return from.result_page(query); });
}

Result<std::optional<std::string>> Store::result_types(uint64_t id) {
  return read([&](StoreConnection& from, const OnDamage& on_damage) { return from.result_types(id, on_damage); });
}

Result<std::vector<IncidentRecord>> Store::incidents(std::optional<ArenaId> arena, IncidentScope scope, size_t newest) {
  return read(
      [&](StoreConnection& from, const OnDamage& on_damage) { return from.incidents(arena, scope, newest, on_damage); });
}

Result<std::vector<IncidentRecord>> Store::slow_frames(uint64_t before, size_t newest) {
  return read([&](StoreConnection& from, const OnDamage& on_damage) { return from.slow_frames(before, newest, on_damage); });
}

Result<std::optional<IncidentRecord>> Store::incident(uint64_t id) {
  return read([&](StoreConnection& from, const OnDamage& on_damage) { return from.incident(id, on_damage); });
}

Result<uint64_t> Store::latest_incident() {
  return read([](StoreConnection& from, const OnDamage&) { return from.latest_incident(); });
}

Result<std::vector<QuarantineRecord>> Store::quarantined(std::optional<ArenaId> arena) {
  return read([&](StoreConnection& from, const OnDamage& on_damage) { return from.quarantined(arena, on_damage); });
}

Result<std::optional<QuarantineRecord>> Store::quarantined_event(uint64_t id) {
  return read([&](StoreConnection& from, const OnDamage& on_damage) { return from.quarantined_event(id, on_damage); });
}

Result<uint64_t> Store::latest_quarantined() {
  return read([](StoreConnection& from, const OnDamage&) { return from.latest_quarantined(); });
}

void Store::skip_row(const std::string& what) {
  ++skipped_rows_;
  notice(path_ + ": skipped a damaged row, " + what + "; check the machine's disk and memory");
}

void Store::notice(std::string text) {
  if (notices_.size() < kMaxNotices) notices_.push_back(std::move(text));
}

std::vector<std::string> Store::take_notices() {
  return std::exchange(notices_, {});
}

}  // namespace arenad
