#include "keeper/keeper.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

#include "ipc/clock.h"
#include "ipc/process.h"

namespace arenad {
namespace {

constexpr int kFirstListenFd = 3;  // sd_listen_fds(3)
constexpr size_t kMaxDatagram = 64 * 1024;
constexpr uint64_t kAbortGraceNs = 2 * kSecond;
constexpr uint64_t kFirstDelayMs = 100;
constexpr uint64_t kLongestDelayMs = 5000;
constexpr uint64_t kOrphanGraceNs = 5 * kSecond;
constexpr int kExitCannotExecute = 127;

void say(const std::string& text) {
  std::fprintf(stderr, "arena-keeper: %s\n", text.c_str());
}

std::string describe(int status) {
  if (WIFEXITED(status)) return "status=" + std::to_string(WEXITSTATUS(status));
  const char* name = ::sigabbrev_np(WTERMSIG(status));
  return "signal=" + (name != nullptr ? std::string(name) : std::to_string(WTERMSIG(status)));
}

int exit_code_of(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGQUIT, SIGCHLD}) sigaddset(&set, signal);
  return set;
}

// In the child. Descriptors that lie where others belong are moved out of the way first.
void lay_out_descriptors(std::vector<int> fds) {
  const int end = kFirstListenFd + static_cast<int>(fds.size());
  for (int& fd : fds) {
    if (fd < end) fd = ::fcntl(fd, F_DUPFD_CLOEXEC, end);
    if (fd < 0) ::_exit(kExitCannotExecute);
  }
  for (size_t i = 0; i < fds.size(); ++i) {
    if (::dup2(fds[i], kFirstListenFd + static_cast<int>(i)) < 0) ::_exit(kExitCannotExecute);
  }
}

void set_environment(const char* name, const std::string& value) {
  ::setenv(name, value.c_str(), 1);
}

}  // namespace

Keeper::Keeper(KeeperOptions options)
    : options_(std::move(options)), store_(options_.max_descriptors), watchdog_usec_(options_.watchdog_ms * 1000) {}

Result<Keeper> Keeper::create(KeeperOptions options) {
  Keeper keeper(std::move(options));
  if (auto opened = keeper.open(); !opened) return opened.error();
  return keeper;
}

Result<void> Keeper::open() {
  const sigset_t set = handled_signals();
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  poll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  signals_ = Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  notify_ = Fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!poll_ || !signals_ || !notify_) return errno_error("cannot make what the keeper waits with");
  // Bound without a name, the kernel picks an abstract one: nothing is left in the file system.
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  socklen_t length = sizeof address.sun_family;
  const int on = 1;
  if (::bind(notify_.get(), reinterpret_cast<sockaddr*>(&address), length) != 0 ||
      ::setsockopt(notify_.get(), SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0) {
    return errno_error("cannot open the notification socket");
  }
  length = sizeof address;
  ::getsockname(notify_.get(), reinterpret_cast<sockaddr*>(&address), &length);
  notify_address_ = "@" + std::string(address.sun_path + 1, length - sizeof address.sun_family - 1);
  for (const Fd* fd : {&signals_, &notify_}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd->get()}};
    if (::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, fd->get(), &event) != 0) return errno_error("cannot wait");
  }
  return {};
}

int Keeper::run() {
  if (auto started = start_service(); !started) {
    say(started.error().text());
    return 1;
  }
  while (!exit_code_) {
    std::array<epoll_event, 16> events{};
    const int count = ::epoll_wait(poll_.get(), events.data(), events.size(), next_timeout_ms());
    for (int i = 0; i < count; ++i) {
      const int fd = events[static_cast<size_t>(i)].data.fd;
      // What the service has said before its end comes before its end.
      if (fd == notify_.get()) take_notifications();
      if (fd == signals_.get()) take_signals();
      if (fd != notify_.get() && fd != signals_.get()) store_.remove(fd);
    }
    look_at_clock();
  }
  end_orphans();
  return *exit_code_;
}

// ---- the service --------------------------------------------------------------------------------------------------------

