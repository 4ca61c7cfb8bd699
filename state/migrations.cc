#include "state/migrations.h"

#include <array>

#include "state/schema_sql.h"

namespace arenad {
namespace {

// Incidents and quarantine. As in version 1 there are no foreign keys, and a checksum is XXH3 of the other columns.
constexpr char kVersion2[] = R"sql(
CREATE TABLE incidents (
  id INTEGER PRIMARY KEY,
  arena BLOB NOT NULL CHECK (length(arena) = 16),
  epoch INTEGER NOT NULL,
  frame INTEGER NOT NULL,
  kind TEXT NOT NULL,  -- the words of to_string(IncidentKind)
  at_unix_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  report BLOB NOT NULL,
  UNIQUE (arena, epoch, kind, frame)
) STRICT;
-- For an arena's newest and for what of it is too old: read from the index alone.
CREATE INDEX incidents_by_arena ON incidents (arena, id, kind);
CREATE INDEX deaths_by_id ON incidents (id) WHERE kind <> 'slow';

CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY,
  arena BLOB NOT NULL CHECK (length(arena) = 16),
  channel INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  seat INTEGER NOT NULL,
  player TEXT NOT NULL,
  type INTEGER NOT NULL,
  frame INTEGER NOT NULL,
  at_unix_ms INTEGER NOT NULL,
  incident INTEGER NOT NULL,
  checksum INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  UNIQUE (arena, channel, sequence)
) STRICT;
CREATE INDEX quarantine_by_arena ON quarantine (arena, id);

-- incidents: how many there are, so that no commit has to count them. latest_incident and latest_quarantined: the highest id
-- that was ever used, which stays when its row goes.
CREATE TABLE counters (
  name TEXT PRIMARY KEY NOT NULL,
  value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// Versions of games. A code is the text of a CodeHash; empty: none.
constexpr char kVersion3[] = R"sql(
ALTER TABLE arenas RENAME COLUMN module_path TO code;
UPDATE arenas SET code = '';
ALTER TABLE arenas ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;

CREATE TABLE games (
  name TEXT PRIMARY KEY NOT NULL,
  configured TEXT NOT NULL,  -- the module of the configuration when this was written
  current TEXT NOT NULL,     -- what new arenas get
  previous TEXT NOT NULL     -- what a rollback goes back to
) STRICT, WITHOUT ROWID;
)sql";

// The last rollout of each game.
constexpr char kVersion4[] = R"sql(
CREATE TABLE rollouts (
  id INTEGER PRIMARY KEY,
  game TEXT NOT NULL UNIQUE,
  from_code TEXT NOT NULL,
  to_code TEXT NOT NULL,
  current_code TEXT NOT NULL,   -- what new arenas got when it began
  previous_code TEXT NOT NULL,  -- what a rollback went back to then
  from_version TEXT NOT NULL,
  to_version TEXT NOT NULL,
  canary INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  batch_percent INTEGER NOT NULL,
  on_failure TEXT NOT NULL,  -- the words of to_string(OnFailure)
  probation_ms INTEGER NOT NULL,
  probation_frames INTEGER NOT NULL,
  selection TEXT NOT NULL,  -- names, ids and globs, each with a line end behind it
  state TEXT NOT NULL,      -- the words of to_string(Rollout::State)
  paused INTEGER NOT NULL,
  pinned INTEGER NOT NULL,
  began_unix_ms INTEGER NOT NULL,
  ended_unix_ms INTEGER NOT NULL  -- 0: it is not over
) STRICT;

CREATE TABLE rollout_arenas (
  rollout INTEGER NOT NULL REFERENCES rollouts (id) ON DELETE CASCADE,
  arena BLOB NOT NULL CHECK (length(arena) = 16),
  position INTEGER NOT NULL,
  standing TEXT NOT NULL,  -- the words of to_string(Rollout::Standing)
  why TEXT NOT NULL,
  PRIMARY KEY (rollout, arena)
) STRICT, WITHOUT ROWID;
)sql";

// What was asked of arenad: a trail, of which the oldest rows go.
constexpr char kVersion5[] = R"sql(
CREATE TABLE history (
  id INTEGER PRIMARY KEY,
  at_unix_ms INTEGER NOT NULL,
  pid INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  gid INTEGER NOT NULL,
  verb TEXT NOT NULL,
  subject TEXT NOT NULL,
  outcome TEXT NOT NULL,  -- open, done, denied, or the words of to_string(ErrorCode)
  detail TEXT NOT NULL
) STRICT;
)sql";

// What has happened to arenas, numbered without a gap: of which the oldest rows go.
constexpr char kVersion6[] = R"sql(
CREATE TABLE lifecycle_events (
  number INTEGER PRIMARY KEY,
  at_unix_ms INTEGER NOT NULL,
  type TEXT NOT NULL,   -- the words of to_string(LifecycleEvent)
  arena TEXT NOT NULL,  -- the id; empty: none
  name TEXT NOT NULL,
  game TEXT NOT NULL,
  epoch INTEGER NOT NULL,
  frame INTEGER NOT NULL,
  details TEXT NOT NULL  -- key=value, each with a line end behind it
) STRICT;
)sql";

// What reads results when their arena is forgotten and the module of their game is gone. Of those that are there already it is known as
// far as their arena is.
constexpr char kVersion7[] = R"sql(
CREATE TABLE result_types (
  id INTEGER PRIMARY KEY,
  hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 16),  -- XXH3 of the bytes
  bytes BLOB NOT NULL
) STRICT;

CREATE TABLE result_versions (
  id INTEGER PRIMARY KEY,
  game TEXT NOT NULL,
  code TEXT NOT NULL,
  version TEXT NOT NULL,
  types INTEGER NOT NULL,  -- of result_types; 0: not known
  UNIQUE (game, code)
) STRICT;

CREATE TABLE result_arenas (
  arena BLOB PRIMARY KEY NOT NULL CHECK (length(arena) = 16),
  name TEXT NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE results ADD COLUMN player TEXT NOT NULL DEFAULT '';
ALTER TABLE results ADD COLUMN version INTEGER NOT NULL DEFAULT 0;  -- of result_versions; 0: not known
CREATE INDEX results_by_time ON results (recorded_unix_ms);

INSERT INTO result_arenas (arena, name) SELECT id, name FROM arenas WHERE id IN (SELECT arena FROM results);
INSERT INTO result_versions (game, code, version, types)
  SELECT DISTINCT game, code, '', 0 FROM arenas WHERE id IN (SELECT arena FROM results);
UPDATE results SET version = (SELECT v.id FROM arenas AS a JOIN result_versions AS v ON v.game = a.game AND v.code = a.code
                              WHERE a.id = results.arena)
  WHERE arena IN (SELECT id FROM arenas);
)sql";

constexpr std::array kMigrations = {Migration{1, kSchemaSql}, Migration{2, kVersion2}, Migration{3, kVersion3},
                                    Migration{4, kVersion4},  Migration{5, kVersion5}, Migration{6, kVersion6},
                                    Migration{7, kVersion7}};

}  // namespace

std::span<const Migration> known_migrations() {
  return kMigrations;
}

}  // namespace arenad
