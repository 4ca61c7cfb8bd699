#include "worker/system_call_filter.h"

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <fcntl.h>
#include <initializer_list>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/fd.h"

namespace arenad {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// Sanitizers start threads, trace themselves and read what they like: there only what nobody needs is denied.
constexpr bool kDeniesByList = true;
#else
constexpr bool kDeniesByList = false;
#endif

constexpr uint64_t kNewNamespaces =
    CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWCGROUP;
constexpr uint64_t kTypeOfSocket = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK

using Calls = std::initializer_list<int>;
using Conditions = std::initializer_list<scmp_arg_cmp>;

scmp_arg_cmp is(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_EQ, value, 0};
}
scmp_arg_cmp is_not(unsigned argument, uint64_t value) {
  return {argument, SCMP_CMP_NE, value, 0};
}
scmp_arg_cmp has_bits(unsigned argument, uint64_t mask, uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

// libseccomp's, until it is a program.
class Rules {
 public:
  explicit Rules(CageMode mode)
      : denial_(mode == CageMode::log ? SCMP_ACT_LOG : SCMP_ACT_TRAP),
        context_(::seccomp_init(kDeniesByList ? SCMP_ACT_ALLOW : denial_)) {
    // 32-bit calls and their like have other numbers: one of them is an attempt to get past the filter.
    ::seccomp_attr_set(context_, SCMP_FLTATR_ACT_BADARCH, mode == CageMode::log ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
    ::seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a binary tree
  }
  Rules(const Rules&) = delete;
  Rules& operator=(const Rules&) = delete;
  ~Rules() { ::seccomp_release(context_); }

  void allow(Calls calls) {
    for (const int call : calls) add(SCMP_ACT_ALLOW, call, {});
  }
  // May be said again with other conditions: one of them must hold.
  void allow_if(int call, Conditions conditions) { add(SCMP_ACT_ALLOW, call, conditions); }
  // For callers that know what else to do.
  void refuse(int call, int error) {
    if (denial_ != SCMP_ACT_LOG) add(SCMP_ACT_ERRNO(static_cast<uint32_t>(error)), call, {});
  }
  void refuse_if(int call, int error, Conditions conditions) {
    if (denial_ != SCMP_ACT_LOG) add(SCMP_ACT_ERRNO(static_cast<uint32_t>(error)), call, conditions);
  }
  // Ended at once, also by a process that has a handler of its own.
  void kill_if(int call, Conditions conditions) {
    if (denial_ != SCMP_ACT_LOG) add(SCMP_ACT_KILL_PROCESS, call, conditions);
  }
  void deny(Calls calls) {
    if (!kDeniesByList) return;  // all that is not listed is
    for (const int call : calls) add(denial_, call, {});
  }

  Result<FilterProgram> program() {
    if (error_ != 0) {
      errno = error_;
      return errno_error("cannot make the filter of system calls");
    }
    const Fd file(::memfd_create("filter", MFD_CLOEXEC));
    if (!file) return errno_error("cannot make the filter of system calls");
    if (const int error = ::seccomp_export_bpf(context_, file.get()); error != 0) {
      errno = -error;
      return errno_error("cannot make the filter of system calls");
    }
    const off_t bytes = ::lseek(file.get(), 0, SEEK_END);
    FilterProgram program(static_cast<size_t>(bytes) / sizeof(sock_filter));
    if (::pread(file.get(), program.data(), program.size() * sizeof(sock_filter), 0) != bytes) {
      return errno_error("cannot make the filter of system calls");
    }
    return program;
  }

 private:
  void add(uint32_t action, int call, Conditions conditions) {
    // Of another kind of machine; or let through anyway.
    if (call < 0 || (kDeniesByList && action == SCMP_ACT_ALLOW)) return;
    const int error =
        ::seccomp_rule_add_array(context_, action, call, static_cast<unsigned>(conditions.size()), conditions.begin());
    if (error != 0 && error_ == 0) error_ = -error;
  }

  uint32_t denial_;
  scmp_filter_ctx context_;
  int error_ = 0;
};

void allow_everyday_calls(Rules& rules) {
  // Descriptors that are there.
  rules.allow({SCMP_SYS(read),
               SCMP_SYS(readv),
               SCMP_SYS(pread64),
               SCMP_SYS(preadv),
               SCMP_SYS(write),
               SCMP_SYS(writev),
               SCMP_SYS(pwrite64),
               SCMP_SYS(lseek),
               SCMP_SYS(close),
               SCMP_SYS(fstat),
               SCMP_SYS(dup),
               SCMP_SYS(dup2),
               SCMP_SYS(dup3),
               SCMP_SYS(pipe),
               SCMP_SYS(pipe2),
               SCMP_SYS(eventfd2),
               SCMP_SYS(timerfd_create),
               SCMP_SYS(timerfd_settime),
               SCMP_SYS(timerfd_gettime),
               SCMP_SYS(poll),
               SCMP_SYS(ppoll),
               SCMP_SYS(select),
               SCMP_SYS(pselect6),
               SCMP_SYS(epoll_create1),
               SCMP_SYS(epoll_ctl),
               SCMP_SYS(epoll_wait),
               SCMP_SYS(epoll_pwait),
               SCMP_SYS(epoll_pwait2),
               SCMP_SYS(getdents64)});
  // Files, to be read. Which ones is Landlock's part; where there is none, whatever the user of arenad may read.
  rules.allow({SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(stat), SCMP_SYS(lstat),
               SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd)});
  constexpr uint64_t kChanges = O_ACCMODE | O_CREAT | O_TRUNC | (O_TMPFILE & ~O_DIRECTORY);
  rules.allow_if(SCMP_SYS(open), {has_bits(1, kChanges, O_RDONLY)});
  rules.allow_if(SCMP_SYS(openat), {has_bits(2, kChanges, O_RDONLY)});
  // Time, waiting, chance.
  rules.allow({SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres),  SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
               SCMP_SYS(gettimeofday),  SCMP_SYS(time),          SCMP_SYS(times),           SCMP_SYS(futex),
               SCMP_SYS(futex_waitv),   SCMP_SYS(sched_yield),   SCMP_SYS(getrandom),       SCMP_SYS(restart_syscall),
               SCMP_SYS(timer_create),  SCMP_SYS(timer_settime), SCMP_SYS(timer_gettime),   SCMP_SYS(timer_getoverrun),
               SCMP_SYS(timer_delete),  SCMP_SYS(setitimer),     SCMP_SYS(getitimer),       SCMP_SYS(alarm),
               SCMP_SYS(pause)});
  // What it is itself.
  rules.allow({SCMP_SYS(getpid),  SCMP_SYS(gettid),          SCMP_SYS(getppid),
               SCMP_SYS(getuid),  SCMP_SYS(geteuid),         SCMP_SYS(getgid),
               SCMP_SYS(getegid), SCMP_SYS(getpgrp),         SCMP_SYS(uname),
               SCMP_SYS(sysinfo), SCMP_SYS(getrusage),       SCMP_SYS(sched_getaffinity),
               SCMP_SYS(getcpu),  SCMP_SYS(getrlimit),       SCMP_SYS(set_robust_list),
               SCMP_SYS(rseq),    SCMP_SYS(set_tid_address), SCMP_SYS(membarrier),
               SCMP_SYS(exit),    SCMP_SYS(exit_group)});
  rules.allow_if(SCMP_SYS(prlimit64), {is(0, 0), is(2, 0)});
  for (const int what : {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA}) {
    rules.allow_if(SCMP_SYS(prctl), {is(0, static_cast<uint64_t>(what))});
  }
  // Signals: to whom is the other filter's part.
  rules.allow({SCMP_SYS(kill), SCMP_SYS(tgkill), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(rt_sigpending),
               SCMP_SYS(rt_sigsuspend), SCMP_SYS(rt_sigtimedwait), SCMP_SYS(sigaltstack)});
  // F_SETOWN makes the kernel send signals, so it is looked at there too; F_SETSIG and F_SETOWN_EX are not needed.
  for (const int command : {F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_SETOWN, F_ADD_SEALS, F_GET_SEALS}) {
    rules.allow_if(SCMP_SYS(fcntl), {is(1, static_cast<uint64_t>(command))});
  }
  // What nobody took of its output makes room (ipc/output_file.h).
  rules.allow_if(SCMP_SYS(fallocate), {is(1, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE)});
  for (const uint64_t request : {uint64_t{TCGETS}, uint64_t{TIOCGWINSZ}, uint64_t{FIONREAD}, uint64_t{FIONBIO}}) {
    rules.allow_if(SCMP_SYS(ioctl), {is(1, request)});
  }
  rules.allow({SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(msync), SCMP_SYS(mincore)});
  // The link, and life without an arenad: the socket for workers is of packets, and that for commands, where a process of arenad's user
  // may everything, is not. connect(2) between the two is refused by the kernel.
  rules.allow({SCMP_SYS(sendmsg), SCMP_SYS(sendto), SCMP_SYS(recvmsg), SCMP_SYS(recvfrom), SCMP_SYS(connect),
               SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername), SCMP_SYS(shutdown)});
  rules.allow_if(SCMP_SYS(socket), {is(0, AF_UNIX), has_bits(1, kTypeOfSocket, SOCK_SEQPACKET)});
}

