// Loaded into arenad, the templates and their workers with LD_PRELOAD: passes each I/O system call that they, or the libraries
// that they use, make through the table of traps that kCallsVariable names (call_table.h).
//
// It stands before the functions of the C library, so that it needs no right to trace, changes nothing about how a process is
// waited for, and costs next to nothing. What the C library does within itself is seen as the function that was called: fopen()
// is one `openat`, what stdio reads and writes later is not seen.
//
// Each function is defined under another name and takes its own by an asm label: the library's headers declare it otherwise.
// Those with a variable number of arguments take as many as there can be: the machine passes them the same way.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <spawn.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <type_traits>
#include <unistd.h>

#include "chaos/sweep/call_table.h"

namespace {

using namespace arenad::sweep;

// Written while the process has one thread. nullptr: it is not one of those that are swept.
CallTableLayout* table = nullptr;
CallRole role = CallRole::arenad;

__attribute__((constructor)) void find_table() {
  const char* path = std::getenv(kCallsVariable);
  const std::string_view program = ::program_invocation_short_name;
  if (path == nullptr || (program != "arenad" && program != "arena-worker")) return;
  role = program == "arenad" ? CallRole::arenad : CallRole::template_process;
  table = map_call_table(path);
  if (table == nullptr) std::abort();
}

// 0: it may be made.
int error_of(size_t call) {
  if (table == nullptr) return 0;
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const uint64_t now_ns = static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
  const CallFate fate = next_call(*table, {role, static_cast<uint32_t>(::getpid()), now_ns}, call);
  switch (fate.what) {
    case CallFate::What::done:
      return 0;
    case CallFate::What::killed:
      ::kill(::getpid(), SIGKILL);
      return 0;
    case CallFate::What::fails:
      return fate.error;
  }
  return 0;
}

template <class Answer>
Answer failed(int error) {
  errno = error;
  if constexpr (std::is_pointer_v<Answer>) {
    return nullptr;
  } else {
    return -1;
  }
}

template <class Function>
Function next_of(const char* name) {
  return reinterpret_cast<Function>(::dlsym(RTLD_NEXT, name));
}

// fcntl(2) by what it is asked; kIoCalls.size(): it is not counted.
size_t call_of_fcntl(int what) {
  switch (what) {
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
      return io_call("fcntl.lock");
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
      return io_call("fcntl.duplicate");
    case F_ADD_SEALS:
      return io_call("fcntl.seals");
    default:
      return kIoCalls.size();
  }
}

size_t call_of_number(long number) {
  switch (number) {
    case SYS_clone:
      return io_call("clone");
    case SYS_pidfd_open:
      return io_call("pidfd_open");
    case SYS_pidfd_send_signal:
      return io_call("pidfd_send_signal");
    case SYS_memfd_create:
      return io_call("memfd_create");
    default:
      return kIoCalls.size();
  }
}

}  // namespace

// Looked up as the library is loaded, and not in a signal handler; but what is loaded before may call already.
#define ARENAD_STAND_BEFORE(answer, function, declared)                                               \
  extern "C" __attribute__((visibility("default"))) answer arenad_##function declared asm(#function); \
  namespace {                                                                                         \
  using function##_type = answer(*) declared;                                                         \
  const function##_type at_load_##function = next_of<function##_type>(#function);                     \
  [[maybe_unused]] function##_type next_##function() {                                                \
    return at_load_##function != nullptr ? at_load_##function : next_of<function##_type>(#function);  \
  }                                                                                                   \
  }                                                                                                   \
  extern "C" answer arenad_##function declared

// The usual one: -1 or nullptr, and errno.
#define ARENAD_CALL(answer, function, call, declared, passed)                                \
  ARENAD_STAND_BEFORE(answer, function, declared) {                                          \
    if (const int error = error_of(io_call(call)); error != 0) return failed<answer>(error); \
    return next_##function() passed;                                                         \
  }

// Those that return the error itself.
#define ARENAD_CALL_WITHOUT_ERRNO(function, call, declared, passed)          \
  ARENAD_STAND_BEFORE(int, function, declared) {                             \
    if (const int error = error_of(io_call(call)); error != 0) return error; \
    return next_##function() passed;                                         \
  }

