// The filters of system calls, each entered by a process of its own that then tries one call.
#include "worker/system_call_filter.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <functional>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include "tests/support/child.h"

using namespace arenad;
using namespace arenad::test;

namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsWhole = false;  // sanitizers need a wider cage
#else
constexpr bool kIsWhole = true;
#endif

constexpr int kNoFilter = 98;
constexpr int kFailed = 10;  // the call, with an error

enum class Fate { works, fails, ended };

using Call = std::function<long()>;

Fate fate_of(const FilterProgram& filter, const Call& call) {
  Child child([&] {
    std::signal(SIGSYS, SIG_DFL);
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !enter_filter(filter)) return kNoFilter;
    return call() >= 0 ? kChildFine : kFailed;
  });
  const Exit exit = child.wait();
  INFO(exit.text());
  if (exit.how == Exit::How::signalled && exit.value == SIGSYS) return Fate::ended;
  REQUIRE(exit.how == Exit::How::exited);
  REQUIRE((exit.value == kChildFine || exit.value == kFailed));
  return exit.value == kChildFine ? Fate::works : Fate::fails;
}

CageOptions options_of(CageMode mode) {
  CageOptions options;
  options.mode = mode;
  return options;
}

FilterProgram made(Result<FilterProgram> filter) {
  REQUIRE(filter.ok());
  return std::move(*filter);
}

long map(int protection, int flags) {
  return ::mmap(nullptr, 4096, protection, flags, -1, 0) == MAP_FAILED ? -1 : 0;
}

long raw_clone(unsigned long flags) {
  const long pid = ::syscall(SYS_clone, flags, nullptr, nullptr, nullptr, nullptr);
  if (pid == 0) ::_exit(0);
  return pid;
}

struct Trial {
  const char* what;
  Call call;
  Fate in_worker;
  Fate in_template;
};

const std::vector<Trial>& trials() {
  static const std::vector<Trial> all{
      {"getpid", [] { return static_cast<long>(::getpid()); }, Fate::works, Fate::works},
      {"private memory", [] { return map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS); }, Fate::works, Fate::works},
      {"shared memory", [] { return map(PROT_READ, MAP_SHARED | MAP_ANONYMOUS); }, Fate::ended, Fate::works},
      {"huge pages", [] { return map(PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB); }, Fate::ended, Fate::ended},
      {"code", [] { return map(PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS); }, Fate::ended, Fate::works},
      {"memfd", [] { return static_cast<long>(::memfd_create("m", MFD_CLOEXEC)); }, Fate::ended, Fate::works},
      {"a huge memfd", [] { return static_cast<long>(::memfd_create("m", MFD_HUGETLB)); }, Fate::ended, Fate::ended},
      {"a worker", [] { return raw_clone(CLONE_PARENT); }, Fate::ended, Fate::works},
      {"a child of its own", [] { return raw_clone(SIGCHLD); }, Fate::ended, Fate::ended},
      {"a sibling with more", [] { return raw_clone(CLONE_PARENT | CLONE_FILES); }, Fate::ended, Fate::ended},
      {"a namespace", [] { return raw_clone(CLONE_PARENT | CLONE_NEWUSER); }, Fate::ended, Fate::ended},
      {"clone3", [] { return ::syscall(SYS_clone3, nullptr, 0); }, Fate::ended, Fate::fails},
      {"execve", [] { return static_cast<long>(::execl("/bin/true", "true", nullptr)); }, Fate::ended, Fate::ended},
      {"to read", [] { return static_cast<long>(::open("/dev/null", O_RDONLY)); }, Fate::works, Fate::works},
      {"to write", [] { return static_cast<long>(::open("/dev/null", O_WRONLY)); }, Fate::ended, Fate::ended},
      {"packets", [] { return static_cast<long>(::socket(AF_UNIX, SOCK_SEQPACKET, 0)); }, Fate::works, Fate::works},
      {"a stream", [] { return static_cast<long>(::socket(AF_UNIX, SOCK_STREAM, 0)); }, Fate::ended, Fate::ended},
      {"setsid", [] { return static_cast<long>(::setsid()); }, Fate::ended, Fate::ended},
      {"a handler", [] { return std::signal(SIGUSR1, SIG_IGN) == SIG_ERR ? -1L : 0; }, Fate::works, Fate::works},
      {"another end", [] { return std::signal(SIGSYS, SIG_IGN) == SIG_ERR ? -1L : 0; }, Fate::ended, Fate::works},
  };
  return all;
}

}  // namespace

