// The socket at which the keeper is told what to keep, used by somebody who is not its service.
#pragma once

#include <span>
#include <string>
#include <sys/types.h>

#include "arenad/result.h"
#include "ipc/fd.h"

namespace arenad::chaos {

class KeeperSocket {
 public:
  static Result<KeeperSocket> connect(pid_t keeper);
  // False: it takes nothing now.
  bool send(const std::string& datagram, std::span<const int> fds = {});

 private:
  explicit KeeperSocket(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

}  // namespace arenad::chaos
