// A database whose content follows from one number: how many steps have been committed. So whatever a fault leaves can be told to be
// whole, to be some steps behind, or to be something that nobody wrote.
//
// Each step writes, in one batch: the rows of three arenas with this epoch, a checkpoint and a result of each, the row of a short-lived
// arena, and forgets that of the step before.
#pragma once

#include <cstdint>
#include <string>

#include "state/store.h"

namespace arenad::test {

StoreBatch step_batch(uint64_t step);

struct Found {
  uint64_t steps = 0;
  std::string complaint;  // empty: it is exactly what so many steps write
  std::string notice;     // of the store, when it was opened
};

// Opens the database as arenad would after a crash, and looks at all that is in it.
Found look_at(const std::string& path);

// Empty if all is well: nothing that was acknowledged is missing, nothing is there that was never tried, and nothing is half.
std::string fault_of(const Found& found, uint64_t acknowledged, uint64_t attempted);

}  // namespace arenad::test
