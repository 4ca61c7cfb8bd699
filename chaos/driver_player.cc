#include "chaos/driver_player.h"

#include <csignal>
#include <poll.h>
#include <sys/socket.h>

#include "chaos/files.h"
#include "ipc/clock.h"

namespace arenad::chaos {
namespace {

constexpr uint64_t kPatienceNs = 60 * kSecond;
constexpr int kLogLines = 5;

}  // namespace

Result<std::unique_ptr<DriverPlayer>> DriverPlayer::start(const Options& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return errno_error("cannot make a driver's link");
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  auto process = ChildProcess::start({.program = options.program,
                                      .arguments = {"--socket", options.socket, "--arena", options.arena, "--player",
                                                    options.player, "--seed", std::to_string(options.seed)},
                                      .log = options.log,
                                      .link = &theirs,
                                      .signal_if_orphaned = SIGKILL});
  if (!process) return process.error();
  std::unique_ptr<DriverPlayer> player(new DriverPlayer(std::move(*process), std::move(ours), options.log));
  const uint64_t deadline_ns = monotonic_ns() + kPatienceNs;
  while (player->epoch() == 0 && player->gone().empty() && monotonic_ns() < deadline_ns) {
    pollfd waited{player->link_.get(), POLLIN, 0};
    (void)::poll(&waited, 1, 100);
    player->listen();
  }
  if (player->epoch() != 0) return player;
  return make_error(ErrorCode::failed, "the driver " + options.program.string() + " does not come into arena " + options.arena +
                                           ":\n" + last_lines(options.log, kLogLines));
}

bool DriverPlayer::say() {
  const char byte = 's';
  if (::send(link_.get(), &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) return false;
  ++asked_;
  return true;
}

void DriverPlayer::listen() {
  if (!gone_.empty() || !link_) return;
  for (DriverReport report;;) {
    const ssize_t got = ::recv(link_.get(), &report, sizeof report, MSG_DONTWAIT);
    if (got == sizeof report && report.version == kDriverVersion) {
      report_ = report;
    } else if (got >= 0) {
      const auto exit = process_.wait(0);
      gone_ = got == 0 ? "its driver has ended" + (exit ? " with " + exit->text() : std::string()) + ": " +
                             last_lines(log_, kLogLines)
                       : "its driver was made for another version of Arenad";
      return;
    } else {
      return;
    }
  }
}

Result<void> DriverPlayer::come_back(ArenaId) {
  return make_error(ErrorCode::refused, "a driver is in its arena once");
}

void DriverPlayer::leave() {
  link_.reset();
  if (!process_.wait(5000)) process_.signal(SIGKILL);
}

}  // namespace arenad::chaos
