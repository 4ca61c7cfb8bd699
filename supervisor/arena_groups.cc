#include "supervisor/arena_groups.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <mutex>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <thread>
#include <unistd.h>

#include "ipc/clock.h"
#include "ipc/process.h"
#include "supervisor/log.h"
#include "supervisor/rarely.h"

namespace arenad {
namespace {

using Trees = std::vector<ArenaGroups::Tree>;

constexpr int kMaxMoveRounds = 20;
// What is dying is gone in a moment; what the kernel holds on to for longer is looked at more rarely.
constexpr uint64_t kFirstRetryMs = 5;
constexpr uint64_t kMaxRetryMs = 1000;
constexpr uint64_t kLastRemovalsMs = 2000;

// Nothing if it cannot be read. Files of the kernel tell no size.
std::optional<std::string> read_text(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return std::nullopt;
  std::string text;
  char block[4096];
  for (;;) {
    const ssize_t bytes = ::read(file.get(), block, sizeof block);
    if (bytes == 0) return text;
    if (bytes < 0 && errno != EINTR) return std::nullopt;
    if (bytes > 0) text.append(block, static_cast<size_t>(bytes));
  }
}

Result<void> write_text(const std::string& path, const std::string& text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || ::write(file.get(), text.data(), text.size()) < 0) return errno_error("cannot write " + text + " to " + path);
  return {};
}

std::vector<GroupHierarchy> hierarchies_of_this_process() {
  return group_hierarchies(read_text("/proc/self/cgroup").value_or(""), read_text("/proc/self/mountinfo").value_or(""));
}

bool is_folder(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::vector<pid_t> processes_in(const std::string& folder) {
  return parse_processes(read_text(folder + "/cgroup.procs").value_or(""));
}

bool holds(const std::string& folder, pid_t pid) {
  const auto pids = processes_in(folder);
  return std::find(pids.begin(), pids.end(), pid) != pids.end();
}

// systemd says so with one of these; the second can be read by root only.
bool is_delegated(const std::string& folder) {
  for (const char* name : {"user.delegate", "trusted.delegate"}) {
    char value = 0;
    if (::getxattr(folder.c_str(), name, &value, 1) == 1 && value == '1') return true;
  }
  return false;
}

// Which of the controllers that matter here a group may pass on, of version 2.
void look_at_controllers(GroupHierarchy& hierarchy, const std::string& folder) {
  const std::string offered = read_text(folder + "/cgroup.controllers").value_or("");
  hierarchy.has_memory = has_word(offered, "memory");
  hierarchy.has_pids = has_word(offered, "pids");
}

// Of version 2, and delegated with something to bound.
bool may_have_groups_in(GroupHierarchy hierarchy, const std::string& group) {
  const std::string folder = hierarchy.folder(group);
  if (!is_delegated(folder)) return false;
  look_at_controllers(hierarchy, folder);
  return hierarchy.has_memory || hierarchy.has_pids;
}

bool is_main_process_of_a_unit() {
  const char* main = ::getenv("SYSTEMD_EXEC_PID");
  return main != nullptr && main == std::to_string(::getpid());
}

// The unit says so (packaging/arenad.service.in).
bool is_released_by_unit() {
  const char* answer = ::getenv("ARENAD_UNIT_RELEASES_GROUPS");
  return answer != nullptr && answer == std::string_view("yes");
}

// Version 2: who is in the group itself, arenad and its keeper, comes into one below it.
Result<void> move_down(const std::string& folder) {
  const std::string own = folder + "/" + std::string(kOwnGroup);
  if (::mkdir(own.c_str(), 0755) != 0 && errno != EEXIST) return errno_error("cannot make the control group " + own);
  for (int round = 0; round < kMaxMoveRounds; ++round) {
    const auto pids = processes_in(folder);
    if (pids.empty()) return {};
    for (const pid_t pid : pids) {
      auto moved = write_text(own + "/cgroup.procs", std::to_string(pid));
      if (!moved && moved.error().errno_value != ESRCH) return moved;
    }
  }
  return make_error(ErrorCode::failed, "processes come into the control group " + folder + " all the time");
}

Result<ArenaGroups::Tree> make_tree(GroupHierarchy hierarchy, const std::string& group) {
  ArenaGroups::Tree tree{std::move(hierarchy), {}};
  tree.folder = tree.hierarchy.folder(group);
  if (tree.hierarchy.version == GroupVersion::v1) return tree;
  look_at_controllers(tree.hierarchy, tree.folder);
  if (!tree.hierarchy.has_memory && !tree.hierarchy.has_pids) return tree;
  if (tree.hierarchy.own == group) {
    if (auto moved = move_down(tree.folder); !moved) return moved.error();
  }
  for (const auto& [is_there, name] : {std::pair{tree.hierarchy.has_memory, "+memory"}, {tree.hierarchy.has_pids, "+pids"}}) {
    if (!is_there) continue;
    if (auto passed_on = write_text(tree.folder + "/cgroup.subtree_control", name); !passed_on) return passed_on.error();
  }
  return tree;
}

Result<void> enclose_in(const ArenaGroups::Tree& tree, pid_t pid, const Fd& pidfd, const GroupLimits& limits) {
  const std::string folder = tree.folder + "/" + worker_group_name(pid);
  bool is_there = false;
  if (::mkdir(folder.c_str(), 0755) != 0) {
    if (errno != EEXIST) return errno_error("cannot make the control group " + folder);
    is_there = holds(folder, pid);
  }
  for (const GroupSetting& setting : group_settings(tree.hierarchy, limits)) {
    auto written = write_text(folder + "/" + setting.file, setting.value);
    const bool matters = setting.when_missing == WhenMissing::is_an_error;
    if (!written && matters) return written;
  }
  if (is_there) return {};
  // Until it is reaped its pid is no other process's; and after that not before all other numbers were used.
  if (has_ended(pidfd)) return {};
  auto moved = write_text(folder + "/cgroup.procs", std::to_string(pid));
  if (!moved && moved.error().errno_value == ESRCH) return {};
  return moved;
}

enum class Removed { yes, not_yet };

// What is in it is told to end.
Removed remove_group(const std::string& folder) {
  if (::rmdir(folder.c_str()) == 0 || errno == ENOENT) return Removed::yes;
  if (!write_text(folder + "/cgroup.kill", "1")) {
    // Before Linux 5.14, and in version 1.
    for (const pid_t pid : processes_in(folder)) ::kill(pid, SIGKILL);
  }
  return ::rmdir(folder.c_str()) == 0 ? Removed::yes : Removed::not_yet;
}

std::vector<pid_t> worker_groups_in(const std::string& folder) {
  std::vector<pid_t> pids;
  DIR* entries = ::opendir(folder.c_str());
  if (entries == nullptr) return pids;
  while (const dirent* entry = ::readdir(entries)) {
    if (const auto pid = parse_worker_group_name(entry->d_name)) pids.push_back(*pid);
  }
  ::closedir(entries);
  return pids;
}

}  // namespace

// The thread, and what it has to do. All but the queue is its own.
struct ArenaGroups::Worker {
  explicit Worker(Trees all) : trees(std::move(all)) {}

