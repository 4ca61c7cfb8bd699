// A control group for each worker: what no limit of resources counts is bounded by it, whoever goes over it is ended alone, and no group stays
// behind. Needs the right to make control groups; where there is none, the test says so and ends with 77.
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <sys/stat.h>

#include <doctest/doctest.h>

#include "tests/real/reports.h"
#include "tests/support/private_groups.h"

using namespace arenad;
using namespace arenad::test;

namespace {

constexpr const char* kAtLimit = "out of memory, at the limit of its own group";

std::string sections(const PrivateGroups& groups) {
  return "[restart]\nintensity = 100\nwindow_ms = 1000\nfirst_delay_ms = 0\nmax_delay_ms = 0\nhealthy_ms = 1\n"
         "[hang]\nsoft_limit_ms = 0\nhard_limit_ms = 20000\n[cage]\ngroups = \"" +
         groups.path() + "\"\n" + echo_section() +
         game_section("hostile", module_path("echo"), "memory_mib = 64\nthreads = true\nsystem_calls = [\"memfd_create\"]\n") +
         game_section("crowd", module_path("echo"), "memory_mib = 8192\nthreads = true\n") +
         game_section("loose", module_path("echo"), "enforce_cage = \"log\"\n") +
         game_section("free", module_path("echo"), "enforce_cage = \"off\"\n");
}

// An arenad whose workers have groups. Where none can be made there is nothing to test.
class Grouped {
 public:
  Grouped() : groups_(made()), daemon_(sections(groups_)) { daemon_.start(); }
  ~Grouped() {
    if (daemon_.pid() != 0) daemon_.stop();
    CHECK(groups_.names().empty());
  }
  Daemon& daemon() { return daemon_; }
  PrivateGroups& groups() { return groups_; }

  // Starts an arena whose worker is in its group.
  pid_t start(const std::string& name, const Params& params = {}, const std::string& game = "echo") {
    daemon_.start_arena(name, params, game);
    return enclosed(name);
  }
  pid_t enclosed(const std::string& name) {
    pid_t pid = 0;
    REQUIRE(eventually([&] {
      pid = daemon_.arena(name).pid;
      return pid != 0 && groups_.encloses(pid);
    }));
    return pid;
  }

 private:
  static PrivateGroups made() {
    auto groups = PrivateGroups::make();
    if (!groups) {
      std::puts("skipped: no right to make control groups for memory and tasks");
      std::exit(77);  // NOLINT(concurrency-mt-unsafe)
    }
    return std::move(*groups);
  }

  PrivateGroups groups_;
  Daemon daemon_;
};

// Such an event is then in quarantine, and the match goes on without it. Gives the kind and the cause of both deaths.
std::string kills_twice(Daemon& daemon, const std::string& arena, Player& player, const std::string& how) {
  const uint64_t quarantined = daemon.arena(arena).quarantined;
  const size_t before = crashes(daemon, arena).size();
  misbehave(player, {.how = how});
  REQUIRE(daemon.becomes(
      arena, [&](const ArenaFacts& facts) { return facts.quarantined == quarantined + 1 && facts.state == "running"; }));
  const auto deaths = crashes(daemon, arena);
  REQUIRE(deaths.size() == before + 2);
  CHECK(deaths[0].kind == deaths[1].kind);
  CHECK(deaths[0].cause == deaths[1].cause);
  return deaths[0].kind + ": " + deaths[0].cause;
}

void checks_bomb(Grouped& grouped, const std::string& arena, Player& eve) {
  Daemon& daemon = grouped.daemon();
  const std::string cause = kills_twice(daemon, arena, eve, "fill-memfd");
  CHECK_MESSAGE(cause.find("out_of_memory") == 0, cause);
  CHECK_MESSAGE(cause.find(kAtLimit) != std::string::npos, cause);
  CHECK(daemon.arena(arena).last_exit.find(kAtLimit) != std::string::npos);
  eve.say();
  CHECK(eve.hears_all());
  (void)grouped.enclosed(arena);
}

}  // namespace

