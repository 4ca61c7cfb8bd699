// Keeps one service running, as systemd does with Restart=always, for machines and containers without systemd.
//
//   state     what happens                        leaves it when
//   starting  the service has not said READY=1    it says so: running. It ends: it cannot be started, the keeper ends with its code
//   running   it is watched; its descriptors are  it ends with 0: the keeper ends too. It ends otherwise: starting again, with the
//             kept                                descriptors that it had stored
//   waiting   it has died twice before READY=1    the delay is over: starting again. 100 ms, doubled up to 5 s
//   stopping  the keeper was told to end and has  it ends: the keeper ends with its code. It does not within the stop timeout:
//             told the service                    killed
//
// The protocol is systemd's own (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3)): READY, STOPPING, STATUS, WATCHDOG,
// WATCHDOG_USEC, EXTEND_TIMEOUT_USEC, FDSTORE, FDSTOREREMOVE, FDNAME, FDPOLL, BARRIER; LISTEN_FDS to the next life. Only the service's
// main process is listened to. Signals are passed on to it; SIGHUP not before it is ready, because it may not listen for it yet and would
// end. The keeper has no state but the descriptors, reads no file and writes none.
//
// Orphans of the service become the keeper's children (PR_SET_CHILD_SUBREAPER): it reaps them, and kills what is left of them when
// it ends. If the keeper itself is killed, the service gets SIGTERM and ends in order.
#pragma once

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "ipc/fd.h"
#include "keeper/fd_store.h"
#include "keeper/notification.h"

namespace arenad {

struct KeeperOptions {
  std::vector<std::string> command;
  uint64_t watchdog_ms = 0;  // 0: none
  uint64_t stop_timeout_ms = 90'000;
  size_t max_descriptors = 65'536;
};

class Keeper {
 public:
  static Result<Keeper> create(KeeperOptions options);
  // Until the service has ended for good. The exit code: the service's, or 128 and the signal that ended it.
  int run();

 private:
  enum class State { starting, running, waiting, stopping };

  explicit Keeper(KeeperOptions options);
  Result<void> open();
  Result<void> start_service();
  void become_service(pid_t keeper, const FdStore::Listing& stored);
  void take_signals();
  void take_signal(int signal);
  void take_notifications();
  void take(const Notification& notification, std::vector<Fd> fds);
  void keep(const Notification& notification, std::vector<Fd> fds);
  void reap_children();
  void service_ended(int status);
  void look_at_clock();
  [[nodiscard]] int next_timeout_ms() const;
  void end_orphans();

  KeeperOptions options_;
  State state_ = State::starting;
  Fd poll_;
  Fd signals_;
  Fd notify_;
  std::string notify_address_;  // for NOTIFY_SOCKET
  FdStore store_;
  pid_t service_ = 0;
  bool was_ready_ = false;     // in any life
  bool hangup_waits_ = false;  // until the service is ready
  bool was_aborted_ = false;   // this life, by the watchdog
  uint64_t deaths_in_row_ = 0;
  uint64_t watchdog_usec_ = 0;
  std::optional<uint64_t> watchdog_ns_;  // when a ping must have come; later, when an aborted one must have ended
  std::optional<uint64_t> stop_ns_;      // when the service must have ended
  std::optional<uint64_t> start_ns_;     // when it is started again
  std::optional<int> exit_code_;
};

}  // namespace arenad