  struct Job {
    enum class Kind { enclose, let_go, keep_only } kind;
    pid_t pid = 0;
    Fd pidfd;
    GroupLimits limits;
    std::set<pid_t> pids;
  };
  enum class When { now, worker_is_dead };

  const Trees trees;
  std::mutex mutex;
  std::condition_variable changed;
  std::condition_variable idle;
  std::deque<Job> jobs;
  bool ends = false;      // when all that was let go is gone
  bool gives_up = false;  // now
  bool has_ended = false;

  std::map<pid_t, When> leaving;
  uint64_t retry_ms = kFirstRetryMs;
  Rarely failures;

  void add(Job job) {
    const std::lock_guard lock(mutex);
    jobs.push_back(std::move(job));
    changed.notify_one();
  }

  void run() {
    std::unique_lock lock(mutex);
    bool knows_of_end = false;
    while (!gives_up) {
      const auto has_work = [this] { return ends || gives_up || !jobs.empty(); };
      if (leaving.empty()) {
        changed.wait(lock, has_work);
      } else if (jobs.empty() && !gives_up) {
        changed.wait_for(lock, std::chrono::milliseconds(retry_ms),
                         [&] { return gives_up || !jobs.empty() || ends != knows_of_end; });
      }
      knows_of_end = ends;
      std::deque<Job> now;
      now.swap(jobs);
      lock.unlock();
      for (Job& job : now) carry_out(job);
      retry_ms = now.empty() && !knows_of_end ? std::min(retry_ms * 2, kMaxRetryMs) : kFirstRetryMs;
      std::erase_if(leaving, [this](const auto& one) { return is_gone(one.first, one.second); });
      lock.lock();
      const bool waits_for_one = std::ranges::any_of(leaving, [](const auto& one) { return one.second == When::now; });
      if (ends && jobs.empty() && !waits_for_one) break;
    }
    has_ended = true;
    idle.notify_all();
  }

  void carry_out(Job& job) {
    switch (job.kind) {
      case Job::Kind::enclose:
        // Another process had the same number before, and its group is still there: it is emptied first.
        if (const auto before = leaving.find(job.pid); before != leaving.end()) {
          (void)is_gone(before->first, When::now);
          leaving.erase(before);
        }
        for (const Tree& tree : trees) {
          const auto enclosed = enclose_in(tree, job.pid, job.pidfd, job.limits);
          if (!enclosed) tell(job.pid, enclosed.error());
        }
        break;
      case Job::Kind::let_go:
        leaving[job.pid] = When::now;
        break;
      case Job::Kind::keep_only:
        for (const Tree& tree : trees) {
          for (const pid_t pid : worker_groups_in(tree.folder)) {
            if (!job.pids.contains(pid)) leaving.emplace(pid, When::worker_is_dead);
          }
        }
        break;
    }
  }

