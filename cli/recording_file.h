// Bytes that came in a memfd, on their way to a file.
#pragma once

#include <cstdint>
#include <string>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad::cli {

// The first `bytes` of the memfd to a descriptor. ErrorCode::corrupt if it is shorter.
Result<void> copy_memfd(const Fd& memfd, uint64_t bytes, int destination);

// To a file that has its name only when it is whole and on the disk: it is written as PATH.tmp, synced and renamed. After a
// failure there is no PATH.tmp, and PATH is as it was.
Result<void> save_memfd(const Fd& memfd, uint64_t bytes, const std::string& path);

}  // namespace arenad::cli
