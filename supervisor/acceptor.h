// A listening Unix socket: hands over whoever connects. When there are no descriptors left for another connection it rests for a
// moment instead of asking the kernel again and again, and says so once in a while.
#pragma once

#include <functional>
#include <string>

#include "ipc/socket.h"
#include "supervisor/fact_queue.h"
#include "supervisor/rarely.h"
#include "supervisor/uv_handles.h"

namespace arenad {

class Acceptor {
 public:
  using Accepted = std::function<void(Fd connection)>;
  Acceptor(uv_loop_t* loop, FactQueue& facts);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // From now on connections are possible; they wait until begin(). A file that is left of an earlier arenad is removed: whoever calls
  // holds the lock on its directory.
  Result<void> listen(const std::string& path, SocketKind kind, Accepted accepted);
  // The same with the socket of the arenad that this one has taken the place of.
  void take_on(Fd listener, std::string path, Accepted accepted);
  void begin();
  // Who connects waits until it begins again.
  void pause();
  [[nodiscard]] const Fd& listener() const { return listener_; }
  // Removes the file.
  void close();

 private:
  void accept();
  void rest(const Error& error);

  uv_loop_t* loop_;
  FactQueue& facts_;
  std::string path_;
  Accepted accepted_;
  Fd listener_;
  UvPoll poll_;
  UvTimer pause_;
  bool begun_ = false;
  Rarely failed_;
};

}  // namespace arenad
