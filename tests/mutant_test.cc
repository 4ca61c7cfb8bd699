// Mutants by themselves: that a program makes the mistake that its environment names, that one alone, and no other.
#include "ipc/mutant.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <set>

#include <doctest/doctest.h>

#include "tests/support/child.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr int kPlanted = 3;
constexpr int kOtherPlanted = 4;

// How this program ends, executed again with that mutant, because a process looks at its environment when it begins.
Exit end_with(const char* mutant_name) {
  Child child([&] {
    ::setenv(kMutantVariable, mutant_name, 1);
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, STDOUT_FILENO);
    ::dup2(nowhere, STDERR_FILENO);
    ::execl("/proc/self/exe", "mutant_test", "--no-skip", "--test-case=role", nullptr);
    return kChildThrew;
  });
  return child.wait();
}

bool exited(const Exit& exit, int code) {
  return exit.how == Exit::How::exited && exit.value == code;
}

}  // namespace

// In the executed program alone.
TEST_CASE("role" * doctest::skip()) {
  REQUIRE(::getenv(kMutantVariable) != nullptr);
  if (ARENAD_MUTANT("hang.never_ended")) ::_exit(kPlanted);
  if (ARENAD_MUTANT("death.epoch_reused")) ::_exit(kOtherPlanted);
  ::_exit(kChildFine);
}

TEST_CASE("mutants: every name is there once") {
  const std::set<std::string_view> names(kMutants.begin(), kMutants.end());
  CHECK(names.size() == kMutants.size());
}

TEST_CASE("mutants: without the variable nothing is planted") {
  CHECK_FALSE(ARENAD_MUTANT("hang.never_ended"));
}

#ifdef ARENAD_CRASH_POINTS

TEST_CASE("mutants: the one that is named, and no other") {
  CHECK(exited(end_with("hang.never_ended"), kPlanted));
  CHECK(exited(end_with("death.epoch_reused"), kOtherPlanted));
  CHECK(exited(end_with("status.frame_of_last_checkpoint"), kChildFine));
}

TEST_CASE("mutants: a name that does not exist is no mutant that does no harm") {
  const Exit exit = end_with("hang.never_endet");
  CHECK(exit.how == Exit::How::signalled);
  CHECK(exit.value == SIGABRT);
}

#endif
