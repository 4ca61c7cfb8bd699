#include "supervisor/child_process.h"

#include <poll.h>
#include <signal.h>
#include <string>
#include <sys/wait.h>

#include <kj/exception.h>

namespace arenad {
namespace {

// Between the end of its link and the end of a process that exits in order.
constexpr uint64_t kGraceMs = 1000;
// At once, so that one that never stops talking does not keep arenad from everybody else.
constexpr int kMaxMessagesAtOnce = 64;

}  // namespace

ChildProcess::ChildProcess(const ChildScope& scope, Link link)
    : scope_(scope),
      link_(std::move(link)),
      link_poll_(scope.loop, link_.fd().get(),
                 [this](int events) {
                   if ((events & UV_WRITABLE) != 0) {
                     (void)link_.flush();
                     link_poll_.watch(link_.has_unsent() ? UV_READABLE | UV_WRITABLE : UV_READABLE);
                   }
                   if ((events & UV_READABLE) != 0) read_link(Read::some);
                 }),
      grace_(scope.loop, [this] { kill(SIGKILL); }),
      self_(std::make_shared<ChildProcess*>(this)) {
  link_poll_.watch(UV_READABLE);
}

ChildProcess::~ChildProcess() {
  if (!pidfd_) return;
  scope_.groups.let_go(pid_);
  if (exit_) return;
  send_signal(pidfd_, SIGKILL);
  end_poll_.close();
  auto copy = pidfd_.duplicate();
  if (copy) {
    scope_.reaper.adopt(pid_, std::move(*copy));
  } else {
    scope_.reaper.released(pid_);
  }
}

Result<void> ChildProcess::watch(pid_t pid) {
  auto pidfd = open_pidfd(pid);
  if (!pidfd) return pidfd.error();
  // It was told by a process that runs the code of a game: it must not have another process ended in its place.
  siginfo_t end{};
  if (scope_.reaper.is_watched(pid) ||
      ::waitid(P_PIDFD, static_cast<id_t>(pidfd->get()), &end, WEXITED | WNOHANG | WNOWAIT) != 0) {
    return make_error(ErrorCode::invalid, "process " + std::to_string(pid) + " is no new child of arenad");
  }
  auto watched = watch(pid, std::move(*pidfd));
  if (talks_nonsense_) kill(SIGKILL);  // nobody knew whom to kill then
  return watched;
}

Result<void> ChildProcess::watch(pid_t pid, Fd pidfd) {
  pid_ = pid;
  pidfd_ = std::move(pidfd);
  scope_.reaper.watched(pid);
  end_poll_ = UvPoll(scope_.loop, pidfd_.get(), [this](int) { notice_end(); });
  end_poll_.watch(UV_READABLE);
  return {};
}

void ChildProcess::read_link(Read how_many) {
  LinkMessage message;
  for (int count = 0; how_many == Read::all || count < kMaxMessagesAtOnce; ++count) {
    switch (link_.receive(message, Link::Wait::no)) {
      case Link::Received::message:
        scope_.facts.post([self = std::weak_ptr(self_), shared = std::make_shared<LinkMessage>(std::move(message))] {
          if (const auto alive = self.lock()) (*alive)->take(std::move(*shared));
        });
        message = {};
        continue;
      case Link::Received::nothing:
        return;
      case Link::Received::closed:
      case Link::Received::broken:
        // It is about to end by itself; or it has given up its link, which ends it.
        link_poll_.watch(0);
        link_ended_ = true;
        grace_.start(kGraceMs);
        return;
    }
  }
}

void ChildProcess::take(LinkMessage message) {
  const Listener listener = listener_;  // it may listen otherwise from now on, or destroy this object
  if (!listener.message || talks_nonsense_) return;
  const std::weak_ptr<ChildProcess*> self = self_;
  try {
    listener.message(std::move(message));
  } catch (const kj::Exception&) {
    // Its pointers lead nowhere, or to something else than what stands there.
    if (self.expired()) return;
    talks_nonsense_ = true;
    if (!exit_) link_poll_.watch(0);
    if (listener.nonsense) {
      listener.nonsense();
    } else {
      kill(SIGKILL);
    }
  }
}

void ChildProcess::notice_end() {
  if (exit_) return;
  exit_ = reap(pidfd_);
  if (!exit_) return;
  scope_.reaper.released(pid_);
  end_poll_.close();
  grace_.close();
  // Its last messages come before its end.
  read_link(Read::all);
  link_poll_.close();
  scope_.facts.post([self = std::weak_ptr(self_)] {
    const auto alive = self.lock();
    if (!alive || !(*alive)->listener_.ended) return;
    const auto listener = (*alive)->listener_;  // it may destroy this object
    listener.ended(*(*alive)->exit_);
  });
}

void ChildProcess::send(capnp::MessageBuilder& message, std::span<const int> fds) {
  if (!link_.send_later(message, fds)) {
    kill(SIGKILL);
    return;
  }
  if (link_.has_unsent()) link_poll_.watch(UV_READABLE | UV_WRITABLE);
}

void ChildProcess::hand_on(wire::ProcessState::Builder to, FdsToKeep& fds) const {
  to.setPid(static_cast<uint32_t>(pid_));
  to.setPidfd(fds.add(pidfd_));
  to.setLink(fds.add(link_.fd()));
  to.setOutput(output_ ? fds.add(output_->fd()) : -1);
}

std::unique_ptr<ChildProcess> ChildProcess::take_on(const ChildScope& scope, wire::ProcessState::Reader from,
                                                    HandedOn& handed) {
  Fd link = handed.take(from.getLink());
  Fd pidfd = handed.take(from.getPidfd());
  auto output = OutputFile::map(handed.take(from.getOutput()));
  if (!link || !pidfd) return nullptr;
  auto process = std::make_unique<ChildProcess>(scope, Link(std::move(link)));
  (void)process->watch(static_cast<pid_t>(from.getPid()), std::move(pidfd));
  if (output) process->set_output(std::move(*output));
  return process;
}

bool ChildProcess::has_ended() const {
  pollfd ready{pidfd_.get(), POLLIN, 0};
  return exit_.has_value() || (pidfd_ && ::poll(&ready, 1, 0) == 1);
}

void ChildProcess::kill(int signal) {
  if (pidfd_ && !exit_) send_signal(pidfd_, signal);
}

}  // namespace arenad
