// What the durable state is made of: one struct for each kind of row, and the batch in which rows are written. Plain values;
// where and how they are kept is store.h.
#pragma once

#include <cstdint>
#include <optional>
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
  std::string code;                                         // CodeHash of the module that it runs, as text; empty: not known
  std::vector<std::pair<std::string, std::string>> params;  // in the order in which they were given
  ArenaDisposition disposition = ArenaDisposition::running;
  uint64_t epoch = 0;
  int64_t created_unix_ms = 0;
  int64_t changed_unix_ms = 0;
  std::string reason;  // why it is in this disposition, for people
  uint64_t restarts = 0;
  bool pinned = false;  // no rollout changes its code

  bool operator==(const ArenaRecord&) const = default;
};

// Which versions of a game there are, by the texts of their CodeHashes; empty: none.
struct GameRecord {
  std::string name;
  std::string configured;  // the version of the configuration when this was written
  std::string current;     // what new arenas get
  std::string previous;    // what a rollback goes back to

  bool operator==(const GameRecord&) const = default;
};

// The last rollout of a game (supervisor/rollout.h); the words are those of to_string() there. Codes are texts of CodeHashes; empty: not kept.
struct RolloutRecord {
  uint64_t id = 0;  // chosen by arenad, counts over all games
  std::string game;
  std::string from;      // what arenas come from, and go back to
  std::string to;        // what they get
  std::string current;   // what new arenas got when it began
  std::string previous;  // what a rollback went back to then
  std::string from_version;
  std::string to_version;
  uint32_t canary = 0;
  uint32_t batch = 0;
  uint32_t batch_percent = 0;
  std::string on_failure;
  uint64_t probation_ms = 0;
  uint64_t probation_frames = 0;
  std::vector<std::string> selection;  // names, ids and globs, without line ends in them; none: all arenas of the game
  std::string state;
  bool paused = false;
  uint32_t pinned = 0;
  int64_t began_unix_ms = 0;
  int64_t ended_unix_ms = 0;  // 0: it is not over

  bool operator==(const RolloutRecord&) const = default;
};

// One arena of it.
struct RolloutArenaRecord {
  uint64_t rollout = 0;
  ArenaId arena;
  uint64_t position = 0;  // in the order in which they come
  std::string standing;
  std::string why;  // it failed

  bool operator==(const RolloutArenaRecord&) const = default;
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
  std::string player = {};  // who had the seat then; empty: not known
  std::string game =
      {};  // with `code` the version that recorded it, of which there is a ResultVersionRecord; both empty: not known
  std::string code = {};  // the text of its CodeHash

  bool operator==(const ResultRecord&) const = default;
};

// A version of a game that has recorded results: what reads them later.
struct ResultVersionRecord {
  std::string game;
  std::string code;     // the text of its CodeHash; empty: it is not kept
  std::string version;  // its own
  std::string types;  // GameSchema (ipc/control.capnp) in stream framing, opaque here; empty: not known, or the module has none

  bool operator==(const ResultVersionRecord&) const = default;
};

// What an arena with results is called: its results outlive it.
struct ResultArenaRecord {
  ArenaId arena;
  std::string name;

  bool operator==(const ResultArenaRecord&) const = default;
};

// So many results are looked at for a page, and it ends when its messages have so many bytes: nobody waits long for the store, and it fits
// into one answer.
inline constexpr int64_t kResultPageRows = 1000;
inline constexpr size_t kResultPageBytes = 256 * 1024;

// Where a page of results begins: behind this one. Of one arena `row` is the sequence; else they are in the order of their times.
struct ResultPosition {
  int64_t recorded_unix_ms = INT64_MAX;
  int64_t row = INT64_MAX;

  bool operator==(const ResultPosition&) const = default;
};

struct ResultQuery {
  std::optional<ArenaId> arena = {};  // none: of all
  std::string game = {};              // empty: of all
  int64_t since_unix_ms = 0;
  ResultPosition before = {};
};

struct FoundResult {
  ResultRecord record;
  std::string version;     // of the game that recorded it; empty: not known
  uint64_t types = 0;      // to be read with Store::result_types(); 0: not known
  std::string arena_name;  // empty: not known
};

// Newest first.
struct ResultPage {
  std::vector<FoundResult> results;
  ResultPosition next;  // where the next page begins
  bool more = false;    // there may be such a page
};

// A worker's end, or a frame that took too long (ipc/crash.capnp).
enum class IncidentKind { crash, exit, killed, out_of_memory, hang, slow };

// Also the words in the database, so they never change.
constexpr const char* to_string(IncidentKind kind) {
  switch (kind) {
    case IncidentKind::crash:
      return "crash";
    case IncidentKind::exit:
      return "exit";
    case IncidentKind::killed:
      return "killed";
    case IncidentKind::out_of_memory:
      return "out_of_memory";
    case IncidentKind::hang:
      return "hang";
    case IncidentKind::slow:
      return "slow";
  }
  return "?";
}

