// Commits steps of known contents (tests/support/store_steps.h) and prints each that was acknowledged: what checkpoint_sweep_test runs
// under strace. step_writer DATABASE FIRST LAST
#include <cstdio>
#include <cstdlib>
#include <unistd.h>

#include "tests/support/store_steps.h"

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const uint64_t first = std::strtoull(argv[2], nullptr, 10);
  const uint64_t last = std::strtoull(argv[3], nullptr, 10);
  std::optional<arenad::Store> store;
  int failures = 0;
  for (uint64_t step = first; step <= last;) {
    bool is_done = false;
    if (!store) {
      auto opened = arenad::Store::open(argv[1]);
      if (opened) {
        if (opened->notice) std::fprintf(stderr, "%s\n", opened->notice->c_str());
        store = std::move(opened->store);
        continue;
      }
      std::fprintf(stderr, "%s\n", opened.error().text().c_str());
    } else {
      const auto committed = store->commit(arenad::test::step_batch(step));
      is_done = committed.ok();
      if (!is_done) std::fprintf(stderr, "%s\n", committed.error().text().c_str());
    }
    if (!is_done) {
      if (++failures == 3) return 3;
      continue;
    }
    // Not one of the system calls that are swept.
    if (::write(STDOUT_FILENO, "a", 1) != 1) return 4;
    ++step;
  }
  return 0;
}
