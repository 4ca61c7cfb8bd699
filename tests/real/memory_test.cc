// A worker that the kernel ends for lack of memory is told apart from one that somebody killed. Needs the right to make a control group
// with a limit; where there is none, the test says so and ends with 77.
#include <cstdio>

#include <doctest/doctest.h>

#include "tests/real/reports.h"
#include "tests/support/memory_group.h"

using namespace arenad;
using namespace arenad::test;

TEST_CASE("out of memory is out of memory, and a kill is a kill") {
  auto group = MemoryGroup::limited(uint64_t{300} << 20);
  if (!group) {
    std::puts("skipped: no right to make a control group with a limit of memory");
    std::exit(77);  // NOLINT(concurrency-mt-unsafe)
  }
  Daemon daemon("[restart]\nintensity = 10\nfirst_delay_ms = 0\nmax_delay_ms = 0\n[hang]\nhard_limit_ms = 0\n" +
                echo_section());
  daemon.start(group->prefix());
  daemon.start_arena("duel");
  daemon.start_arena("other");
  const auto cause = daemon.folder() / "cause";
  Player ann(daemon.socket(), "duel", "ann");
  Player bob(daemon.socket(), "other", "bob");
  const auto play = [&] {
    for (int i = 0; i < 5; ++i) ann.say();
    for (int i = 0; i < 5; ++i) bob.say();
    CHECK(ann.hears_all());
    CHECK(bob.hears_all());
  };
  play();
  const auto newest = [&](uint64_t epoch) {
    REQUIRE(daemon.runs_again("duel", epoch));
    REQUIRE(eventually([&] {
      const auto all = crashes(daemon, "duel");
      return !all.empty() && all[0].epoch == epoch;
    }));
    return crashes(daemon, "duel")[0];
  };
  for (int round = 0; round < 2; ++round) {
    write_file(cause, "");
    const uint64_t epoch = daemon.arena("duel").epoch;
    misbehave(ann, {.how = "memory", .while_file = cause.string(), .times = Wish::Times::once});
    const Report report = newest(epoch);
    CHECK(report.kind == "out_of_memory");
    CHECK(report.cause.find("out of memory") != std::string::npos);
    CHECK(report.player == "ann");
    play();
    const Report killed = newest(daemon.kill_worker("duel"));
    CHECK(killed.kind == "killed");
    play();
  }
  CHECK(daemon.arena("other").epoch == 1);
  CHECK(ann.ask().applied == ann.said());
}