// NOLINTBEGIN(bugprone-macro-parentheses)
ARENAD_CALL(int, open, "openat", (const char* path, int flags, mode_t mode), (path, flags, mode))
ARENAD_CALL(int, open64, "openat", (const char* path, int flags, mode_t mode), (path, flags, mode))
ARENAD_CALL(int, __open64_2, "openat", (const char* path, int flags), (path, flags))
ARENAD_CALL(int, openat, "openat", (int folder, const char* path, int flags, mode_t mode), (folder, path, flags, mode))
ARENAD_CALL(FILE*, fopen, "openat", (const char* path, const char* mode), (path, mode))
ARENAD_CALL(FILE*, fopen64, "openat", (const char* path, const char* mode), (path, mode))
ARENAD_CALL(DIR*, opendir, "openat", (const char* path), (path))
ARENAD_CALL(ssize_t, read, "read", (int fd, void* bytes, size_t count), (fd, bytes, count))
ARENAD_CALL(ssize_t, pread, "pread64", (int fd, void* bytes, size_t count, off_t at), (fd, bytes, count, at))
ARENAD_CALL(ssize_t, pread64, "pread64", (int fd, void* bytes, size_t count, off_t at), (fd, bytes, count, at))
ARENAD_CALL(ssize_t, write, "write", (int fd, const void* bytes, size_t count), (fd, bytes, count))
ARENAD_CALL(ssize_t, writev, "writev", (int fd, const iovec* parts, int count), (fd, parts, count))
ARENAD_CALL(ssize_t, pwrite, "pwrite64", (int fd, const void* bytes, size_t count, off_t at), (fd, bytes, count, at))
ARENAD_CALL(ssize_t, pwrite64, "pwrite64", (int fd, const void* bytes, size_t count, off_t at), (fd, bytes, count, at))
ARENAD_CALL(int, fsync, "fsync", (int fd), (fd))
ARENAD_CALL(int, fdatasync, "fdatasync", (int fd), (fd))
ARENAD_CALL(int, ftruncate, "ftruncate", (int fd, off_t bytes), (fd, bytes))
ARENAD_CALL(int, ftruncate64, "ftruncate", (int fd, off_t bytes), (fd, bytes))
ARENAD_CALL(int, fallocate, "fallocate", (int fd, int mode, off_t at, off_t bytes), (fd, mode, at, bytes))
ARENAD_CALL_WITHOUT_ERRNO(posix_fallocate, "fallocate", (int fd, off_t at, off_t bytes), (fd, at, bytes))
ARENAD_CALL(int, stat, "stat", (const char* path, struct stat* answer), (path, answer))
ARENAD_CALL(int, stat64, "stat", (const char* path, struct stat* answer), (path, answer))
ARENAD_CALL(int, lstat, "stat", (const char* path, struct stat* answer), (path, answer))
ARENAD_CALL(int, lstat64, "stat", (const char* path, struct stat* answer), (path, answer))
ARENAD_CALL(int, fstat, "fstat", (int fd, struct stat* answer), (fd, answer))
ARENAD_CALL(int, fstat64, "fstat", (int fd, struct stat* answer), (fd, answer))
ARENAD_CALL(int, access, "access", (const char* path, int mode), (path, mode))
ARENAD_CALL(DIR*, fdopendir, "getdents64", (int fd), (fd))
ARENAD_CALL(int, unlink, "unlink", (const char* path), (path))
ARENAD_CALL(int, unlinkat, "unlink", (int folder, const char* path, int flags), (folder, path, flags))
ARENAD_CALL(int, remove, "unlink", (const char* path), (path))
ARENAD_CALL(int, rename, "rename", (const char* from, const char* to), (from, to))
ARENAD_CALL(int, mkdir, "mkdir", (const char* path, mode_t mode), (path, mode))
ARENAD_CALL(int, rmdir, "rmdir", (const char* path), (path))
ARENAD_CALL(int, chmod, "chmod", (const char* path, mode_t mode), (path, mode))
ARENAD_CALL(int, fchmod, "chmod", (int fd, mode_t mode), (fd, mode))
ARENAD_CALL(int, chown, "chown", (const char* path, uid_t user, gid_t group), (path, user, group))
ARENAD_CALL(int, fchown, "chown", (int fd, uid_t user, gid_t group), (fd, user, group))
ARENAD_CALL(ssize_t, readlink, "readlink", (const char* path, char* text, size_t size), (path, text, size))
ARENAD_CALL(ssize_t, getxattr, "getxattr", (const char* path, const char* name, void* value, size_t size),
            (path, name, value, size))
ARENAD_CALL(int, flock, "flock", (int fd, int what), (fd, what))
ARENAD_CALL(int, memfd_create, "memfd_create", (const char* name, unsigned flags), (name, flags))
ARENAD_CALL(int, socket, "socket", (int family, int type, int protocol), (family, type, protocol))
ARENAD_CALL(int, socketpair, "socketpair", (int family, int type, int protocol, int* ends), (family, type, protocol, ends))
ARENAD_CALL(int, bind, "bind", (int fd, const sockaddr* address, socklen_t size), (fd, address, size))
ARENAD_CALL(int, listen, "listen", (int fd, int backlog), (fd, backlog))
ARENAD_CALL(int, connect, "connect", (int fd, const sockaddr* address, socklen_t size), (fd, address, size))
ARENAD_CALL(int, accept4, "accept4", (int fd, sockaddr* address, socklen_t* size, int flags), (fd, address, size, flags))
ARENAD_CALL(ssize_t, sendmsg, "sendmsg", (int fd, const msghdr* message, int flags), (fd, message, flags))
ARENAD_CALL(ssize_t, send, "sendto", (int fd, const void* bytes, size_t count, int flags), (fd, bytes, count, flags))
ARENAD_CALL(ssize_t, sendto, "sendto",
            (int fd, const void* bytes, size_t count, int flags, const sockaddr* address, socklen_t size),
            (fd, bytes, count, flags, address, size))
