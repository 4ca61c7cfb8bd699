// Traps of system calls: which call of which process meets them.
#include "chaos/sweep/call_table.h"

#include <fstream>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.h"

namespace {

using namespace arenad::sweep;
using What = CallFate::What;

constexpr size_t kOpen = io_call("openat");
constexpr size_t kRead = io_call("read");
constexpr uint32_t kPid = 77;

struct Shared {
  arenad::test::TemporaryFolder folder;
  CallTable run = *CallTable::create(folder.path() / "calls");
  CallTableLayout& processes = *map_call_table((folder.path() / "calls").c_str());
  uint64_t now_ns = 1'000'000'000;
  CallFate call(CallRole role, size_t call) { return next_call(processes, {role, kPid, now_ns}, call); }
};

}  // namespace

TEST_CASE("calls are counted by process and call, armed or not") {
  Shared shared;
  CHECK(shared.call(CallRole::arenad, kOpen).what == What::done);
  CHECK(shared.call(CallRole::worker, kOpen).what == What::done);
  CHECK(shared.call(CallRole::worker, kOpen).what == What::done);
  CHECK(shared.run.count(CallRole::arenad, kOpen) == 1);
  CHECK(shared.run.count(CallRole::worker, kOpen) == 2);
  CHECK(shared.run.count(CallRole::template_process, kOpen) == 0);
  CHECK(shared.run.count(CallRole::worker, kRead) == 0);
}

TEST_CASE("the n-th call since the arming fails, and none else") {
  Shared shared;
  (void)shared.call(CallRole::arenad, kOpen);
  shared.run.arm({CallRole::arenad, kOpen, 2, {EMFILE, Lasting::once}});
  CHECK(shared.call(CallRole::arenad, kOpen).what == What::done);
  CHECK(shared.call(CallRole::worker, kOpen).what == What::done);
  CHECK(shared.call(CallRole::arenad, kRead).what == What::done);
  CHECK(shared.run.fired(0) == 0);
  const CallFate fate = shared.call(CallRole::arenad, kOpen);
  CHECK(fate.what == What::fails);
  CHECK(fate.error == EMFILE);
  CHECK(shared.run.fired(0) == 1);
  CHECK(shared.run.fired_pid(0) == kPid);
  CHECK(shared.call(CallRole::arenad, kOpen).what == What::done);
}

TEST_CASE("what lasts fails for a while") {
  Shared shared;
  shared.run.arm({CallRole::worker, kRead, 2, {EIO, Lasting::for_a_while}});
  CHECK(shared.call(CallRole::worker, kRead).what == What::done);
  for (int i = 0; i < 5; ++i) CHECK(shared.call(CallRole::worker, kRead).what == What::fails);
  shared.now_ns += kLastingMs * 1'000'000 - 1;
  CHECK(shared.call(CallRole::worker, kRead).what == What::fails);
  shared.now_ns += 1;
  CHECK(shared.call(CallRole::worker, kRead).what == What::done);
  CHECK(shared.run.fired(0) == 6);
}

TEST_CASE("a death comes once") {
  Shared shared;
  shared.run.arm({CallRole::worker, kRead, 1, {}});
  CHECK(shared.call(CallRole::worker, kRead).what == What::killed);
  CHECK(shared.call(CallRole::worker, kRead).what == What::done);
}

TEST_CASE("the second counts from when the first has gone off, without the call that did it") {
  Shared shared;
  shared.run.arm({CallRole::arenad, kOpen, 2, {}});
  shared.run.arm_second({CallRole::arenad, kOpen, 1, {EIO, Lasting::once}});
  CHECK(shared.call(CallRole::arenad, kOpen).what == What::done);
  CHECK(shared.call(CallRole::arenad, kOpen).what == What::killed);
  CHECK(shared.run.fired(1) == 0);
  CHECK(shared.call(CallRole::arenad, kOpen).what == What::fails);
  CHECK(shared.call(CallRole::arenad, kOpen).what == What::done);
}

TEST_CASE("arming forgets what was armed before") {
  Shared shared;
  shared.run.arm({CallRole::arenad, kOpen, 1, {}});
  shared.run.arm_second({CallRole::arenad, kRead, 1, {}});
  (void)shared.call(CallRole::arenad, kOpen);
  shared.run.arm({CallRole::worker, kOpen, 1, {}});
  CHECK(shared.run.fired(0) == 0);
  CHECK(shared.call(CallRole::arenad, kRead).what == What::done);
  shared.run.disarm();
  CHECK(shared.call(CallRole::worker, kOpen).what == What::done);
}

TEST_CASE("a file that is no table is not taken for one") {
  const arenad::test::TemporaryFolder folder;
  CHECK(map_call_table((folder.path() / "none").c_str()) == nullptr);
  std::ofstream(folder.path() / "short") << "short";
  CHECK(map_call_table((folder.path() / "short").c_str()) == nullptr);
  std::ofstream(folder.path() / "zeros") << std::string(sizeof(CallTableLayout), '\0');
  CHECK(map_call_table((folder.path() / "zeros").c_str()) == nullptr);
}
