// Whoever started arenad and keeps it running, spoken to by systemd's protocol (sd_notify(3), sd_listen_fds(3)): systemd, or
// arena-keeper. From a shell there is none: then nothing is sent, and nothing was kept.
//
// What is stored outlives arenad, also its being killed: the manager holds the descriptors and gives them to the next one. A datagram that
// has been sent is kept even if arenad dies before it is read. Nothing here waits: what the manager does not take at once is
// sent when it can take it, in order. What is said again and again is service_report.h.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "ipc/fd.h"
#include "supervisor/uv_handles.h"

namespace arenad {

struct KeptDescriptor {
  std::string name;
  Fd fd;
};

class ServiceManager {
 public:
  // Takes what the environment tells, and out of the environment: children have other managers.
  explicit ServiceManager(uv_loop_t* loop);
  void close();

  // What an earlier arenad has stored; once.
  std::vector<KeptDescriptor> take_kept();

  // Returns when the manager's socket has taken it, so that what is answered or assigned after this is kept. A manager that takes nothing
  // for a second is not waited for again before it has taken all.
  void store(const std::string& name, const Fd& fd);
  void forget(const std::string& name);
  void ready();
  // Until the next ready(): the configuration is read again.
  void reloading();
  void stopping();
  // A message as sd_notify(3) has it.
  void tell(std::string message);
  // 0: nobody watches.
  [[nodiscard]] uint64_t watchdog_ns() const { return watchdog_ns_; }

  // NAME=value, as it was in the environment: for a program that takes the place of this one.
  [[nodiscard]] const std::vector<std::string>& environment() const { return environment_; }
  [[nodiscard]] bool is_there() const { return static_cast<bool>(socket_); }
  // Messages that the manager has not taken yet.
  [[nodiscard]] size_t waiting() const { return unsent_.size(); }

 private:
  std::string take_variable(const char* name);
  void connect(const std::string& address);
  void collect_kept();
  void send(std::string text, const Fd* fd);
  enum class Sent { yes, not_now, never };
  Sent offer(const std::string& text, const Fd* fd);
  void flush();
  void wait_until_sent();

  struct Unsent {
    std::string text;
    Fd fd;
  };
  uv_loop_t* loop_;
  Fd socket_;
  UvPoll poll_;
  UvTimer again_;  // of what the kernel had no means for: the socket does not tell when it has
  uint64_t watchdog_ns_ = 0;
  std::vector<std::string> environment_;
  std::vector<KeptDescriptor> kept_;
  std::deque<Unsent> unsent_;
  bool is_stuck_ = false;
};

}  // namespace arenad
