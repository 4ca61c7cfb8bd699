// The packages on a machine that never had Arenad, from the installation to the purge, with a match on it (package_test.sh boots the machine).
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/systemd/match.h"
#include "tests/systemd/service.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kConfiguration = "/etc/arenad/arenad.toml";
constexpr const char* kDatabase = "/var/lib/arenad/arenad.db";

// Files and folders with that name, beside what dpkg and systemd remember of packages and users that were there.
constexpr const char* kFindFiles =
    "find / -xdev \\( -path /mnt -o -path /proc -o -path /sys -o -path /tmp -o -path /var/log \\) -prune -o -name '*arena*' "
    "-print";

std::string install(Unit& unit, const std::string& packages) {
  return unit.run("cd /mnt/packages && dpkg --install " + packages + " 2>&1");
}

}  // namespace

TEST_CASE("installed, used, upgraded under a match, removed, installed again and purged") {
  Unit unit;
  const std::string before = unit.run(kFindFiles);

  // Installed: it runs, and will run after a boot.
  (void)install(unit, "first/*.deb");
  CHECK(unit.property("ActiveState") == "active");
  CHECK(unit.property("UnitFileState") == "enabled");
  CHECK(unit.run("arenactl list --no-header") == "");
  CHECK(unit.run("ps -o user= -p " + std::to_string(unit.main_pid())) == "arenad\n");
  CHECK(unit.try_to("dpkg --verify arenad arenactl arenad-chaos arenad-python libarenad-dev").out == "");
  CHECK(unit.try_to("systemd-analyze verify arenad.service").err == "");
  const char* ask_version = "arenactl version --json | sed 's/,\"uptime_ms.*//'";
  const std::string first = unit.run(ask_version);

  // The configuration that came with it is one to go on from.
  (void)unit.run("arenad --check-config --config " + std::string(kConfiguration));
  (void)unit.run("install /mnt/echo.so /usr/lib/arenad/games/");
  (void)unit.run(std::string("printf '\\n[games.echo]\\nmodule = \"/usr/lib/arenad/games/echo.so\"\\n' >> ") + kConfiguration);
  (void)unit.run("systemctl reload arenad && arenactl start echo --name duel --param hz=60");
  uint64_t said = 0;
  {
    Match match;
    match.play(200);

    // Another version, under the match: the same process, the new program, and no frame that it was waited for.
    Pace pace(unit);
    const pid_t pid = unit.main_pid();
    const std::string told = install(unit, "newer/*.deb");
    CHECK_MESSAGE(told.find("matches went on") != std::string::npos, told);
    CHECK(unit.main_pid() == pid);
    CHECK(unit.number("NRestarts") == 0);
    CHECK(unit.run(ask_version) != first);
    CHECK(unit.run("readlink /proc/" + std::to_string(pid) + "/exe") == "/usr/bin/arenad\n");
    CHECK(unit.run("arenad --version").find(NEWER_VERSION) != std::string::npos);
    CHECK(unit.run("arenactl version").find(NEWER_VERSION) != std::string::npos);
    CHECK(unit.run(std::string("tail -n 1 ") + kConfiguration).find("echo.so") != std::string::npos);
    match.play(200);
    pace.is_kept();
    (void)match.is_whole();

    // One whose arenad does not even start: the package is there, the old program goes on, and it is said.
    const std::string warned = install(unit, "broken/*.deb");
    CHECK_MESSAGE(warned.find("stays as it was") != std::string::npos, warned);
    CHECK(unit.main_pid() == pid);
    match.play(200);
    pace.is_kept();
    (void)match.is_whole();

    // And back to where it began.
    CHECK(install(unit, "first/*.deb").find("matches went on") != std::string::npos);
    CHECK(unit.run(ask_version) == first);
    CHECK(unit.main_pid() == pid);
    match.play(200);
    pace.is_kept();
    said = match.is_whole();
  }

  // One that was stopped by hand stays so.
  (void)unit.run("systemctl stop arenad");
  (void)install(unit, "newer/*.deb");
  CHECK(unit.property("ActiveState") == "inactive");

  // Removed: nothing runs, nothing of the program is there; matches and configuration wait.
  (void)unit.run("systemctl start arenad && dpkg --remove arenad-chaos arenad 2>&1");
  CHECK(unit.try_to("pgrep -u arenad").out == "");
  CHECK(unit.try_to("systemctl cat arenad").code != 0);
  CHECK_FALSE(std::filesystem::exists("/usr/bin/arenad"));
  CHECK(std::filesystem::exists(kDatabase));
  CHECK(std::filesystem::exists(kConfiguration));
  (void)install(unit, "newer/*.deb");
  {
    Match match(said);
    match.play(200);
    CHECK(match.is_whole() > said);
  }

  // Purged while it runs.
  (void)unit.run(
      "rm /usr/lib/arenad/games/echo.so && dpkg --purge arenad arenactl arenad-chaos arenad-python libarenad-dev 2>&1");
  CHECK(unit.try_to("pgrep -u arenad").out == "");
  CHECK(unit.run(kFindFiles) == before);
  CHECK(unit.try_to("systemctl list-units --all --no-legend 'arenad*'").out == "");
}
