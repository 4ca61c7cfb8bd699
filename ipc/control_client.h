// The caller's end of the control socket: one request, one reply, with a deadline; notices that come in between are kept.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arenad/result.h"
#include "ipc/control.capnp.h"
#include "ipc/control_stream.h"

namespace arenad {

struct ControlIncoming {
  std::unique_ptr<ControlMessage> message;
  std::vector<Fd> fds;
  [[nodiscard]] wire::FromDaemon::Reader root() const { return message->root<wire::FromDaemon>(); }
};

class ControlClient {
 public:
  static Result<ControlClient> connect(const std::string& socket_path);

  // What is done while a reply is waited for: at once when the descriptor is readable, and now and then. An error ends the waiting.
  struct Meanwhile {
    int fd = -1;
    uint64_t every_ms = 0;
    std::function<Result<void>()> look;
  };
  void while_waiting(Meanwhile meanwhile) { meanwhile_ = std::move(meanwhile); }

  // Sends a request and waits for its reply. A reply that is an error becomes an Error; ErrorCode::timeout if none came in time,
  // ErrorCode::unreachable if the connection is gone. One that asks for more than a request may (request_limits.h) is not sent.
  Result<ControlIncoming> call(const std::function<void(wire::Request::Builder)>& fill, std::span<const int> fds,
                               uint64_t timeout_ms);

  // The same, but waits no longer than until arenad has taken the request up, in which it keeps the order: nothing while the reply is
  // to come, which then nobody reads.
  Result<std::optional<ControlIncoming>> begin(const std::function<void(wire::Request::Builder)>& fill,
                                               std::span<const int> fds, uint64_t timeout_ms);

  // Sends a request whose reply is not waited for: it is taken in by poll(), or while another is waited for. Its id.
  Result<uint64_t> post(const std::function<void(wire::Request::Builder)>& fill, std::span<const int> fds);
  // The reply to such a request, once, if it was taken in. One that is an error becomes an Error.
  std::optional<Result<ControlIncoming>> take_reply(uint64_t posted);
  // The same, but waits for it.
  Result<ControlIncoming> wait_for_reply(uint64_t posted, uint64_t timeout_ms);

  // Takes in what has arrived, without waiting. False if the connection is gone.
  bool poll();
  // A notice that has arrived.
  std::optional<ControlIncoming> next_notice();
  [[nodiscard]] const Fd& fd() const { return stream_->fd(); }

 private:
  explicit ControlClient(Fd socket);
  Result<uint64_t> queue(const std::function<void(wire::Request::Builder)>& fill, std::span<const int> fds);
  // To any of these requests; one that is an error becomes an Error.
  Result<ControlIncoming> reply_to(uint64_t first_id, uint64_t last_id, uint64_t deadline_ns);
  // Waits no longer than so. True if the socket is ready.
  Result<bool> poll_socket(short events, uint64_t longest_ms);
  Result<void> wait_for_socket(short events, uint64_t deadline_ns);
  std::optional<ControlIncoming> next_message();
  // A notice, or the reply to a request that was posted: those are kept. Nothing if it was one.
  std::optional<ControlIncoming> keep_if_for_later(ControlIncoming incoming);

  std::unique_ptr<ControlStream> stream_;
  uint64_t next_id_ = 1;
  std::deque<ControlIncoming> notices_;
  std::map<uint64_t, std::optional<ControlIncoming>> posted_;  // by id, until the reply is taken
  Meanwhile meanwhile_;
};

ErrorCode error_code_of(wire::FailureCode code);
wire::FailureCode failure_code_of(ErrorCode code);

}  // namespace arenad
