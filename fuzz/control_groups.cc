// The kernel's texts of control groups (supervisor/control_group.h, oom_witness.h): names of groups are given by whoever makes them.
#include "fuzz/harness.h"
#include "supervisor/control_group.h"
#include "supervisor/oom_witness.h"

namespace arenad::fuzz {
namespace {

void run(std::string_view input) {
  Source source(input);
  const std::string_view cgroups = source.sized();
  const std::string_view rest = source.rest();
  for (const GroupHierarchy& hierarchy : group_hierarchies(cgroups, rest)) {
    ARENAD_ASSERT(hierarchy.own.starts_with('/'));
    ARENAD_ASSERT(hierarchy.version == GroupVersion::v2 || hierarchy.has_memory || hierarchy.has_pids);
    const std::string folder = hierarchy.folder(hierarchy.own);
    ARENAD_ASSERT(folder.empty() || folder.starts_with(hierarchy.mount));
    ARENAD_ASSERT(!given_group(hierarchy.own).empty());
  }
  (void)oom_counter_path(std::string(cgroups));
  for (const GroupVersion version : {GroupVersion::v1, GroupVersion::v2}) (void)group_oom(version, cgroups, rest);
  for (const pid_t pid : parse_processes(rest)) ARENAD_ASSERT(pid > 0);
  (void)has_word(rest, "memory");
  if (const auto pid = parse_worker_group_name(rest)) ARENAD_ASSERT(worker_group_name(*pid) == rest);
}

std::vector<std::string> seeds() {
  return {Input()
              .sized("0::/system.slice/arenad.service/supervisor\n")
              .bytes("30 23 0:26 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw\n")
              .text(),
          Input()
              .sized("4:memory:/a\n5:pids:/b\n")
              .bytes("31 1 0:1 /a /sys/fs/cgroup/memory\\040x rw - cgroup cgroup rw,memory\n")
              .text(),
          Input().sized("low 0\noom 1\noom_kill 2\n").bytes("12\n4711\n").text(),
          Input().sized("").bytes("worker-4711").text()};
}

}  // namespace

extern const Harness control_groups_harness;
const Harness control_groups_harness{
    run,
    seeds,
    {"0::/", ":memory:/", ":pids:/", " - cgroup2 ", " - cgroup ", "\\040", "oom_kill ", "oom ", "memory", "worker-", "\n"},
    512};

}  // namespace arenad::fuzz