  void tell(pid_t pid, const Error& error) {
    if (const auto times = failures.happened(monotonic_ns())) {
      log_warning("pid={} msg=\"a worker runs without a control group of its own ({} times): {}\"", pid, *times, error.text());
    }
  }

  bool is_gone(pid_t pid, When when) {
    bool all_gone = true;
    for (const Tree& tree : trees) {
      const std::string folder = tree.folder + "/" + worker_group_name(pid);
      const bool may_go = when == When::now || !holds(folder, pid);
      if (!may_go || remove_group(folder) == Removed::not_yet) all_gone = false;
    }
    return all_gone;
  }
};

Result<void> release_groups() {
  for (const GroupHierarchy& hierarchy : hierarchies_of_this_process()) {
    if (hierarchy.version == GroupVersion::v1) continue;
    const std::string group = given_group(hierarchy.own);
    if (!may_have_groups_in(hierarchy, group)) continue;
    const std::string folder = hierarchy.folder(group);
    const std::string passed_on = read_text(folder + "/cgroup.subtree_control").value_or("");
    for (const char* name : {"memory", "pids"}) {
      if (!has_word(passed_on, name)) continue;
      if (auto written = write_text(folder + "/cgroup.subtree_control", "-" + std::string(name)); !written) return written;
    }
  }
  return {};
}

ArenaGroups::ArenaGroups(const std::string& setting) {
  if (setting == "off") return;
  for (const GroupHierarchy& hierarchy : hierarchies_of_this_process()) {
    std::string group = setting;
    if (setting == "auto") {
      // systemd lets no service of another user than root have groups of version 1.
      if (hierarchy.version == GroupVersion::v1) continue;
      group = given_group(hierarchy.own);
      if (!may_have_groups_in(hierarchy, group)) continue;
      if (is_main_process_of_a_unit() && !is_released_by_unit()) {
        gaps_.emplace_back(
            "workers have no control groups of their own, as systemd could start no other arenad beside them: arenad's unit "
            "does "
            "not say that it releases them (ExecStopPost=arenad --release-groups)");
        return;
      }
    }
    const std::string folder = hierarchy.folder(group);
    if (folder.empty() || !is_folder(folder)) continue;
    auto tree = make_tree(hierarchy, group);
    if (!tree) {
      gaps_.push_back("workers cannot have control groups of their own: " + tree.error().text());
    } else if (tree->hierarchy.has_memory || tree->hierarchy.has_pids) {
      trees_.push_back(std::move(*tree));
    }
  }
  const bool has_memory = std::ranges::any_of(trees_, [](const Tree& tree) { return tree.hierarchy.has_memory; });
  const bool has_pids = std::ranges::any_of(trees_, [](const Tree& tree) { return tree.hierarchy.has_pids; });
  if (gaps_.empty() && trees_.empty()) {
    gaps_.push_back(setting == "auto" ? "arenad was given no control group to make those of its workers in"
                                      : "there is no control group " + setting + " with memory or pids");
  } else if (gaps_.empty() && !has_memory) {
    gaps_.emplace_back("the control groups of workers have no memory controller");
  } else if (gaps_.empty() && !has_pids) {
    gaps_.emplace_back("the control groups of workers have no pids controller");
  }
  if (trees_.empty()) return;
  worker_ = std::make_shared<Worker>(trees_);
  // Signals are the loop's.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([shared = worker_] { shared->run(); }).detach();
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

ArenaGroups::~ArenaGroups() {
  if (!worker_) return;
  std::unique_lock lock(worker_->mutex);
  worker_->ends = true;
  worker_->changed.notify_one();
  worker_->idle.wait_for(lock, std::chrono::milliseconds(kLastRemovalsMs), [this] { return worker_->has_ended; });
  worker_->gives_up = true;
  worker_->changed.notify_one();
}

void ArenaGroups::enclose(pid_t pid, const Fd& pidfd, const GroupLimits& limits) {
  if (!worker_) return;
  auto copy = pidfd.duplicate();
  if (copy) worker_->add({Worker::Job::Kind::enclose, pid, std::move(*copy), limits, {}});
}

void ArenaGroups::let_go(pid_t pid) {
  if (worker_) worker_->add({Worker::Job::Kind::let_go, pid, {}, {}, {}});
}

void ArenaGroups::keep_only(const std::set<pid_t>& pids) {
  if (worker_) worker_->add({Worker::Job::Kind::keep_only, 0, {}, {}, pids});
}

std::optional<GroupOom> ArenaGroups::oom_of(pid_t pid) const {
  for (const Tree& tree : trees_) {
    if (!tree.hierarchy.has_memory) continue;
    const std::string folder = tree.folder + "/" + worker_group_name(pid) + "/";
    const OomFiles files = oom_files(tree.hierarchy.version);
    const auto killed = read_text(folder + files.killed);
    if (!killed) continue;
    return group_oom(tree.hierarchy.version, *killed, read_text(folder + files.at_limit).value_or(""));
  }
  return std::nullopt;
}

}  // namespace arenad
