// A process that commits checkpoints is killed at each single I/O system call, and each fails, once and from then on (strace's inject):
// what was acknowledged is there, what is there was attempted, and nothing is half.
//
// Every call is a process under strace; without ARENAD_TEST_SWEEP=whole one in kStride of them is taken, from a random first one. Ends
// with 77 if nobody may trace here.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>
#include <cstdlib>
#include <string>

#include <doctest/doctest.h>

#include "tests/real/process.h"
#include "tests/support/seed.h"
#include "tests/support/store_steps.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr uint64_t kOldSteps = 1;  // in the database before
constexpr uint64_t kSteps = 4;
constexpr int kSkipped = 77;
constexpr uint64_t kStride = 3;

bool may_trace() {
  return std::system("strace -qq -o /dev/null -e trace=getppid -e inject=getppid:retval=1 true") == 0;
}

std::vector<std::string> writer_on(const PrivateFolder& folder) {
  return {ARENAD_TEST_STEP_WRITER, (folder / "arenad.db").string(), std::to_string(kOldSteps + 1), std::to_string(kSteps)};
}

void make_old_database(const PrivateFolder& folder) {
  auto opened = Store::open((folder / "arenad.db").string());
  REQUIRE(opened.ok());
  for (uint64_t step = 1; step <= kOldSteps; ++step) REQUIRE(opened->store.commit(step_batch(step)).ok());
}

Finished run_under_strace(const PrivateFolder& folder, const std::string& call, const std::string& output,
                          const std::string& injection) {
  std::vector<std::string> command{"strace", "-f", "-qq", "-o", output, "-e", "trace=" + call};
  if (!injection.empty()) command.insert(command.end(), {"-e", "inject=" + call + ":" + injection});
  const auto writer = writer_on(folder);
  command.insert(command.end(), writer.begin(), writer.end());
  return run_to_end(command, folder);
}

// How often the writer makes this call when nothing is injected.
uint64_t times_called(const std::string& call) {
  const PrivateFolder folder;
  make_old_database(folder);
  const Finished ran = run_under_strace(folder, call, (folder / "calls").string(), "");
  REQUIRE(ran.code == 0);
  const std::string calls = read_file(folder / "calls");
  uint64_t times = 0;
  for (size_t at = calls.find(call + "("); at != std::string::npos; at = calls.find(call + "(", at + 1)) ++times;
  return times;
}

struct Sweep {
  uint64_t cases = 0;
  uint64_t hit = 0;
  uint64_t ahead = 0;
};

// One case: what the writer acknowledged, and what another process then finds.
void run_case(Sweep& sweep, const std::string& call, const std::string& injection) {
  CAPTURE(call);
  CAPTURE(injection);
  const PrivateFolder folder;
  make_old_database(folder);
  const Finished ran = run_under_strace(folder, call, "/dev/null", injection);
  const uint64_t acknowledged = kOldSteps + ran.out.size();
  const Found found = look_at((folder / "arenad.db").string());
  CAPTURE(ran.err);
  CHECK(fault_of(found, acknowledged, acknowledged + (acknowledged < kSteps ? 1 : 0)) == "");
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    CHECK(entry.path().filename().string().find("damaged") == std::string::npos);
  }
  ++sweep.cases;
  sweep.hit += ran.code != 0 || !ran.err.empty() ? 1 : 0;
  sweep.ahead += found.steps > acknowledged ? 1 : 0;
}

}  // namespace

TEST_CASE("sweep: killed, and failed, at every I/O system call") {
  const char* asked = std::getenv("ARENAD_TEST_SWEEP");
  const uint64_t stride = asked != nullptr && std::string(asked) == "whole" ? 1 : kStride;
  Random random(test_seed());
  const std::vector<std::string> ways{"signal=SIGKILL", "error=EIO", "error=ENOSPC", "error=EIO+", "error=ENOSPC+"};
  for (const std::string call : {"pwrite64", "fdatasync", "ftruncate", "unlink", "openat", "pread64"}) {
    const uint64_t times = times_called(call);
    Sweep sweep;
    for (const std::string& way : ways) {
      const bool lasts = way.ends_with('+');
      for (uint64_t nth = 1 + random.below(stride); nth <= times; nth += stride) {
        const std::string what = lasts ? way.substr(0, way.size() - 1) : way;
        run_case(sweep, call, what + ":when=" + std::to_string(nth) + (lasts ? "+" : ""));
      }
    }
    MESSAGE(call, ": called ", times, " times, ", sweep.cases, " cases, ", sweep.hit, " of them hit; ", sweep.ahead,
            " times a commit that was not acknowledged was there");
    if (stride == 1 && times > 0) CHECK(sweep.hit > 0);
  }
}

int main(int argc, char** argv) {
  if (!may_trace()) {
    std::puts("skipped: strace cannot trace here");
    return kSkipped;
  }
  return doctest::Context(argc, argv).run();
}
