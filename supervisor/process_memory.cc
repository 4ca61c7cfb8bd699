#include "supervisor/process_memory.h"

#include <charconv>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/process.h"
#include "supervisor/control_group.h"
#include "supervisor/metrics_facts.h"
#include "supervisor/oom_witness.h"

namespace arenad {
namespace {

std::optional<uint64_t> read_file_number(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  if (!(file >> word)) return std::nullopt;
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;  // "max"
  return value;
}

// Version 1 has a number that no machine has where version 2 says "max".
constexpr uint64_t kNoLimit = uint64_t{1} << 60;

std::optional<MemoryFacts::Group> read_group(const std::string& folder) {
  const bool is_v1 = std::filesystem::exists(folder + "/memory.usage_in_bytes");
  const auto bytes = read_file_number(folder + (is_v1 ? "/memory.usage_in_bytes" : "/memory.current"));
  if (!bytes) return std::nullopt;
  auto limit = read_file_number(folder + (is_v1 ? "/memory.limit_in_bytes" : "/memory.max"));
  if (limit && *limit >= kNoLimit) limit.reset();
  return MemoryFacts::Group{*bytes, limit};
}

double fullness(const MemoryFacts::Group& group) {
  return static_cast<double>(group.bytes) / static_cast<double>(std::max<uint64_t>(*group.limit_bytes, 1));
}

std::string own_cgroups() {
  std::ifstream file("/proc/self/cgroup");
  return {std::istreambuf_iterator<char>(file), {}};
}

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// Since Linux 6.2 the size of that folder is their number (proc(5)); to list it takes a millisecond for a thousand.
uint64_t open_files() {
  constexpr const char* kFolder = "/proc/self/fd";
  struct stat facts {};
  if (::stat(kFolder, &facts) == 0 && facts.st_size > 0) return static_cast<uint64_t>(facts.st_size);
  uint64_t count = 0;
  std::error_code error;
  for (std::filesystem::directory_iterator it(kFolder, error), end; !error && it != end; it.increment(error)) ++count;
  return count;
}

MemoryFacts::Self read_self() {
  MemoryFacts::Self self;
  self.resident_bytes = resident_bytes_of(::getpid());
  rusage usage{};
  if (::getrusage(RUSAGE_SELF, &usage) == 0) self.cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
  self.open_files = open_files();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) self.max_open_files = limit.rlim_cur;
  return self;
}

}  // namespace

void CpuTimes::read(const std::vector<Reading>& now) {
  std::map<pid_t, uint64_t> workers;
  for (const Reading& reading : now) {
    const uint64_t before = value_of(workers_, reading.pid);
    // Less than before: another process has the number now.
    const uint64_t taken = reading.ns >= before ? reading.ns - before : reading.ns;
    games_[reading.game] += taken;
    if (!reading.arena.empty()) arenas_[reading.arena] += taken;
    workers[reading.pid] = reading.ns;
  }
  workers_ = std::move(workers);
}

void read_cpu_times(MetricsFacts& facts) {
  std::map<pid_t, std::string> names;
  std::set<std::string> with_series;
  for (const ArenaMetrics& arena : facts.arenas) {
    names[arena.pid] = arena.name;
    with_series.insert(arena.name);
  }
  std::vector<CpuTimes::Reading> now;
  for (const auto& [game, metrics] : facts.games) {
    for (const pid_t pid : metrics.workers) {
      const auto ns = cpu_time_ns(pid);
      const auto named = names.find(pid);
      if (ns) now.push_back({pid, *ns, game, named == names.end() ? "" : named->second});
    }
  }
  facts.cpu.read(now);
  facts.cpu.forget_arenas_but([&](const std::string& name) { return with_series.contains(name); });
}

uint64_t resident_bytes_of(pid_t pid) {
  static const auto page_bytes = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
  std::FILE* file = std::fopen(("/proc/" + std::to_string(pid) + "/statm").c_str(), "re");
  if (file == nullptr) return 0;
  unsigned long size = 0;
  unsigned long resident = 0;
  const int fields = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return fields == 2 ? resident * page_bytes : 0;
}

std::optional<MemoryFacts::Group> memory_group(std::string folder, const std::string& top) {
  std::optional<MemoryFacts::Group> nearest;
  while (folder.starts_with(top)) {
    const auto group = read_group(folder);
    if (group && (!nearest || (group->limit_bytes && (!nearest->limit_bytes || fullness(*group) > fullness(*nearest))))) {
      nearest = group;
    }
    if (folder == top) break;
    folder = std::filesystem::path(folder).parent_path().string();
  }
  return nearest;
}

MemoryFacts read_memory(const MetricsFacts& facts) {
  MemoryFacts memory;
  memory.self = read_self();
  for (const auto& [name, game] : facts.games) {
    for (const pid_t pid : game.workers) {
      if (const uint64_t bytes = resident_bytes_of(pid); bytes != 0) memory.resident_bytes[pid] = bytes;
    }
  }
  if (const std::string counter = oom_counter_path(own_cgroups()); !counter.empty()) {
    // Workers may have groups beside arenad's own.
    memory.group = memory_group(given_group(std::filesystem::path(counter).parent_path().string()), "/sys/fs/cgroup");
  }
  return memory;
}

}  // namespace arenad