TEST_CASE("memory that no limit of resources counts is bounded by the worker's group, and nobody else is harmed") {
  Grouped grouped;
  Daemon& daemon = grouped.daemon();
  const pid_t calm = grouped.start("calm", {{"hz", "50"}});
  Player bob(daemon.socket(), "calm", "bob");
  grouped.start("hostile", {}, "hostile");
  Player eve(daemon.socket(), "hostile", "eve");
  const auto plays = [&] {
    for (int i = 0; i < 5; ++i) bob.say();
    CHECK(bob.hears_all());
    CHECK(bob.complaint() == "");
    CHECK_FALSE(bob.disconnected());
    CHECK(bob.times_rolled_back() == 0);
  };
  const auto late_of_the_next = [&](uint64_t frames) {
    const ArenaFacts from = daemon.arena("calm");
    REQUIRE(daemon.becomes("calm", [&](const ArenaFacts& facts) { return facts.frame >= from.frame + frames; }));
    return daemon.arena("calm").frames_late - from.frames_late;
  };
  const uint64_t late_before = late_of_the_next(50);
  const ArenaFacts from = daemon.arena("calm");
  for (int round = 0; round < 3; ++round) {
    checks_bomb(grouped, "hostile", eve);
    plays();
  }
  const ArenaFacts to = daemon.arena("calm");
  MESSAGE("late frames of the arena beside: ", to.frames_late - from.frames_late, " of ", to.frame - from.frame, "; before, ",
          late_before, " of 50");
  CHECK((to.frames_late - from.frames_late) * 50 <= (late_before + 5) * (to.frame - from.frame) * 2);
  CHECK(to.pid == calm);
  CHECK(to.epoch == 1);
  // What is counted for a limit of resources fails there first, as without a group.
  const std::string cause = kills_twice(daemon, "hostile", eve, "memory");
  CHECK_MESSAGE(cause.find("out_of_memory") == std::string::npos, cause);
}

TEST_CASE("threads are bounded by the worker's group") {
  Grouped grouped;
  Daemon& daemon = grouped.daemon();
  grouped.start("crowd", {}, "crowd");
  Player eve(daemon.socket(), "crowd", "eve");
  const std::string cause = kills_twice(daemon, "crowd", eve, "threads");
  CHECK_MESSAGE(cause.find("no more than 255 threads") != std::string::npos, cause);
}

TEST_CASE("a group goes with its worker, and with it whatever the worker has left in it") {
  Grouped grouped;
  Daemon& daemon = grouped.daemon();
  const pid_t pid = grouped.start("quiet");
  REQUIRE(daemon.stop_arena("quiet"));
  CHECK(eventually([&] { return !grouped.groups().has_group_of(pid); }));

  // In a cage that only logs, a worker can start processes.
  const pid_t loose = grouped.start("loose", {}, "loose");
  Player eve(daemon.socket(), "loose", "eve");
  const auto cause_file = daemon.folder() / "cause";
  write_file(cause_file, "");
  misbehave(eve, {.how = "leave-child", .while_file = cause_file.string(), .times = Wish::Times::once});
  eve.say();
  CHECK(eve.hears_all());
  std::vector<pid_t> left;
  for (const pid_t child : children_of(loose)) left.push_back(child);
  REQUIRE(left.size() == 1);
  daemon.kill_worker("loose");
  CHECK(eventually([&] { return !grouped.groups().has_group_of(loose); }));
  CHECK(eventually([&] { return has_ended(left[0]); }));

  // Without a cage there is no group either.
  daemon.start_arena("free", {}, "free");
  REQUIRE(daemon.becomes("free", [](const ArenaFacts& facts) { return facts.state == "running"; }));
  (void)grouped.start("another");
  CHECK_FALSE(grouped.groups().has_group_of(daemon.arena("free").pid));
}

TEST_CASE("groups outlive arenad with their workers, and the next one removes those of the dead") {
  Grouped grouped;
  Daemon& daemon = grouped.daemon();
  const pid_t pid = grouped.start("hostile", {}, "hostile");
  daemon.kill_arenad();
  CHECK(grouped.groups().encloses(pid));
  for (const std::string& folder : grouped.groups().folders()) {
    REQUIRE(::mkdir((folder + "/worker-4194304").c_str(), 0755) == 0);
  }
  daemon.start();
  CHECK(daemon.arena("hostile").pid == pid);
  CHECK(grouped.groups().encloses(pid));
  CHECK(eventually([&] { return !grouped.groups().has_group_of(4194304); }));
  Player eve(daemon.socket(), "hostile", "eve");
  checks_bomb(grouped, "hostile", eve);

  // Another program in the same process.
  const pid_t second = grouped.enclosed("hostile");
  const Finished upgraded = daemon.arenactl({"upgrade"});
  CHECK_MESSAGE(upgraded.code == 0, upgraded.err);
  CHECK(daemon.arena("hostile").pid == second);
  CHECK(grouped.groups().encloses(second));
  checks_bomb(grouped, "hostile", eve);

  // All at once.
  const pid_t third = grouped.enclosed("hostile");
  daemon.crash();
  daemon.start();
  REQUIRE(daemon.becomes("hostile", [&](const ArenaFacts& facts) { return facts.state == "running" && facts.pid != third; }));
  CHECK(eventually([&] { return !grouped.groups().has_group_of(third); }));
  (void)grouped.enclosed("hostile");
}
