// How a database is opened: what the caller of Store::open() may choose, and how thoroughly Store has its connection check it.
#pragma once

#include <chrono>
#include <span>

#include "state/migrations.h"

namespace arenad {

struct StoreOptions {
  std::chrono::milliseconds busy_timeout{1000};  // for another process that holds a lock
  std::span<const Migration> migrations = known_migrations();
};

// How thoroughly a database is checked when it is opened.
enum class Scrutiny {
  quick,  // every page and row, SQLite's quick_check
  full,   // and that the indexes agree with the tables: after damage that the quick one missed
};

}  // namespace arenad