void allow_writing_files(Rules& rules) {
  rules.allow({SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(creat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(unlink),
               SCMP_SYS(unlinkat), SCMP_SYS(rmdir), SCMP_SYS(rename), SCMP_SYS(renameat), SCMP_SYS(renameat2),
               SCMP_SYS(truncate), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
               SCMP_SYS(flock), SCMP_SYS(utimensat)});
}

void allow_network(Rules& rules) {
  rules.allow({SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(setsockopt), SCMP_SYS(sendmmsg),
               SCMP_SYS(recvmmsg), SCMP_SYS(socketpair)});
  for (const int family : {AF_INET, AF_INET6, AF_NETLINK})
    rules.allow_if(SCMP_SYS(socket), {is(0, static_cast<uint64_t>(family))});
  // The resolver asks for others, and does without.
  rules.refuse_if(SCMP_SYS(socket), EACCES, {is(0, AF_UNIX), has_bits(1, kTypeOfSocket, SOCK_STREAM)});
  rules.refuse_if(SCMP_SYS(socket), EACCES, {is(0, AF_UNIX), has_bits(1, kTypeOfSocket, SOCK_DGRAM)});
}

void deny_what_nobody_needs(Rules& rules) {
  rules.deny({SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
              SCMP_SYS(pidfd_open), SCMP_SYS(pidfd_getfd), SCMP_SYS(pidfd_send_signal), SCMP_SYS(tkill),
              SCMP_SYS(rt_sigqueueinfo), SCMP_SYS(rt_tgsigqueueinfo), SCMP_SYS(bpf), SCMP_SYS(io_uring_setup), SCMP_SYS(mount),
              SCMP_SYS(unshare), SCMP_SYS(setns), SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(perf_event_open)});
}

Result<void> allow_asked(Rules& rules, const CageOptions& options) {
  if (options.network) allow_network(rules);
  if (!options.writable.empty()) allow_writing_files(rules);
  for (const std::string& name : options.system_calls) {
    const int call = ::seccomp_syscall_resolve_name(name.c_str());
    if (call == __NR_SCMP_ERROR) {
      return make_error(ErrorCode::invalid,
                        "there is no system call " + name + ", which system_calls of its configuration names");
    }
    rules.allow({call});
  }
  deny_what_nobody_needs(rules);
  return {};
}

// ---- signals ------------------------------------------------------------------------------------------------------------

#if defined(__x86_64__)
constexpr uint32_t kMachine = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr uint32_t kMachine = AUDIT_ARCH_AARCH64;
#else
#error "the filter of system calls does not know this machine"
#endif

sock_filter load(size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset));
}
// The low half: a pid is an int.
sock_filter load_argument(size_t number) {
  return load(offsetof(seccomp_data, args) + number * sizeof(uint64_t));
}
// Skips instructions.
sock_filter if_equal(uint32_t value, uint8_t then, uint8_t otherwise) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise);
}
sock_filter if_greater(uint32_t value, uint8_t then, uint8_t otherwise) {
  return BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, value, then, otherwise);
}
sock_filter answer(uint32_t action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

uint32_t denial(CageMode mode) {
  return mode == CageMode::log ? SECCOMP_RET_LOG : SECCOMP_RET_TRAP;
}

// judgement: what to do with the pid that is loaded.
FilterProgram signals_filter(std::initializer_list<sock_filter> judgement) {
  const auto past_judgement = static_cast<uint8_t>(judgement.size() + 1);
  FilterProgram program{
      load(offsetof(seccomp_data, arch)),
      if_equal(kMachine, 1, 0),
      answer(SECCOMP_RET_ALLOW),  // the other filter ends it
      load(offsetof(seccomp_data, nr)),
      if_equal(SCMP_SYS(kill), 1, 0),
      if_equal(SCMP_SYS(tgkill), 0, past_judgement),
      load_argument(0),
  };
  program.insert(program.end(), judgement);
  program.insert(program.end(), {
                                    if_equal(SCMP_SYS(fcntl), 1, 0),
                                    answer(SECCOMP_RET_ALLOW),
                                    load_argument(1),
                                    if_equal(F_SETOWN, 1, 0),
                                    answer(SECCOMP_RET_ALLOW),
                                    load_argument(2),
                                });
  program.insert(program.end(), judgement);
  return program;
}

}  // namespace