ARENAD_CALL(ssize_t, recvmsg, "recvmsg", (int fd, msghdr* message, int flags), (fd, message, flags))
ARENAD_CALL(int, shutdown, "shutdown", (int fd, int how), (fd, how))
ARENAD_CALL(int, setsockopt, "setsockopt", (int fd, int level, int name, const void* value, socklen_t size),
            (fd, level, name, value, size))
ARENAD_CALL(int, getsockopt, "getsockopt", (int fd, int level, int name, void* value, socklen_t* size),
            (fd, level, name, value, size))
ARENAD_CALL(int, epoll_create1, "epoll_create1", (int flags), (flags))
ARENAD_CALL(int, epoll_ctl, "epoll_ctl", (int set, int what, int fd, epoll_event* event), (set, what, fd, event))
ARENAD_CALL(int, epoll_wait, "epoll_wait", (int set, epoll_event* events, int count, int timeout),
            (set, events, count, timeout))
ARENAD_CALL(int, epoll_pwait, "epoll_wait", (int set, epoll_event* events, int count, int timeout, const sigset_t* signals),
            (set, events, count, timeout, signals))
ARENAD_CALL(int, poll, "poll", (pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
ARENAD_CALL(int, eventfd, "eventfd2", (unsigned value, int flags), (value, flags))
ARENAD_CALL(int, pipe2, "pipe2", (int* ends, int flags), (ends, flags))
ARENAD_CALL(int, fexecve, "execve", (int fd, char* const* arguments, char* const* environment), (fd, arguments, environment))
ARENAD_CALL(int, waitid, "waitid", (idtype_t kind, id_t id, siginfo_t* info, int options), (kind, id, info, options))
ARENAD_CALL(pid_t, waitpid, "waitid", (pid_t pid, int* status, int options), (pid, status, options))
ARENAD_CALL_WITHOUT_ERRNO(pthread_create, "clone.thread",
                          (pthread_t * thread, const pthread_attr_t* attributes, void* (*work)(void*), void* argument),
                          (thread, attributes, work, argument))
ARENAD_CALL_WITHOUT_ERRNO(posix_spawn, "clone.program",
                          (pid_t * pid, const char* path, const posix_spawn_file_actions_t* actions,
                           const posix_spawnattr_t* attributes, char* const* arguments, char* const* environment),
                          (pid, path, actions, attributes, arguments, environment))

// Linux closes it whatever it answers.
ARENAD_STAND_BEFORE(int, close, (int fd)) {
  const int error = error_of(io_call("close"));
  const int answer = next_close()(fd);
  return error != 0 ? failed<int>(error) : answer;
}

ARENAD_STAND_BEFORE(void*, mmap, (void* at, size_t bytes, int protection, int flags, int fd, off_t offset)) {
  if (const int error = error_of(io_call("mmap")); error != 0) {
    errno = error;
    return MAP_FAILED;
  }
  return next_mmap()(at, bytes, protection, flags, fd, offset);
}

ARENAD_STAND_BEFORE(void*, mmap64, (void* at, size_t bytes, int protection, int flags, int fd, off_t offset)) {
  return arenad_mmap(at, bytes, protection, flags, fd, offset);
}

ARENAD_STAND_BEFORE(int, fcntl, (int fd, int what, long argument)) {
  if (const size_t call = call_of_fcntl(what); call != kIoCalls.size()) {
    if (const int error = error_of(call); error != 0) return failed<int>(error);
  }
  return next_fcntl()(fd, what, argument);
}

ARENAD_STAND_BEFORE(int, fcntl64, (int fd, int what, long argument)) {
  return arenad_fcntl(fd, what, argument);
}

ARENAD_STAND_BEFORE(dirent64*, readdir64, (DIR * folder)) {
  const int error = error_of(io_call("getdents64"));
  return error != 0 ? failed<dirent64*>(error) : next_readdir64()(folder);
}

ARENAD_STAND_BEFORE(dirent*, readdir, (DIR * folder)) {
  const int error = error_of(io_call("getdents64"));
  return error != 0 ? failed<dirent*>(error) : next_readdir()(folder);
}

// A template forks its workers with it.
ARENAD_STAND_BEFORE(long, syscall, (long number, long a, long b, long c, long d, long e, long f)) {
  if (const size_t call = call_of_number(number); call != kIoCalls.size()) {
    if (const int error = error_of(call); error != 0) return failed<long>(error);
  }
  const long answer = next_syscall()(number, a, b, c, d, e, f);
  if (number == SYS_clone && answer == 0 && role == CallRole::template_process) role = CallRole::worker;
  return answer;
}
// NOLINTEND(bugprone-macro-parentheses)
