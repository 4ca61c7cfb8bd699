// Another process writes to the database for too long, as a backup tool or somebody with a shell might.
#include <memory>

#include <sqlite3.h>

#include "chaos/faults/catalogue.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close(db); }
};
using Connection = std::unique_ptr<sqlite3, Close>;

}  // namespace

Fault database_locked() {
  auto writer = std::make_shared<Connection>();  // from the injection to the healing
  return {.name = "database.locked",
          .does = "another process holds the database's write lock for a third of a second",
          .holds = "arenas play on, nothing is called durable meanwhile, and afterwards all is written",
          .inject = [writer](Stage& stage, const Strike&) -> Result<void> {
            if (*writer) return make_error(ErrorCode::refused, "it is locked already");
            sqlite3* db = nullptr;
            const auto path = stage.rig().folder() / "state/arenad.db";
            const int opened = sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr);
            Connection connection(db);
            if (opened == SQLITE_OK) sqlite3_busy_timeout(db, 1000);
            if (opened != SQLITE_OK || sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK)
              return make_error(ErrorCode::failed, std::string("cannot lock the database: ") + sqlite3_errmsg(db));
            *writer = std::move(connection);
            return {};
          },
          .heal = [writer](Stage&, const Strike&) -> Result<void> {
            writer->reset();
            return {};
          },
          .heal_after_ms = 330};
}

}  // namespace arenad::chaos
