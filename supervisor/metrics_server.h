// Answers scrapes: GET /metrics over HTTP at a Unix socket or a loopback port, one request for each connection.
//
//   head:    reads what is asked        --whole--> waits, or is refused
//   waits:   for the text               --it is made--> answer
//   answer:  sends                      --all sent--> closed
//
// In each of these the other side has a limited time. The loop only moves bytes here; the text is made elsewhere, once for all who wait.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "supervisor/acceptor.h"
#include "supervisor/access.h"
#include "supervisor/metrics_address.h"

namespace arenad {

class MetricsServer {
 public:
  using Text = std::shared_ptr<const std::string>;
  // Asked for by somebody: answered by serve(), once for all who have come until then.
  MetricsServer(uv_loop_t* loop, FactQueue& facts, std::function<void()> wanted);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;

  // In the place of where it has listened before, which stays so if this fails.
  Result<void> listen(const MetricsAddress& address);
  // At a Unix socket only who has the right to read is answered.
  void set_access(Access access) { access_ = std::move(access); }
  void serve(const Text& text);
  // Removes the socket, and cuts everyone off.
  void close();
  [[nodiscard]] size_t connections() const { return connections_.size(); }

 private:
  enum class Origin { unix_socket, loopback };
  struct Connection {
    Fd socket;
    UvPoll poll;
    UvTimer limit;
    std::string received;
    bool may_read = false;
    bool waits = false;
    bool head_only = false;
    std::string head;
    Text text;
    size_t sent = 0;
  };

  void accepted(Fd socket, Origin origin);
  void read(uint64_t id);
  void refuse(uint64_t id, int status);
  void answer(uint64_t id, std::string head, Text text);
  void write(uint64_t id);
  void drop(uint64_t id);
  [[nodiscard]] bool may_read(const Fd& socket) const;

  uv_loop_t* loop_;
  FactQueue& facts_;
  std::function<void()> wanted_;
  Access access_ = Access::of({});
  std::unique_ptr<Acceptor> acceptor_;
  std::string path_;  // of its socket; empty: it has none
  uint64_t next_id_ = 1;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
};

}  // namespace arenad