// Which incidents are asked for: every kind but slow, or all. Slow ones alone are read by slow_frames().
enum class IncidentScope { deaths, deaths_and_slow_frames };

struct IncidentRecord {
  uint64_t id = 0;  // chosen by arenad: it goes on from latest_incident()
  ArenaId arena;
  Epoch epoch;
  FrameNumber frame;
  IncidentKind kind = IncidentKind::crash;
  int64_t at_unix_ms = 0;
  std::string report;  // a wire::Crash, one segment; opaque here

  bool operator==(const IncidentRecord&) const = default;
};

// An event that an arena does not get. Identified by (arena, channel, sequence).
struct QuarantineRecord {
  uint64_t id = 0;  // chosen by arenad: it goes on from latest_quarantined()
  ArenaId arena;
  ChannelId channel;
  uint64_t sequence = 0;
  uint32_t seat = 0;
  std::string player;
  uint64_t type = 0;
  FrameNumber frame;
  int64_t at_unix_ms = 0;
  uint64_t incident = 0;
  std::string bytes;  // one Cap'n Proto segment

  bool operator==(const QuarantineRecord&) const = default;
};

// So many of them are kept, the newest.
inline constexpr uint64_t kCommandsKept = 10'000;

// What somebody has asked of arenad that changes something, or was not allowed. Its texts are for people; empty: nothing to say.
struct CommandRecord {
  uint64_t id = 0;  // chosen by arenad: it goes on from latest_command()
  int64_t at_unix_ms = 0;
  uint32_t pid = 0;  // of who asked
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::string verb;
  std::string subject;
  std::string outcome;
  std::string detail;

  bool operator==(const CommandRecord&) const = default;
};

// So many of them are kept, the newest.
inline constexpr uint64_t kLifecycleEventsKept = 10'000;

// Something that has happened to an arena, a game or arenad. Numbers have no gaps.
struct LifecycleRecord {
  uint64_t number = 0;  // chosen by arenad: it goes on from the highest there is
  int64_t at_unix_ms = 0;
  std::string type;
  std::string arena;  // its id as text; empty: none
  std::string name;
  std::string game;
  uint64_t epoch = 0;
  uint64_t frame = 0;
  std::vector<std::pair<std::string, std::string>> details;  // in the order in which they are told; without line ends in them

  bool operator==(const LifecycleRecord&) const = default;
};

// What one transaction writes, in the order of its members, but for unquarantined: an arena that is both forgotten and written
// in one batch is afterwards there, with nothing from before. Writing the same batch twice has the effect of writing it once.
struct StoreBatch {
  std::vector<ArenaId> forgotten;                // row, checkpoints and quarantine go, results and incidents stay
  std::vector<ArenaRecord> arenas;               // inserted, or replace the row of the same id
  std::vector<CheckpointRecord> checkpoints;     // the two newest of each arena stay
  std::vector<ResultRecord> results;             // the first of a sequence stays
  std::vector<ResultArenaRecord> result_arenas;  // inserted, or replace the row of the same arena
  std::vector<ResultVersionRecord>
      result_versions;  // the same by (game, code), but that one without types leaves those that are there
  std::vector<IncidentRecord>
      incidents;  // the first of an (arena, epoch, kind, frame) stays; the oldest go when there are many
  std::vector<IncidentRecord>
      recovered;  // their reports take the place of those of the same incidents, of which there are rows
  std::vector<QuarantineRecord> quarantined;  // the first of an (arena, channel, sequence) stays
  // Ids of entries that go, before those in `quarantined` come: an event that is let go and is quarantined anew under another id
  // is there. An id that is in both stays gone, and is used up all the same.
  std::vector<uint64_t> unquarantined;
  std::vector<GameRecord> games;                   // inserted, or replace the row of the same name
  std::vector<RolloutRecord> rollouts;             // inserted, or replace the row of the same id; another one of its game goes
  std::vector<RolloutArenaRecord> rollout_arenas;  // the same by (rollout, arena), if there is that rollout
  std::vector<CommandRecord> commands;             // inserted, or replace the row of the same id; the oldest go
  std::vector<LifecycleRecord> lifecycle;          // the same by number

  [[nodiscard]] bool empty() const {
    return result_arenas.empty() && result_versions.empty() && lifecycle.empty() && commands.empty() && rollouts.empty() &&
           rollout_arenas.empty() && games.empty() && forgotten.empty() && arenas.empty() && checkpoints.empty() &&
           results.empty() && incidents.empty() && recovered.empty() && quarantined.empty() && unquarantined.empty();
  }
};

}  // namespace arenad
