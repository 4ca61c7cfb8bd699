// The versions of the database, each as the SQL that makes it of the one before. Version 1 is schema.sql, which never changes
// again; whoever changes a table adds a migration here. StoreConnection applies, when it opens a database, those that the
// database does not have yet.
#pragma once

#include <cstdint>
#include <span>

namespace arenad {

// Brings a database of version - 1 to version, inside one transaction.
struct Migration {
  int64_t version;
  const char* sql;
};

// Ordered; the first makes version 1 of nothing, the last makes the version that this build writes.
std::span<const Migration> known_migrations();
inline int64_t newest_database_version() {
  return known_migrations().back().version;
}

}  // namespace arenad
