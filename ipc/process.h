// Processes, by pidfd: a pidfd never means another process, however often the pid was used again.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <sys/types.h>
#include <vector>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad {

// How a process ended.
struct Exit {
  enum class How { exited, signalled, unknown };
  How how = How::unknown;
  int value = 0;                           // exit code or signal number
  [[nodiscard]] std::string text() const;  // "code=exited, status=3", "signal=SEGV"
};

Result<Fd> open_pidfd(pid_t pid);
// No error if the process has ended already.
void send_signal(const Fd& pidfd, int signal);
bool has_ended(const Fd& pidfd);
// Takes the end of a child that has ended; nothing if it still runs. `unknown` if it is not our child.
std::optional<Exit> reap(const Fd& pidfd);
// Takes the end of a child that has ended, whoever it is.
void reap(pid_t pid);
// The caller's own children, living and ended. Source: proc(5), /proc/PID/task/TID/children.
std::vector<pid_t> children_of_self();

// Like fork(), but the child becomes a child of the caller's parent, with the same exit signal. Returns 0 in the child.
// Only for processes with one thread.
Result<pid_t> fork_sibling();

struct Spawned {
  pid_t pid = 0;
  Fd pidfd;
};
// Executes a program with nothing inherited but, as descriptor 3, `link`, and as its standard output and error `output`; without one, it has
// those of the caller. It is killed when the thread that called this has ended, whatever it is doing. variable: "NAME=VALUE" to be added to its environment; empty: none.
Result<Spawned> spawn(const std::string& program, std::span<const std::string> arguments, const Fd& link,
                      const Fd& output = Fd(), const std::string& variable = {});

// Processor time of all threads that it has or had, in nanoseconds; nothing if there is no such process. A child that ended has it until it
// is taken. Source: clock_getcpuclockid(3).
std::optional<uint64_t> cpu_time_ns(pid_t pid);

void set_process_name(const std::string& name);

// Raises the soft limit of open files to the hard one, or to `wanted` where that is allowed. Gives the limit in force.
uint64_t raise_open_files_limit(uint64_t wanted);

constexpr int kLinkDescriptor = 3;

}  // namespace arenad
