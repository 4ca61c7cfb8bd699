// A process of arenad's own, a template or a worker: its link, its pidfd, and how it ended.
//
// Messages and the end are reported through the fact queue, the end last and once. The end is known when the kernel has torn the
// process down: from then on nothing that it shared can change any more.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <sys/types.h>

#include "ipc/link.h"
#include "ipc/output_file.h"
#include "ipc/process.h"
#include "supervisor/arena_groups.h"
#include "supervisor/child_reaper.h"
#include "supervisor/fact_queue.h"
#include "supervisor/handed_on.h"
#include "supervisor/uv_handles.h"

namespace arenad {

// What every child process needs of arenad.
struct ChildScope {
  uv_loop_t* loop;
  FactQueue& facts;
  ChildReaper& reaper;
  ArenaGroups& groups;
};

class ChildProcess {
 public:
  struct Listener {
    std::function<void(LinkMessage)> message;
    std::function<void(Exit)> ended;
    // It has sent what no program of ours sends; nobody listening to that, it is killed.
    std::function<void()> nonsense;
  };

  ChildProcess(const ChildScope& scope, Link link);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  // Kills the process if it still runs; the reaper takes it from there.
  ~ChildProcess();

  void listen(Listener listener) { listener_ = std::move(listener); }
  // From now on its end is watched. Errors if the process is not there.
  Result<void> watch(pid_t pid, Fd pidfd);
  Result<void> watch(pid_t pid);

  // Never waits. If the link is broken the process is killed: it has ended, or has stopped reading.
  void send(capnp::MessageBuilder& message, std::span<const int> fds = {});
  void kill(int signal);

  // Where it writes what it says.
  void set_output(OutputFile output) { output_ = std::move(output); }
  [[nodiscard]] OutputFile* output() { return output_ ? &*output_ : nullptr; }

  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] const Fd& pidfd() const { return pidfd_; }
  // It lives, and nothing waits to be sent to it: hand_on() would say all of it.
  [[nodiscard]] bool is_steady() const { return pidfd_ && !exit_ && !link_ended_ && !link_.has_unsent(); }
  void hand_on(wire::ProcessState::Builder to, FdsToKeep& fds) const;
  // nullptr if there was none, or its descriptors are not there any more.
  static std::unique_ptr<ChildProcess> take_on(const ChildScope& scope, wire::ProcessState::Reader from, HandedOn& handed);

  // Whether it has ended, also if that has not been reported yet.
  [[nodiscard]] bool has_ended() const;
  [[nodiscard]] bool is_watched() const { return static_cast<bool>(pidfd_); }

 private:
  enum class Read { some, all };
  void read_link(Read how_many);
  void take(LinkMessage message);
  void notice_end();

  ChildScope scope_;
  Link link_;
  Fd pidfd_;
  pid_t pid_ = 0;
  bool link_ended_ = false;
  bool talks_nonsense_ = false;  // it is not listened to any more
  std::optional<Exit> exit_;
  std::optional<OutputFile> output_;
  Listener listener_;
  UvPoll link_poll_;
  UvPoll end_poll_;
  UvTimer grace_;
  // Facts in the queue may come up after this object is gone: they hold a weak pointer to this.
  std::shared_ptr<ChildProcess*> self_;
};

}  // namespace arenad
