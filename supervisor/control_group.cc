#include "supervisor/control_group.h"

#include <algorithm>
#include <charconv>

#include "ipc/region.h"

namespace arenad {
namespace {

// Takes what stands before the separator off the text.
std::string_view take_until(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool has_item(std::string_view list, std::string_view item) {
  while (!list.empty()) {
    if (take_until(list, ',') == item) return true;
  }
  return false;
}

// mountinfo has space, tab, line feed and backslash as three octal digits (proc(5)).
std::string unescaped(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    const auto is_octal = [](char c) { return c >= '0' && c <= '7'; };
    if (text[0] == '\\' && text.size() >= 4 && std::all_of(text.begin() + 1, text.begin() + 4, is_octal)) {
      plain += static_cast<char>((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
      text.remove_prefix(4);
    } else {
      plain += text[0];
      text.remove_prefix(1);
    }
  }
  return plain;
}

struct Mount {
  GroupVersion version;
  std::string_view options;  // of the file system: the controllers of version 1
  std::string top;
  std::string path;
};

// ID PARENT MAJOR:MINOR ROOT PATH OPTIONS [TAGS...] - TYPE SOURCE OPTIONS
std::optional<Mount> parse_mount(std::string_view line) {
  for (int skipped = 0; skipped < 3; ++skipped) take_until(line, ' ');
  Mount mount{GroupVersion::v1, {}, unescaped(take_until(line, ' ')), {}};
  mount.path = unescaped(take_until(line, ' '));
  while (!line.empty() && take_until(line, ' ') != "-") {
  }
  const std::string_view type = take_until(line, ' ');
  if (type != "cgroup" && type != "cgroup2") return std::nullopt;
  if (type == "cgroup2") mount.version = GroupVersion::v2;
  take_until(line, ' ');
  mount.options = line;
  return mount;
}

// The count in a line "name COUNT"; 0 if there is none.
uint64_t counted(std::string_view text, std::string_view name) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    if (take_until(line, ' ') == name) return number_of<uint64_t>(line).value_or(0);
  }
  return 0;
}

constexpr std::string_view kWorkerPrefix = "worker-";

}  // namespace

std::string GroupHierarchy::folder(std::string_view group) const {
  if (!group.starts_with('/') || mount.empty()) return {};
  if (top != "/") {
    if (group != top && !group.starts_with(top + "/")) return {};
    group.remove_prefix(top.size());
  }
  if (group == "/") group = {};
  return mount + std::string(group);
}

std::vector<GroupHierarchy> group_hierarchies(std::string_view cgroups, std::string_view mountinfo) {
  std::vector<GroupHierarchy> found;
  while (!cgroups.empty()) {
    // NUMBER:CONTROLLERS:GROUP
    std::string_view group = take_until(cgroups, '\n');
    take_until(group, ':');
    const std::string_view controllers = take_until(group, ':');
    GroupHierarchy hierarchy;
    hierarchy.version = controllers.empty() ? GroupVersion::v2 : GroupVersion::v1;
    hierarchy.has_memory = has_item(controllers, "memory");
    hierarchy.has_pids = has_item(controllers, "pids");
    hierarchy.own = group;
    const bool is_wanted = hierarchy.version == GroupVersion::v2 || hierarchy.has_memory || hierarchy.has_pids;
    if (!group.starts_with('/') || !is_wanted) continue;
    std::string_view mounts = mountinfo;
    while (!mounts.empty()) {
      const auto mount = parse_mount(take_until(mounts, '\n'));
      if (!mount || mount->version != hierarchy.version) continue;
      if (hierarchy.has_memory && !has_item(mount->options, "memory")) continue;
      if (hierarchy.has_pids && !has_item(mount->options, "pids")) continue;
      hierarchy.mount = mount->path;
      hierarchy.top = mount->top;
      found.push_back(hierarchy);
      break;
    }
  }
  return found;
}

std::string given_group(std::string_view group) {
  const size_t slash = group.rfind('/');
  if (slash == std::string_view::npos) return std::string(group);
  const std::string_view last = group.substr(slash + 1);
  if (last != kOwnGroup && last != kCommandsGroup) return std::string(group);
  return slash == 0 ? "/" : std::string(group.substr(0, slash));
}

std::string worker_group_name(pid_t pid) {
  return std::string(kWorkerPrefix) + std::to_string(pid);
}

std::optional<pid_t> parse_worker_group_name(std::string_view name) {
  if (!name.starts_with(kWorkerPrefix)) return std::nullopt;
  const auto pid = number_of<pid_t>(name.substr(kWorkerPrefix.size()));
  return pid && *pid > 0 && worker_group_name(*pid) == name ? pid : std::nullopt;
}

std::vector<GroupSetting> group_settings(const GroupHierarchy& hierarchy, const GroupLimits& limits) {
  std::vector<GroupSetting> settings;
  if (hierarchy.has_memory && limits.memory_bytes) {
    const std::string bytes = std::to_string(*limits.memory_bytes);
    if (hierarchy.version == GroupVersion::v2) {
      // What is swapped out is not there in time for a frame; and who is over the limit must not live on there.
      settings.push_back({"memory.swap.max", "0", WhenMissing::is_no_matter});
      settings.push_back({"memory.oom.group", "1", WhenMissing::is_no_matter});
      settings.push_back({"memory.max", bytes});
    } else {
      settings.push_back({"memory.limit_in_bytes", bytes});
      // Of both together. It is looked at first, so it is a page higher: what is refused counts for the limit that oom_files() asks about.
      settings.push_back(
          {"memory.memsw.limit_in_bytes", std::to_string(*limits.memory_bytes + kPageBytes), WhenMissing::is_no_matter});
    }
  }
  if (hierarchy.has_pids) settings.push_back({"pids.max", std::to_string(limits.tasks)});
  return settings;
}

OomFiles oom_files(GroupVersion version) {
  if (version == GroupVersion::v1) return {"memory.oom_control", "memory.failcnt"};
  return {"memory.events", "memory.events"};
}

GroupOom group_oom(GroupVersion version, std::string_view killed, std::string_view at_limit) {
  if (counted(killed, "oom_kill") == 0) return GroupOom::none;
  const uint64_t at_own =
      version == GroupVersion::v1 ? number_of<uint64_t>(take_until(at_limit, '\n')).value_or(0) : counted(at_limit, "oom");
  return at_own == 0 ? GroupOom::elsewhere : GroupOom::at_own_limit;
}

std::vector<pid_t> parse_processes(std::string_view text) {
  std::vector<pid_t> pids;
  while (!text.empty()) {
    // 0: of another namespace.
    if (const auto pid = number_of<pid_t>(take_until(text, '\n')); pid && *pid > 0) pids.push_back(*pid);
  }
  return pids;
}

bool has_word(std::string_view text, std::string_view word) {
  while (!text.empty()) {
    std::string_view line = take_until(text, '\n');
    while (!line.empty()) {
      if (take_until(line, ' ') == word) return true;
    }
  }
  return false;
}

}  // namespace arenad
