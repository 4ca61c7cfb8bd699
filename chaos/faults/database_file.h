// The files of arenad's database, taken away or spoiled under it: what the faults of the database have in common. What was stored in them is
// kept for whoever judges the results (former_databases.h), and what arenad has moved aside is cleared away when it has gone on.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "chaos/fault.h"
#include "chaos/random.h"

struct sqlite3;

namespace arenad::chaos {

// A connection of this process to arenad's database. Closing it leaves the -wal alone. No trigger fires for what is written by it.
std::shared_ptr<sqlite3> open_database(const Stage& stage);
std::shared_ptr<sqlite3> open_database(const std::filesystem::path& path);
// The same, with the right to write, which nobody else has before it is closed.
Result<std::shared_ptr<sqlite3>> lock_database(const Stage& stage);

// To the file at this path; its -wal lies beside it.
using Deed = std::function<Result<void>(const std::filesystem::path& database, Random& random)>;

// A Fault, but for what is done: arenad runs on, and may be in the middle of a commit. The deed takes the file from its path.
Fault database_taken(const char* name, const char* does, const char* holds, Deed deed);
// The same: arenad runs on, everything is in the file when the deed damages it in its place, and arenad is asked for what is there.
// The damage must keep results from being committed: nobody could read them there.
Fault database_damaged(const char* name, const char* does, const char* holds, Deed deed);
// The same: arenad is killed, and the deed is done before the keeper may start another one.
Fault database_spoiled(const char* name, const char* does, const char* holds, Deed deed);

// Fault::fired: there is another file at its path. Of the first two.
bool another_database_is_there(const Stage& stage, const Strike& strike);
// Fault::settled: what the arena had come to is in the database that arenad has now.
bool database_is_made_up_for(Stage& stage, const Strike& strike);

// All that is in it at one moment, as a database.
Result<void> copy_database(const std::filesystem::path& from, const std::filesystem::path& to);
Result<void> execute(sqlite3* db, const std::string& sql);
// The first number of the first row.
Result<int64_t> number_from(sqlite3* db, const std::string& sql);
// So many random bytes over what is there.
Result<void> overwrite(const std::filesystem::path& file, uint64_t offset, size_t bytes, Random& random);

}  // namespace arenad::chaos
