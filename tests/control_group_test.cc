#include "supervisor/control_group.h"

#include <doctest/doctest.h>

#include "supervisor/cage.h"

using namespace arenad;

namespace {

// A machine of version 2 alone.
constexpr const char* kUnifiedMounts =
    "22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw\n"
    "29 22 0:25 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 "
    "rw,nsdelegate,memory_recursiveprot\n";

// Controllers in hierarchies of version 1, and an empty one of version 2.
constexpr const char* kHybridMounts =
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime shared:4 master:2 - cgroup cgroup rw,pids\n"
    "40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n";
constexpr const char* kHybridGroups =
    "9:name=systemd:/system.slice/a.service\n8:pids:/system.slice/b.service\n4:memory:/c\n1:cpu,cpuacct:/\n0::/d\n";

GroupHierarchy v1(bool memory, bool pids) {
  GroupHierarchy hierarchy;
  hierarchy.version = GroupVersion::v1;
  hierarchy.has_memory = memory;
  hierarchy.has_pids = pids;
  return hierarchy;
}
GroupHierarchy v2() {
  GroupHierarchy hierarchy;
  hierarchy.has_memory = true;
  hierarchy.has_pids = true;
  return hierarchy;
}

std::string written(const std::vector<GroupSetting>& settings) {
  std::string text;
  for (const GroupSetting& one : settings) {
    text += one.file + "=" + one.value + (one.when_missing == WhenMissing::is_no_matter ? "? " : " ");
  }
  return text;
}

}  // namespace

TEST_CASE("control group: the one hierarchy of version 2") {
  const auto found = group_hierarchies("0::/system.slice/arenad.service\n", kUnifiedMounts);
  REQUIRE(found.size() == 1);
  CHECK((found[0].version == GroupVersion::v2));
  CHECK(found[0].own == "/system.slice/arenad.service");
  CHECK(found[0].folder(found[0].own) == "/sys/fs/cgroup/system.slice/arenad.service");
  CHECK(found[0].folder("/") == "/sys/fs/cgroup");
  CHECK(found[0].folder("relative").empty());
}

TEST_CASE("control group: hierarchies of version 1, each where it is mounted") {
  const auto found = group_hierarchies(kHybridGroups, kHybridMounts);
  REQUIRE(found.size() == 3);
  CHECK(found[0].has_pids);
  CHECK_FALSE(found[0].has_memory);
  CHECK(found[0].folder(found[0].own) == "/sys/fs/cgroup/pids/system.slice/b.service");
  CHECK(found[1].has_memory);
  CHECK(found[1].folder("/x") == "/sys/fs/cgroup/memory/x");
  CHECK((found[2].version == GroupVersion::v2));
  CHECK(found[2].folder(found[2].own) == "/sys/fs/cgroup/unified/d");

  SUBCASE("two controllers in one") {
    const auto both = group_hierarchies("3:memory,pids:/a\n", "1 2 0:3 / /both rw - cgroup cgroup rw,memory,pids\n");
    REQUIRE(both.size() == 1);
    CHECK(both[0].has_memory);
    CHECK(both[0].has_pids);
  }
  SUBCASE("one that is not mounted is not there") {
    CHECK(group_hierarchies("3:memory:/a\n0::/\n", "").empty());
    CHECK(group_hierarchies("3:memory:/a\n", kUnifiedMounts).empty());
  }
}

