#include "chaos/faults/catalogue.h"
#include "chaos/faults/database_file.h"

namespace arenad::chaos {
namespace {

constexpr size_t kHeaderBytes = 100;  // sqlite.org/fileformat.html

}  // namespace

Fault database_header_garbage() {
  return database_damaged(
      "database.header_garbage",
      "The header of arenad's database is overwritten with garbage while arenad uses it: it is none any more",
      "arenad finds it when it reads again, moves the file aside, begins another one and writes all arenas that run into it",
      [](const std::filesystem::path& database, Random& random) { return overwrite(database, 0, kHeaderBytes, random); });
}

}  // namespace arenad::chaos
