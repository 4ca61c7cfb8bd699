// A part of a module that makes a process of its own while it is loaded: FORKS as the C library does, or in the one way that a template may.
#include <csignal>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace {

long leave() {
#ifdef FORKS
  const long pid = ::fork();
#else
  const long pid = ::syscall(SYS_clone, CLONE_PARENT, nullptr, nullptr, nullptr, nullptr);
#endif
  if (pid != 0) return pid;
  for (;;) ::pause();
}
const long kLeft = leave();

}  // namespace
