#include "ipc/fd.h"

#include <fcntl.h>
#include <sys/stat.h>
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

bool is_same_file(const Fd& a, const Fd& b) {
  struct stat of_a {};
  struct stat of_b {};
  return ::fstat(a.get(), &of_a) == 0 && ::fstat(b.get(), &of_b) == 0 && of_a.st_dev == of_b.st_dev &&
         of_a.st_ino == of_b.st_ino;
}

}  // namespace arenad
