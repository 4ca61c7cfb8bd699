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

// A connection of this process to arenad's database. Closing it leaves the -wal alone.
std::shared_ptr<sqlite3> open_database(const Stage& stage);
// The same, with the right to write, which nobody else has before it is closed.
Result<std::shared_ptr<sqlite3>> lock_database(const Stage& stage);

// To the file at this path; its -wal lies beside it.
using Deed = std::function<Result<void>(const std::filesystem::path& database, Random& random)>;

// Fault::inject: arenad runs on, and may be in the middle of a commit. The deed takes the file from its path.
std::function<Result<void>(Stage&, const Strike&)> takes_database(Deed deed);
// Fault::inject: nobody commits while the deed is done, and arenad is killed before anybody commits again.
std::function<Result<void>(Stage&, const Strike&)> spoils_database_and_kills_arenad(Deed deed);

// Fault::fired: there is another file at its path. Of takes_database().
bool another_database_is_there(const Stage& stage, const Strike& strike);
// Fault::settled: what the arena had come to is in the database that arenad has now. Of both.
bool database_is_made_up_for(Stage& stage, const Strike& strike);

// A Fault, but for what is done.
Fault database_taken(const char* name, const char* does, const char* holds, Deed deed);
Fault database_spoiled(const char* name, const char* does, const char* holds, Deed deed);

// All that is in it at one moment, as a database.
Result<void> copy_database(const std::filesystem::path& from, const std::filesystem::path& to);
// So many random bytes over what is there.
Result<void> overwrite(const std::filesystem::path& file, uint64_t offset, size_t bytes, Random& random);

}  // namespace arenad::chaos
