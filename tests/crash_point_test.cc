// Crash points by themselves: that one armed place in one process goes off, once, and that nothing else notices.
#include "ipc/crash_point.h"

#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <set>

#include <doctest/doctest.h>

#include "tests/support/child.h"
#include "tests/support/seed.h"

using namespace arenad;
using namespace arenad::test;

namespace {

// Executes this program again, because a process maps the table when it begins.
constexpr const char* kRoleVariable = "ARENAD_CRASH_POINT_TEST_HITS";
constexpr size_t kHere = crash_point("frame.decided");
constexpr size_t kThere = crash_point("frame.recorded");

struct TableFile {
  TableFile() : path(std::filesystem::temp_directory_path() / ("arenad-points-" + std::to_string(random_u64()))) {}
  TableFile(const TableFile&) = delete;
  TableFile& operator=(const TableFile&) = delete;
  ~TableFile() {
    std::error_code error;
    std::filesystem::remove(path, error);
  }
  // How a process ends that passes both points so often. first: done by this process before it executes the program.
  [[nodiscard]] Exit hit(
      int times, const std::function<void()>& first = [] {}) const {
    Child child([&] {
      first();
      ::setenv(kCrashPointsVariable, path.c_str(), 1);
      ::setenv(kRoleVariable, std::to_string(times).c_str(), 1);
      const int nowhere = ::open("/dev/null", O_WRONLY);
      ::dup2(nowhere, STDOUT_FILENO);
      ::dup2(nowhere, STDERR_FILENO);
      ::execl("/proc/self/exe", "crash_point_test", "--no-skip", "--test-case=role", nullptr);
      return kChildThrew;
    });
    return child.wait();
  }
  [[nodiscard]] bool survives(int times) const {
    const Exit exit = hit(times);
    return exit.how == Exit::How::exited && exit.value == kChildFine;
  }
  std::filesystem::path path;
};

bool killed(const Exit& exit, int signal) {
  return exit.how == Exit::How::signalled && exit.value == signal;
}

}  // namespace

// In the executed program alone: so many hits of each of the two.
TEST_CASE("role" * doctest::skip()) {
  const char* hits = ::getenv(kRoleVariable);
  REQUIRE(hits != nullptr);
  for (int i = std::atoi(hits); i > 0; --i) {
    ARENAD_CRASH_POINT("frame.decided");
    ARENAD_CRASH_POINT("frame.recorded");
  }
  ::_exit(kChildFine);
}

TEST_CASE("crash points: every name is there once") {
  const std::set<std::string_view> names(kCrashPoints.begin(), kCrashPoints.end());
  CHECK(names.size() == kCrashPoints.size());
}

#ifdef ARENAD_CRASH_POINTS

TEST_CASE("crash points: without a file, and with one that is not a table, nothing happens") {
  TableFile file;
  CHECK(file.survives(3));
  std::FILE* other = std::fopen(file.path.c_str(), "w");
  REQUIRE(other != nullptr);
  std::fputs("not a table", other);
  std::fclose(other);
  CHECK(file.survives(3));
  CHECK_FALSE(CrashPointTable::create(file.path).ok());  // it is somebody's
}

TEST_CASE("crash points: hits are counted over all processes, and the n-th one ends its process") {
  TableFile file;
  auto table = CrashPointTable::create(file.path);
  REQUIRE(table.ok());
  CHECK(file.survives(2));
  CHECK(table->hits(kHere) == 2);
  table->arm(kHere, 5);
  CHECK(file.survives(2));
  CHECK(file.survives(2));
  CHECK_FALSE(table->fired());
  CHECK(killed(file.hit(2), SIGKILL));
  CHECK(table->fired());
  CHECK(table->fired_pid() > 0);
  CHECK(table->hits(kHere) == 7);
  CHECK(table->hits(kThere) == 6);
  // Its successor passes.
  CHECK(file.survives(5));
  table->arm(kThere, 1);
  CHECK_FALSE(table->fired());
  CHECK(killed(file.hit(1), SIGKILL));
}

TEST_CASE("crash points: a second trap counts from the first one's death") {
  TableFile file;
  auto table = CrashPointTable::create(file.path);
  REQUIRE(table.ok());
  table->arm(kHere, 2);
  table->arm_second(kHere, 2);
  CHECK(killed(file.hit(9), SIGKILL));
  CHECK_FALSE(table->fired(1));
  CHECK(killed(file.hit(9), SIGKILL));
  CHECK(table->fired(1));
  CHECK(table->hits(kHere) == 4);
  CHECK(file.survives(9));
}

TEST_CASE("crash points: disarmed, nothing happens") {
  TableFile file;
  auto table = CrashPointTable::create(file.path);
  REQUIRE(table.ok());
  table->arm(kHere, 1);
  table->arm_second(kHere, 1);
  table->disarm();
  CHECK(file.survives(9));
}

TEST_CASE("crash points: a process's own trap is sprung by nobody else, and waits beside the others") {
  TableFile file;
  auto table = CrashPointTable::create(file.path);
  REQUIRE(table.ok());
  const pid_t someone = ::getpid();  // lives, and hits nothing
  CHECK(table->arm_in(someone, kHere, 1, CrashAction::kill));
  CHECK_FALSE(table->arm_in(someone + static_cast<pid_t>(kOwnTraps), kHere, 1, CrashAction::kill));
  CHECK(file.survives(3));
  CHECK_FALSE(table->fired_in(someone));
  table->disarm_in(someone);
  CHECK(table->arm_in(someone, kThere, 1, CrashAction::kill));
  table->arm(kHere, 2);
  CHECK(killed(file.hit(3), SIGKILL));
  CHECK(table->fired());
  CHECK_FALSE(table->fired_in(someone));
  table->disarm_in(someone);
  const Exit exit = file.hit(3, [&] { table->arm_in(::getpid(), kThere, 2, CrashAction::exit_with, 7); });
  CHECK(exit.how == Exit::How::exited);
  CHECK(exit.value == 7);
  CHECK(table->hits(kThere) == 3 + 1 + 2);
}

TEST_CASE("crash points: an action that a process survives is done once") {
  TableFile file;
  auto table = CrashPointTable::create(file.path);
  REQUIRE(table.ok());
  table->arm(kHere, 1, CrashAction::sleep);
  CHECK(file.survives(3));
  CHECK(table->fired());
}

TEST_CASE("crash points: ways to die") {
  TableFile file;
  auto table = CrashPointTable::create(file.path);
  REQUIRE(table.ok());
  table->arm(kHere, 1, CrashAction::abort);
  CHECK(killed(file.hit(1), SIGABRT));
  table->arm(kHere, 1, CrashAction::exit);
  CHECK(file.survives(3));
  CHECK(table->hits(kThere) == 0);
#ifndef __SANITIZE_ADDRESS__  // which has its own answer to this signal
  table->arm(kHere, 1, CrashAction::segv);
  CHECK(killed(file.hit(1), SIGSEGV));
#endif
}

#endif
