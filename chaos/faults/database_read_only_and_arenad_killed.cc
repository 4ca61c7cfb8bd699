// Who may do everything is not kept from writing by a file's mode: for root the file is made immutable, where its file system knows that.
#include <csignal>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "chaos/faults/catalogue.h"
#include "chaos/faults/control_socket.h"
#include "chaos/faults/log_mark.h"
#include "chaos/faults/sick_disk.h"
#include "chaos/faults/signals.h"
#include "chaos/files.h"
#include "chaos/stage.h"

namespace arenad::chaos {
namespace {

constexpr const char* kReadOnlyDatabase = "database.read_only_and_arenad_killed";
// As the next arenad says it (state/store_connection.cc).
constexpr const char* kMayNotWrite = "may not write";

std::filesystem::path database_path(const Stage& stage) {
  return stage.rig().folder() / "state/arenad.db";
}

enum class Writing { allowed, forbidden };

Result<void> set_immutable(const std::filesystem::path& path, Writing writing) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  int flags = 0;
  if (!file || ::ioctl(file.get(), FS_IOC_GETFLAGS, &flags) != 0) return errno_error("cannot ask for the flags of a file");
  flags = writing == Writing::forbidden ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
  if (::ioctl(file.get(), FS_IOC_SETFLAGS, &flags) != 0) return errno_error("cannot set the flags of a file");
  return {};
}

Result<void> set_writing(const std::filesystem::path& path, Writing writing) {
  if (::geteuid() == 0) return set_immutable(path, writing);
  if (::chmod(path.c_str(), writing == Writing::forbidden ? 0400 : 0600) != 0)
    return errno_error("cannot change a file's mode");
  return {};
}

std::string cannot_forbid_writing(const Stage& stage) {
  const std::filesystem::path probe = stage.rig().folder() / "probe";
  std::error_code error;
  Result<void> can = write_file(probe, "");
  if (can) can = set_writing(probe, Writing::forbidden);
  (void)set_writing(probe, Writing::allowed);
  std::filesystem::remove(probe, error);
  return can ? "" : "a file that may not be written, also by root: " + can.error().text();
}

}  // namespace

Fault database_read_only_and_arenad_killed() {
  return {
      .name = kReadOnlyDatabase,
      .does = "arenad's database may not be written to, and arenad is killed",
      .holds = "the workers play on without it, and when the database may be written to again an arenad comes and adopts them",
      .arenad = Ends::must,
      .uses = "disk",
      // Nobody answers meanwhile.
      .alone = true,
      .missing = cannot_forbid_writing,
      .prepare = wait_for_arenad,
      .inject = [](Stage& stage, const Strike& strike) -> Result<void> {
        mark_log(stage, kReadOnlyDatabase, strike, kMayNotWrite);
        if (auto set = set_writing(database_path(stage), Writing::forbidden); !set) return set;
        return signal_arenad(stage, SIGKILL);
      },
      .fired = [](const Stage& stage,
                  const Strike& strike) { return has_logged(stage, kReadOnlyDatabase, strike, kMayNotWrite); },
      .heal = [](Stage& stage, const Strike& strike) -> Result<void> {
        if (auto set = set_writing(database_path(stage), Writing::allowed); !set) return set;
        return disk_becomes_well(stage, strike);
      },
      .heal_after_ms = 300,
      .plays_on = 20,
      .settled = is_made_up_for};
}

}  // namespace arenad::chaos
