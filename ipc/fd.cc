#include "ipc/fd.h"

#include <fcntl.h>
#include <unistd.h>

namespace arenad {

void Fd::reset() {
  if (value_ >= 0) ::close(value_);
  value_ = -1;
}

Result<Fd> Fd::duplicate() const {
  const int copy = ::fcntl(value_, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return errno_error("cannot duplicate a file descriptor");
  return Fd(copy);
}

}  // namespace arenad
