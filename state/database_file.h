// The database as files of the operating system: the file itself and its -wal, -shm and -journal, which belong to it. Store
// asks here before SQLite may see a path, and moves aside here what proved to be damaged. What stands in the files is not known
// here.
//
// Invariant: nothing is deleted or written. What is moved aside gets a name that was unused.
#pragma once

#include <cstdint>
#include <string>

#include "arenad/result.h"

namespace arenad {

// Symbolic links are followed now, as SQLite follows them, so that the file and its -wal are moved aside together.
std::string absolute_path(const std::string& path);

bool file_exists(const std::string& path);
// 0 also if there is no such file.
uint64_t bytes_of_file(const std::string& path);

// Nothing there is as good as a regular file. ErrorCode::invalid for a folder or a device.
Result<void> require_regular_file(const std::string& path);

enum class Moved { database_and_side_files, side_files_only };

// Renames what there is of a database; -wal and -shm keep their endings, so that the old database can still be opened under its
// new name. Returns that name: path.damaged-20260131T235959.123Z, and a number behind it if that is taken.
Result<std::string> move_aside(const std::string& path, Moved what);

}  // namespace arenad
