// The control groups of workers below the unit's own, of version 2, on a kernel that has them (user_mode_machine.sh): who is in which, what bounds
// it, and that an arenad which dies has a successor although groups below the unit hold its workers.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/real/reports.h"
#include "tests/systemd/match.h"
#include "tests/systemd/service.h"

using namespace arenad;
using namespace arenad::test;

namespace {

const std::filesystem::path kUnitGroup = "/sys/fs/cgroup/system.slice/arenad.service";

// The game may make files in memory, which no limit of resources counts.
// On such a kernel it may take seconds to fill memory, which is no hang.
constexpr const char* kSections =
    "[restart]\nintensity = 100\nwindow_ms = 1000\nfirst_delay_ms = 0\n"
    "[hang]\nhard_limit_ms = 0\n"
    "[games.hostile]\nmodule = \"/usr/lib/arenad/games/echo.so\"\nmemory_mib = 64\n"
    "system_calls = [\"memfd_create\"]\nwritable = [\"/run/arenad\"]\n";
// memory_mib, and 64 MiB for what the kernel holds, and the size of the region.
constexpr uint64_t kLeastLimit = 128ULL << 20;
constexpr uint64_t kMostLimit = 256ULL << 20;

std::string words_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string text;
  for (std::string word; in >> word;) text += (text.empty() ? "" : " ") + word;
  return text;
}

bool holds(const std::filesystem::path& group, pid_t pid) {
  return (" " + words_of(group / "cgroup.procs") + " ").find(" " + std::to_string(pid) + " ") != std::string::npos;
}

bool is_bounded(pid_t pid) {
  const auto group = kUnitGroup / ("worker-" + std::to_string(pid));
  if (!holds(group, pid)) return false;
  const std::string bytes = words_of(group / "memory.max");
  if (bytes.empty() || bytes == "max" || words_of(group / "pids.max") != "256") return false;
  return std::stoull(bytes) > kLeastLimit && std::stoull(bytes) < kMostLimit;
}

// Also of an arena that has no worker yet.
bool becomes_bounded(Service& service, const std::string& arena) {
  return eventually([&] {
    const std::string pid = service.try_to("arenactl status --no-header -o pid " + arena + " | grep -o '[0-9]*'").out;
    return !pid.empty() && is_bounded(static_cast<pid_t>(std::stoi(pid)));
  });
}

size_t worker_groups() {
  size_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it(kUnitGroup, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().starts_with("worker-")) ++count;
  }
  return count;
}

// A service with the hostile arena, the worker of which is bounded.
class BoundedService : public Service {
 public:
  BoundedService() : Service("", kSections) {
    (void)run("arenactl start hostile --name bomb");
    CHECK(becomes_bounded(*this, "bomb"));
  }
};

// Its file in memory takes all that its group may have.
void goes_off(Service& service, Match& match) {
  const uint64_t epoch = service.arena("bomb").epoch;
  Player eve(kControlSocket, "bomb", "eve");
  const char* cause = "/run/arenad/cause";
  write_file(cause, "");
  (void)service.run(std::string("chown arenad ") + cause);
  misbehave(eve, {.how = "fill-memfd", .while_file = cause, .times = Wish::Times::once});
  CHECK(match.plays_until([&] { return service.arena("bomb").epoch == epoch + 1; }));
  CHECK(service.run("arenactl crashes bomb --json").find("out of memory, at the limit of its own group") != std::string::npos);
}

}  // namespace

TEST_CASE("each worker is in a group of its own that bounds it; who goes over it is ended alone") {
  BoundedService service;
  CHECK(service.log().find("control group") == std::string::npos);
  const pid_t main_pid = service.main_pid();
  CHECK(holds(kUnitGroup / "supervisor", main_pid));
  CHECK(words_of(kUnitGroup / "cgroup.procs") == "");
  CHECK(service.number("MemoryCurrent") > 0);
  Match match;
  const Unit::Arena before = service.arena();
  goes_off(service, match);
  CHECK(becomes_bounded(service, "bomb"));
  goes_off(service, match);
  CHECK(service.main_pid() == main_pid);
  CHECK(service.arena().pid == before.pid);
  (void)match.is_whole();
}

TEST_CASE("an arenad that is killed has a successor, and workers that live are bounded by it anew") {
  BoundedService service;
  Match match;
  const pid_t duel = service.arena().pid;
  const pid_t bomb = service.arena("bomb").pid;
  for (int round = 0; round < 3; ++round) {
    const pid_t main_pid = service.main_pid();
    (void)service.run("systemctl kill -s KILL --kill-who=main arenad");
    CHECK(match.plays_until([&] { return service.is_back_after(main_pid); }));
    CHECK(holds(kUnitGroup / "supervisor", service.main_pid()));
    CHECK(match.plays_until([&] { return is_bounded(bomb); }));
  }
  CHECK(service.number("NRestarts") == 3);
  CHECK(service.arena().pid == duel);
  CHECK(service.arena("bomb").pid == bomb);
  goes_off(service, match);
  (void)match.is_whole();
}

TEST_CASE("the same after an upgrade, and after everything was killed at once") {
  BoundedService service;
  Match match;
  const pid_t main_pid = service.main_pid();
  const pid_t bomb = service.arena("bomb").pid;
  (void)service.run("arenactl upgrade");
  CHECK(service.main_pid() == main_pid);
  CHECK(holds(kUnitGroup / "supervisor", main_pid));
  CHECK(is_bounded(bomb));
  goes_off(service, match);
  (void)service.run("systemctl kill -s KILL --kill-who=all arenad");
  CHECK(eventually([&] { return service.is_back_after(main_pid); }));
  CHECK(becomes_bounded(service, "bomb"));
  CHECK_FALSE(std::filesystem::exists(kUnitGroup / ("worker-" + std::to_string(bomb))));
  goes_off(service, match);
  (void)match.is_whole();
}

TEST_CASE("a restart and a stop leave no group behind") {
  BoundedService service;
  (void)service.run("systemctl restart arenad");
  CHECK(becomes_bounded(service, "bomb"));
  const pid_t bomb = service.arena("bomb").pid;
  (void)service.run("arenactl kill bomb || arenactl stop bomb");
  CHECK(eventually([&] { return !std::filesystem::exists(kUnitGroup / ("worker-" + std::to_string(bomb))); }));
  (void)service.run("systemctl stop arenad");
  CHECK(service.property("Result") == "success");
  CHECK(worker_groups() == 0);
  CHECK(service.try_to("pgrep -u arenad").out == "");
}