Result<FilterProgram> template_filter(const CageOptions& options) {
  Rules rules(options.mode);
  allow_everyday_calls(rules);
  rules.allow({SCMP_SYS(mprotect), SCMP_SYS(rt_sigaction), SCMP_SYS(ftruncate), SCMP_SYS(fallocate), SCMP_SYS(prctl),
               SCMP_SYS(setrlimit), SCMP_SYS(seccomp), SCMP_SYS(landlock_restrict_self)});
  // Huge pages are the whole machine's, and few.
  rules.allow_if(SCMP_SYS(mmap), {has_bits(3, MAP_HUGETLB, 0)});
  rules.allow_if(SCMP_SYS(memfd_create), {has_bits(1, MFD_HUGETLB, 0)});
  // Of itself: the kernel lets a process limit any other one of its user.
  rules.allow_if(SCMP_SYS(prlimit64), {is(0, 0)});
  // As workers are forked (ipc/process.h), and so that constructors can leave no process behind of which arenad is not the parent. Threads end
  // with the template, and workers do not have them.
  rules.allow_if(SCMP_SYS(clone), {is(0, CLONE_PARENT)});
  rules.allow_if(SCMP_SYS(clone), {has_bits(0, kNewNamespaces | CLONE_THREAD, CLONE_THREAD)});
  if (!kDeniesByList) rules.refuse(SCMP_SYS(clone3), ENOSYS);
  if (auto asked = allow_asked(rules, options); !asked) return asked.error();
  return rules.program();
}

