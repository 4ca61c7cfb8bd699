// Ctrl-C as something to wait for, so that who waits can say what he leaves behind.
#pragma once

#include <csignal>
#include <cstdint>

#include "ipc/fd.h"

namespace arenad::cli {

// While it lives, SIGINT does not end the process. For a process of one thread.
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // True as soon as SIGINT comes, false if none has come in this time.
  [[nodiscard]] bool wait(uint64_t timeout_ms) const;
  // The same, also if whoever reads standard output has gone.
  [[nodiscard]] bool wait_or_unread(uint64_t timeout_ms) const;
  // Readable when SIGINT has come.
  [[nodiscard]] int fd() const { return signals_.get(); }

 private:
  sigset_t before_{};
  mutable bool has_told_ = false;
  Fd signals_;
};

}  // namespace arenad::cli