TEST_CASE("what a worker and a template may, and what ends them" * doctest::skip(!kIsWhole)) {
  const FilterProgram worker = made(worker_filter(options_of(CageMode::kill)));
  const FilterProgram around_template = made(template_filter(options_of(CageMode::kill)));
  for (const Trial& trial : trials()) {
    INFO(trial.what);
    CHECK(fate_of(worker, trial.call) == trial.in_worker);
    CHECK(fate_of(around_template, trial.call) == trial.in_template);
  }
}

TEST_CASE("who only has it logged is not ended by anything") {
  for (const FilterProgram& filter :
       {made(worker_filter(options_of(CageMode::log))), made(template_filter(options_of(CageMode::log)))}) {
    for (const Trial& trial : trials()) {
      INFO(trial.what);
      CHECK(fate_of(filter, trial.call) != Fate::ended);
    }
  }
}

TEST_CASE("what a game asks for is let through, and nothing else" * doctest::skip(!kIsWhole)) {
  const Call thread = [] { return raw_clone(CLONE_VM | CLONE_SIGHAND); };  // the kernel refuses no more than half of one
  CageOptions options = options_of(CageMode::kill);
  const Call memfd = [] { return static_cast<long>(::memfd_create("m", 0)); };
  const Call internet = [] { return static_cast<long>(::socket(AF_INET, SOCK_DGRAM, 0)); };
  const Call stream = [] { return static_cast<long>(::socket(AF_UNIX, SOCK_STREAM, 0)); };
  const Call to_write = [] { return static_cast<long>(::open("/dev/null", O_WRONLY)); };
  CHECK(fate_of(made(worker_filter(options)), internet) == Fate::ended);
  options.system_calls = {"memfd_create"};
  CHECK(fate_of(made(worker_filter(options)), memfd) == Fate::works);
  CHECK(fate_of(made(worker_filter(options)), to_write) == Fate::ended);
  options.system_calls = {};
  options.network = true;
  CHECK(fate_of(made(worker_filter(options)), internet) == Fate::works);
  CHECK(fate_of(made(worker_filter(options)), stream) == Fate::fails);
  CHECK(fate_of(made(worker_filter(options)), memfd) == Fate::ended);
  options.network = false;
  options.writable = {"/tmp"};
  CHECK(fate_of(made(worker_filter(options)), to_write) == Fate::works);
  options.writable = {};
  options.threads = true;
  CHECK(fate_of(made(worker_filter(options)), thread) == Fate::ended);
  CHECK(fate_of(made(worker_filter(options)), [] { return ::syscall(SYS_clone3, nullptr, 0); }) == Fate::fails);
}

TEST_CASE("a system call that does not exist") {
  CageOptions options = options_of(CageMode::kill);
  options.system_calls = {"getpid", "open_sesame"};
  for (const auto& filter : {worker_filter(options), template_filter(options)}) {
    REQUIRE_FALSE(filter.ok());
    CHECK(filter.error().code == ErrorCode::invalid);
    CHECK(filter.error().text().find("open_sesame") != std::string::npos);
  }
}

TEST_CASE("signals to oneself alone, or to all but arenad and groups") {
  const pid_t other = ::getpid();  // of the process that enters it, the parent
  const auto signal_to = [](pid_t pid) -> Call { return [pid] { return static_cast<long>(::kill(pid, 0)); }; };
  const Call to_itself = [] { return static_cast<long>(::kill(::getpid(), 0)); };
  for (const CageMode mode : {CageMode::kill, CageMode::log}) {
    const Fate denied = mode == CageMode::kill ? Fate::ended : Fate::works;
    const FilterProgram but_to = signals_but_to_filter(mode, other);
    CHECK(fate_of(but_to, to_itself) == Fate::works);
    CHECK(fate_of(but_to, signal_to(other)) == denied);
    CHECK(fate_of(but_to, signal_to(0)) == denied);
    CHECK((fate_of(but_to, signal_to(-1)) != Fate::ended) == (mode == CageMode::log));
    // Its own pid is known only where it is entered.
    const Call entered = [&] {
      if (!enter_filter(own_signals_filter(mode, ::getpid())) || ::kill(::getpid(), 0) != 0) return -1L;
      return static_cast<long>(::kill(other, 0));
    };
    CHECK(fate_of(signals_but_to_filter(mode, 0), entered) == denied);
  }
}