Result<void> Keeper::start_service() {
  const FdStore::Listing stored = store_.list();
  const pid_t keeper = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) return errno_error("cannot start " + options_.command.front());
  if (pid == 0) become_service(keeper, stored);
  service_ = pid;
  if (state_ != State::stopping) state_ = State::starting;
  was_aborted_ = false;
  start_ns_.reset();
  watchdog_ns_.reset();
  return {};
}

void Keeper::become_service(pid_t keeper, const FdStore::Listing& stored) {
  // A terminal's Ctrl-C is for the keeper, who passes it on.
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != keeper) ::_exit(kExitCannotExecute);
  set_environment("NOTIFY_SOCKET", notify_address_);
  if (watchdog_usec_ != 0) {
    set_environment("WATCHDOG_USEC", std::to_string(watchdog_usec_));
    set_environment("WATCHDOG_PID", std::to_string(::getpid()));
  }
  if (!stored.fds.empty()) {
    set_environment("LISTEN_FDS", std::to_string(stored.fds.size()));
    set_environment("LISTEN_PID", std::to_string(::getpid()));
    set_environment("LISTEN_FDNAMES", stored.names);
  }
  std::vector<char*> arguments;
  for (const std::string& argument : options_.command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  lay_out_descriptors(stored.fds);
  ::execvp(arguments[0], arguments.data());
  const int error = errno;
  say("cannot execute " + options_.command.front() + ": " + ::strerror(error));
  ::_exit(kExitCannotExecute);
}

void Keeper::reap_children() {
  for (;;) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid <= 0) return;
    if (pid == service_) service_ended(status);
  }
}

void Keeper::service_ended(int status) {
  take_notifications();
  const bool was_running = state_ == State::running;
  service_ = 0;
  watchdog_ns_.reset();
  if (state_ == State::stopping || (WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
    exit_code_ = exit_code_of(status);
    return;
  }
  if (!was_ready_) {
    say(options_.command.front() + " could not be started (" + describe(status) + ")");
    exit_code_ = exit_code_of(status);
    return;
  }
  deaths_in_row_ = was_running ? 0 : deaths_in_row_ + 1;
  uint64_t delay_ms = 0;
  if (deaths_in_row_ > 1) {
    delay_ms = kLongestDelayMs;
    if (deaths_in_row_ < 8) delay_ms = std::min(kLongestDelayMs, kFirstDelayMs << (deaths_in_row_ - 2));
  }
  say(options_.command.front() + " has died (" + describe(status) + "); " + std::to_string(store_.size()) +
      " descriptors are kept; it is started again" + (delay_ms != 0 ? " in " + std::to_string(delay_ms) + " ms" : ""));
  state_ = State::waiting;
  start_ns_ = monotonic_ns() + delay_ms * kMillisecond;
}

// Nothing of the service may outlive its keeper.
void Keeper::end_orphans() {
  store_.clear();
  const uint64_t deadline_ns = monotonic_ns() + kOrphanGraceNs;
  for (;;) {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    const std::vector<pid_t> orphans = children_of_self();
    if (orphans.empty() || monotonic_ns() >= deadline_ns) return;
    for (const pid_t orphan : orphans) ::kill(orphan, SIGKILL);
    int status = 0;
    ::waitpid(-1, &status, 0);
  }
}

// ---- signals ------------------------------------------------------------------------------------------------------------

void Keeper::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) take_signal(static_cast<int>(info.ssi_signo));
}

void Keeper::take_signal(int signal) {
  if (signal == SIGCHLD) return reap_children();
  if (signal == SIGTERM || signal == SIGINT) {
    if (state_ != State::stopping) stop_ns_ = monotonic_ns() + options_.stop_timeout_ms * kMillisecond;
    state_ = State::stopping;
    watchdog_ns_.reset();
    if (service_ == 0) exit_code_ = 0;
  }
  if (signal == SIGHUP && state_ == State::starting) {
    hangup_waits_ = true;
    return;
  }
  if (service_ != 0) ::kill(service_, signal);
}

// ---- notifications ------------------------------------------------------------------------------------------------------

