// The system calls that `arena-chaos sweep --calls` has go wrong, and the errors that the kernel can plausibly answer each of
// them with. A call with no error is one that only a death is tried at: it has none that a caller could meet, or its callers
// cannot be told.
//
// A row is a system call, not a function of the C library: open(), openat() and fopen() are all `openat`. Which functions are
// which call says call_preload.cc. fcntl(2) is three calls by what it is asked to do; the rest of it is not counted.
#pragma once

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace arenad::sweep {

struct IoCall {
  std::string_view name;
  std::array<int, 3> errors{};  // those that fail once; 0: no more
  // Of these, the ones that may also last: a full disk, a table without a free descriptor. What only says "again" never does: a
  // caller that tries again at once is right to.
  std::array<int, 2> lasting{};
};

inline constexpr auto kIoCalls = std::to_array<IoCall>({
    // files
    {"openat", {EMFILE, ENOMEM, EIO}, {EMFILE}},
    {"read", {EINTR, EAGAIN, EIO}, {EIO}},
    {"pread64", {EINTR, EIO}, {EIO}},
    {"write", {EINTR, ENOSPC, EIO}, {ENOSPC}},
    {"writev", {EINTR, ENOSPC, EIO}, {ENOSPC}},
    {"pwrite64", {EINTR, ENOSPC, EIO}, {ENOSPC, EIO}},
    {"fsync", {EIO, ENOSPC}, {EIO}},
    {"fdatasync", {EIO, ENOSPC}, {EIO}},
    {"ftruncate", {EIO, ENOSPC}, {ENOSPC}},
    {"fallocate", {EINTR, ENOSPC}, {ENOSPC}},
    {"close", {EINTR, EIO}, {EIO}},  // it is closed nevertheless, as Linux does
    {"stat", {EIO, ENOMEM}, {EIO}},
    {"fstat", {}, {}},
    {"access", {EIO, ENOMEM}, {EIO}},
    {"getdents64", {EMFILE, EIO}, {EIO}},
    {"unlink", {EIO, EROFS}, {EROFS}},
    {"rename", {EIO, ENOSPC}, {ENOSPC}},
    {"mkdir", {EIO, ENOSPC}, {ENOSPC}},
    {"rmdir", {EIO, EBUSY}, {EBUSY}},
    {"chmod", {EIO, EROFS}, {EROFS}},
    {"chown", {EIO, EROFS}, {EROFS}},
    {"readlink", {EIO, ENOMEM}, {EIO}},
    {"getxattr", {EIO, EOPNOTSUPP}, {EOPNOTSUPP}},
    {"flock", {EINTR, ENOLCK}, {ENOLCK}},
    {"fcntl.lock", {EAGAIN, ENOLCK}, {EAGAIN}},
    {"fcntl.duplicate", {EMFILE}, {EMFILE}},
    {"fcntl.seals", {}, {}},
    // memory
    {"memfd_create", {EMFILE, ENOMEM}, {EMFILE, ENOMEM}},
    {"mmap", {ENOMEM}, {ENOMEM}},
    // sockets
    {"socket", {EMFILE, ENOBUFS}, {EMFILE}},
    {"socketpair", {EMFILE, ENOBUFS}, {EMFILE}},
    {"bind", {EADDRINUSE, ENOMEM}, {EADDRINUSE}},
    {"listen", {EADDRINUSE}, {EADDRINUSE}},
    {"connect", {EINTR, EAGAIN, ECONNREFUSED}, {ECONNREFUSED}},
    {"accept4", {EINTR, EMFILE, ECONNABORTED}, {EMFILE}},
    {"sendmsg", {EINTR, EAGAIN, ENOBUFS}, {ENOBUFS}},
    {"sendto", {EINTR, EAGAIN, ENOBUFS}, {ENOBUFS}},
    {"recvmsg", {EINTR, EAGAIN, ENOMEM}, {ENOMEM}},
    {"shutdown", {}, {}},
    {"setsockopt", {ENOMEM}, {ENOMEM}},
    {"getsockopt", {}, {}},
    // waiting
    {"epoll_create1", {EMFILE, ENOMEM}, {EMFILE}},
    {"epoll_ctl", {ENOMEM, ENOSPC}, {ENOSPC}},
    {"epoll_wait", {EINTR}, {}},
    {"poll", {EINTR, ENOMEM}, {}},
    {"eventfd2", {EMFILE, ENOMEM}, {EMFILE}},
    {"pipe2", {EMFILE}, {EMFILE}},
    // processes
    {"pidfd_open", {EMFILE, ENOMEM}, {EMFILE}},
    {"pidfd_send_signal", {}, {}},
    {"clone", {EAGAIN, ENOMEM}, {EAGAIN}},
    {"clone.thread", {EAGAIN}, {EAGAIN}},
    {"clone.program", {EAGAIN, ENOMEM}, {EAGAIN}},
    {"execve", {ENOMEM, EMFILE}, {ENOMEM}},
    {"waitid", {EINTR}, {}},
});

// Of a name in the list; anything else is an error of the compiler.
consteval size_t io_call(std::string_view name) {
  for (size_t i = 0; i < kIoCalls.size(); ++i) {
    if (kIoCalls[i].name == name) return i;
  }
  throw "not in kIoCalls";
}

// Whose calls are counted, each for itself.
enum class CallRole : uint32_t {
  arenad,
  template_process,  // from its execution on
  worker             // from the fork on, so while it is a spare too
};
inline constexpr std::array kCallRoles{CallRole::arenad, CallRole::template_process, CallRole::worker};
constexpr std::string_view to_string(CallRole role) {
  switch (role) {
    case CallRole::arenad:
      return "arenad";
    case CallRole::template_process:
      return "template";
    case CallRole::worker:
      return "worker";
  }
  return "?";
}

}  // namespace arenad::sweep
