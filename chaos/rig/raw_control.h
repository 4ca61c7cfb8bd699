// Bytes on the control socket as no library would send them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <capnp/message.h>

#include "ipc/fd.h"

namespace arenad::test {

class RawControl {
 public:
  // Throws std::runtime_error if nobody listens there.
  explicit RawControl(const std::string& socket_path);
  // False if the other side has closed already, or takes nothing for long.
  bool send(std::string_view bytes, std::span<const int> fds = {});
  bool send(capnp::MessageBuilder& message, std::span<const int> fds = {});
  // Whether the other side closes it, whatever it says before.
  bool is_closed_by_peer(uint64_t patience_ms);
  // Whether anything comes that is not the end.
  bool gets_an_answer(uint64_t patience_ms);
  void close() { socket_.reset(); }

 private:
  Fd socket_;
};

}  // namespace arenad::test