void Keeper::take_notifications() {
  std::string datagram(kMaxDatagram, '\0');
  for (;;) {
    iovec data{datagram.data(), datagram.size()};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(ucred)) + CMSG_SPACE(253 * sizeof(int))> control{};
    msghdr message{.msg_iov = &data, .msg_iovlen = 1, .msg_control = control.data(), .msg_controllen = control.size()};
    const ssize_t count = ::recvmsg(notify_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (count < 0) return;
    pid_t sender = 0;
    std::vector<Fd> fds;
    for (cmsghdr* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
      if (c->cmsg_level != SOL_SOCKET) continue;
      if (c->cmsg_type == SCM_CREDENTIALS) {
        ucred credentials{};
        std::memcpy(&credentials, CMSG_DATA(c), sizeof credentials);
        sender = credentials.pid;
      }
      if (c->cmsg_type == SCM_RIGHTS) {
        for (size_t i = 0; i < (c->cmsg_len - CMSG_LEN(0)) / sizeof(int); ++i) {
          int fd = -1;
          std::memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
          fds.emplace_back(fd);
        }
      }
    }
    const bool whole = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0;
    if (sender == service_ && sender != 0 && whole) {
      take(parse_notification({datagram.data(), static_cast<size_t>(count)}), std::move(fds));
    }
  }
}

void Keeper::take(const Notification& n, std::vector<Fd> fds) {
  const uint64_t now = monotonic_ns();
  if (n.ready && state_ == State::starting) {
    state_ = State::running;
    was_ready_ = true;
    if (watchdog_usec_ != 0) watchdog_ns_ = now + watchdog_usec_ * 1000;
    if (std::exchange(hangup_waits_, false)) ::kill(service_, SIGHUP);
  }
  if (n.watchdog_usec) watchdog_usec_ = *n.watchdog_usec;
  if (n.watchdog_ping && watchdog_ns_ && !was_aborted_) watchdog_ns_ = now + watchdog_usec_ * 1000;
  if (n.watchdog_trigger && !was_aborted_) watchdog_ns_ = now;
  if (n.extend_timeout_usec && stop_ns_) stop_ns_ = std::max(*stop_ns_, now + *n.extend_timeout_usec * 1000);
  if (n.store) keep(n, std::move(fds));
  if (n.store_remove) store_.remove(n.name);
}

void Keeper::keep(const Notification& n, std::vector<Fd> fds) {
  for (Fd& fd : fds) {
    const int number = fd.get();
    const FdStore::Stored stored = store_.store(n.name, std::move(fd));
    if (stored == FdStore::Stored::full) {
      say("the descriptor " + n.name + " cannot be kept: there are " + std::to_string(store_.size()) + " already");
    }
    if (stored != FdStore::Stored::stored || !n.poll) continue;
    // Files and memory cannot hang up, and cannot be waited for.
    epoll_event event{.events = 0, .data = {.fd = number}};
    (void)::epoll_ctl(poll_.get(), EPOLL_CTL_ADD, number, &event);
  }
}

// ---- time ---------------------------------------------------------------------------------------------------------------

void Keeper::look_at_clock() {
  const uint64_t now = monotonic_ns();
  if (watchdog_ns_ && now >= *watchdog_ns_ && service_ != 0) {
    say(options_.command.front() +
        (was_aborted_ ? " does not end: it is killed" : " has not shown progress in time: it is ended"));
    ::kill(service_, was_aborted_ ? SIGKILL : SIGABRT);
    watchdog_ns_ = was_aborted_ ? std::optional<uint64_t>() : now + kAbortGraceNs;
    was_aborted_ = true;
  }
  if (stop_ns_ && now >= *stop_ns_ && service_ != 0) {
    say(options_.command.front() + " has not ended in time: it is killed");
    ::kill(service_, SIGKILL);
    stop_ns_.reset();
  }
  if (start_ns_ && now >= *start_ns_ && state_ == State::waiting) {
    if (auto started = start_service(); !started) {
      say(started.error().text());
      start_ns_ = now + kLongestDelayMs * kMillisecond;
    }
  }
}

int Keeper::next_timeout_ms() const {
  std::optional<uint64_t> next;
  for (const auto& deadline : {watchdog_ns_, stop_ns_, start_ns_}) {
    if (deadline && (!next || *deadline < *next)) next = deadline;
  }
  if (!next) return -1;
  const uint64_t now = monotonic_ns();
  return *next <= now ? 0 : static_cast<int>(std::min<uint64_t>((*next - now) / kMillisecond + 1, 60'000));
}

}  // namespace arenad