Result<FilterProgram> worker_filter(const CageOptions& options) {
  Rules rules(options.mode);
  allow_everyday_calls(rules);
  // No new code; and no shared memory without a descriptor, which the limit of private memory would not count. Nor huge
  // pages, which are the whole machine's, and few.
  rules.allow_if(SCMP_SYS(mmap), {has_bits(2, PROT_EXEC, 0), has_bits(3, MAP_ANONYMOUS | MAP_HUGETLB, 0)});
  rules.allow_if(SCMP_SYS(mmap), {has_bits(2, PROT_EXEC, 0), has_bits(3, MAP_TYPE | MAP_HUGETLB, MAP_PRIVATE)});
  rules.allow_if(SCMP_SYS(mprotect), {has_bits(2, PROT_EXEC, 0)});
  // The black box is its handler: whoever has another one could go on.
  // All but that one, and no number whose lower half is its: the kernel looks at nothing else.
  rules.allow_if(SCMP_SYS(rt_sigaction), {scmp_arg_cmp{0, SCMP_CMP_LT, SIGSYS, 0}});
  rules.allow_if(SCMP_SYS(rt_sigaction), {has_bits(0, ~uint64_t{31}, 32)});
  rules.allow_if(SCMP_SYS(rt_sigaction), {is(0, 64)});
  if (!kDeniesByList) rules.kill_if(SCMP_SYS(rt_sigaction), {is(0, SIGSYS), is_not(1, 0)});
  if (options.threads) {
    rules.allow_if(SCMP_SYS(clone), {has_bits(0, kNewNamespaces | CLONE_THREAD, CLONE_THREAD)});
    if (!kDeniesByList) rules.refuse(SCMP_SYS(clone3), ENOSYS);
  }
  if (auto asked = allow_asked(rules, options); !asked) return asked.error();
  return rules.program();
}

FilterProgram own_signals_filter(CageMode mode, pid_t self) {
  return signals_filter({if_equal(static_cast<uint32_t>(self), 1, 0), answer(denial(mode)), answer(SECCOMP_RET_ALLOW)});
}

FilterProgram signals_but_to_filter(CageMode mode, pid_t arenad) {
  // Negative ones are groups, or everybody; 0 is the own group, and 1 whoever runs the machine.
  return signals_filter({if_greater(INT32_MAX, 2, 0), if_equal(static_cast<uint32_t>(arenad), 1, 0), if_greater(1, 1, 0),
                         answer(denial(mode)), answer(SECCOMP_RET_ALLOW)});
}

Result<void> enter_filter(const FilterProgram& program) {
  const sock_fprog given{static_cast<unsigned short>(program.size()), const_cast<sock_filter*>(program.data())};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &given) == 0) return {};
  if (errno == EINVAL && ::prctl(PR_GET_SECCOMP) < 0) return {};  // arenad has said so
  return errno_error("cannot enter the filter of system calls");
}

}  // namespace arenad