TEST_CASE("control group: a mount that shows a part of the hierarchy") {
  const auto found = group_hierarchies("0::/box/arenad\n", "1 2 0:3 /box /sys/fs/cgroup rw - cgroup2 none rw\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].folder("/box/arenad") == "/sys/fs/cgroup/arenad");
  CHECK(found[0].folder("/box") == "/sys/fs/cgroup");
  CHECK(found[0].folder("/boxes").empty());
  CHECK(found[0].folder("/").empty());
}

TEST_CASE("control group: names with spaces, and lines that are none") {
  const auto found = group_hierarchies("garbage\n0::/a:b c\n\n::\n", "x\n1 2 0:3 / /my\\040groups rw - cgroup2 none rw\n- -\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].folder(found[0].own) == "/my groups/a:b c");
  CHECK(group_hierarchies("", kUnifiedMounts).empty());
  CHECK(group_hierarchies("0::relative\n", kUnifiedMounts).empty());
}

TEST_CASE("control group: arenad's own part of a group is taken off") {
  CHECK(given_group("/system.slice/arenad.service/supervisor") == "/system.slice/arenad.service");
  CHECK(given_group("/system.slice/arenad.service") == "/system.slice/arenad.service");
  CHECK(given_group("/supervisor") == "/");
  CHECK(given_group("/system.slice/arenad.service/.control") == "/system.slice/arenad.service");
  CHECK(given_group("/a/supervisor/b") == "/a/supervisor/b");
  CHECK(given_group("/my-supervisor") == "/my-supervisor");
  CHECK(given_group("/") == "/");
}

TEST_CASE("control group: a worker's group is named by its pid, and no other name is taken for one") {
  CHECK(worker_group_name(4711) == "worker-4711");
  CHECK(parse_worker_group_name("worker-4711") == 4711);
  for (const char* other : {"", "worker-", "worker-0", "worker--1", "worker-01", "worker-1x", "worker-99999999999",
                            "supervisor", "my-worker-1", "worker-1/..", "worker- 1"}) {
    CAPTURE(other);
    CHECK_FALSE(parse_worker_group_name(other));
  }
}

TEST_CASE("control group: what is written into a group") {
  const GroupLimits limits{1024, 7};
  CHECK(written(group_settings(v2(), limits)) == "memory.swap.max=0? memory.oom.group=1? memory.max=1024 pids.max=7 ");
  CHECK(written(group_settings(v1(true, false), limits)) == "memory.limit_in_bytes=1024 memory.memsw.limit_in_bytes=5120? ");
  CHECK(written(group_settings(v1(false, true), limits)) == "pids.max=7 ");
  CHECK(written(group_settings(v1(true, true), {std::nullopt, 7})) == "pids.max=7 ");
  CHECK(written(group_settings(v2(), {std::nullopt, 7})) == "pids.max=7 ");
}

TEST_CASE("control group: whether the kernel has ended somebody for memory, and for whose limit") {
  SUBCASE("version 2") {
    const auto oom = [](const std::string& events) { return group_oom(GroupVersion::v2, events, events); };
    CHECK((oom("low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n") == GroupOom::none));
    CHECK((oom("low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 1\n") == GroupOom::at_own_limit));
    CHECK((oom("low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\noom_group_kill 0\n") == GroupOom::elsewhere));
    // It was over its limit, and whoever needed the memory got it.
    CHECK((oom("low 0\nhigh 0\nmax 90\noom 3\noom_kill 0\n") == GroupOom::none));
  }
  SUBCASE("version 1") {
    const auto oom = [](const std::string& kills, const std::string& failures) {
      return group_oom(GroupVersion::v1, "oom_kill_disable 0\nunder_oom 0\noom_kill " + kills + "\n", failures);
    };
    CHECK((oom("0", "0\n") == GroupOom::none));
    CHECK((oom("0", "812\n") == GroupOom::none));
    CHECK((oom("1", "812\n") == GroupOom::at_own_limit));
    CHECK((oom("1", "0\n") == GroupOom::elsewhere));
    CHECK((oom("1", "") == GroupOom::elsewhere));
  }
  SUBCASE("nothing, and garbage") {
    for (const GroupVersion version : {GroupVersion::v1, GroupVersion::v2}) {
      for (const char* text : {"", "\n", "oom_kill", "oom_kill \n", "oom_kill x\n", "oom_kill -1\n", "not_oom_kill 4\n"}) {
        CHECK((group_oom(version, text, text) == GroupOom::none));
      }
    }
  }
}

TEST_CASE("control group: lists of processes and of controllers") {
  CHECK(parse_processes("") == std::vector<pid_t>{});
  CHECK(parse_processes("1\n4711\n") == std::vector<pid_t>{1, 4711});
  CHECK(parse_processes("0\nx\n-4\n12") == std::vector<pid_t>{12});
  CHECK(has_word("cpuset cpu io memory pids\n", "memory"));
  CHECK(has_word("memory\n", "memory"));
  CHECK_FALSE(has_word("memory.max cpu\n", "memory"));
  CHECK_FALSE(has_word("", "memory"));
}

TEST_CASE("control group: its limit is above what the worker may allocate, and its region") {
  GameConfig game;
  game.memory_mib = 100;
  const auto limits = group_limits(game, 5000);
  REQUIRE(limits);
  CHECK(limits->memory_bytes == (uint64_t{164} << 20) + 5000);
  CHECK(limits->tasks == 256);
  game.cage = CageMode::log;
  CHECK(group_limits(game, 5000) == limits);
  game.memory_mib = 0;
  REQUIRE(group_limits(game, 5000));
  CHECK_FALSE(group_limits(game, 5000)->memory_bytes);
  game.cage = CageMode::off;
  CHECK_FALSE(group_limits(game, 5000));
}
