-- Arenad's database, version 1. Runs inside the transaction that also sets application_id and user_version, so a database
-- either has all of this or is empty. Later versions are migrations of their own (migrations.cc); this file no longer changes.
-- Arena ids are 16 bytes, big-endian, and therefore sort by time of creation. Times are Unix milliseconds.

-- One row. Every transaction counts here, so every transaction in a -wal carries the identity of its database, and a -wal
-- that belongs to another database is recognised.
CREATE TABLE store (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  identity BLOB NOT NULL,
  commits INTEGER NOT NULL
) STRICT;
INSERT INTO store (one, identity, commits) VALUES (1, randomblob(16), 0);

CREATE TABLE arenas (
  id BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
  name TEXT NOT NULL,
  game TEXT NOT NULL,
  module_path TEXT NOT NULL,
  disposition TEXT NOT NULL,  -- the words of to_string(ArenaDisposition)
  epoch INTEGER NOT NULL,
  created_unix_ms INTEGER NOT NULL,
  changed_unix_ms INTEGER NOT NULL,
  reason TEXT NOT NULL,
  restarts INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE arena_params (
  arena BLOB NOT NULL REFERENCES arenas (id) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (arena, position)
) STRICT, WITHOUT ROWID;

-- No foreign key here and none in results: a row that comes in before or after its arena's must never make the transaction
-- fail that carries everybody else's. Checkpoints without an arena are swept when the database is opened.
CREATE TABLE checkpoints (
  arena BLOB NOT NULL CHECK (length(arena) = 16),
  epoch INTEGER NOT NULL,
  frame INTEGER NOT NULL,
  taken_unix_ms INTEGER NOT NULL,
  checksum INTEGER NOT NULL,  -- XXH3 of the other columns
  bytes BLOB NOT NULL,
  PRIMARY KEY (arena, epoch, frame)
) STRICT;

-- Results outlive their arenas.
CREATE TABLE results (
  arena BLOB NOT NULL CHECK (length(arena) = 16),
  sequence INTEGER NOT NULL,
  seat INTEGER NOT NULL,
  type INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  recorded_unix_ms INTEGER NOT NULL,
  PRIMARY KEY (arena, sequence)
) STRICT;
