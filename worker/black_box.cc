#include "worker/black_box.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <exception>
#include <execinfo.h>
#include <link.h>
#include <string>
#include <string_view>
#include <ucontext.h>
#include <unistd.h>

#include "ipc/clock.h"

namespace arenad {

const int kWhereAreYouSignal = SIGURG;

namespace {

// SIGSYS is one too, and is handled from before the cage on: a worker in it cannot say any more what becomes of that one.
constexpr std::array kFatalSignals{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGXCPU, SIGQUIT, SIGTERM};
// What looking at a language's data where it is half written ends in.
constexpr std::array kFaults{SIGSEGV, SIGBUS};
constexpr size_t kHandlerStackBytes = size_t{64} * 1024;

struct Objects {
  uint32_t count = 0;
  std::array<MappedObject, kMaxMappedObjects> list{};
};

// See the head of black_box.h for why these are not members of anything.
Objects objects;                   // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
BlackBox* box = nullptr;           // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
ScriptNotes* scripts = nullptr;    // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
AskScript script_stack = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
// Of the thread that asks the module just now. A pointer, because a handler may read one at any instruction.
thread_local sigjmp_buf* way_back = nullptr;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
const WorkerStatus* status = nullptr;         // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
alignas(
    16) std::array<std::byte, kHandlerStackBytes> handler_stack;  // NOLINT(cppcoreguidelines-avoid-non-const-global-variables)

// ---- what is mapped -----------------------------------------------------------------------------------------------------

void take_build_id(const dl_phdr_info& info, const ElfW(Phdr) & header, MappedObject& object) {
  const auto* at = reinterpret_cast<const char*>(info.dlpi_addr + header.p_vaddr);
  const char* end = at + header.p_memsz;
  while (at + sizeof(ElfW(Nhdr)) <= end) {
    const auto& note = *reinterpret_cast<const ElfW(Nhdr)*>(at);
    const char* name = at + sizeof note;
    const char* value = name + (note.n_namesz + 3) / 4 * 4;
    if (value + note.n_descsz > end) return;
    if (note.n_type == NT_GNU_BUILD_ID && std::string_view(name, note.n_namesz) == std::string_view("GNU\0", 4)) {
      object.build_id_bytes = std::min<uint32_t>(note.n_descsz, sizeof object.build_id);
      std::memcpy(object.build_id, value, object.build_id_bytes);
      return;
    }
    at = value + (note.n_descsz + 3) / 4 * 4;
  }
}

// The end of a path tells more than its beginning.
void take_path(std::string_view path, MappedObject& object) {
  constexpr size_t kRoom = sizeof object.path - 1;
  if (path.size() > kRoom) path.remove_prefix(path.size() - kRoom);
  std::memcpy(object.path, path.data(), path.size());
}

int list_object(dl_phdr_info* info, size_t, void*) {
  if (objects.count == objects.list.size()) return 1;
  MappedObject object{};
  object.begin = UINT64_MAX;
  object.bias = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr)& header = info->dlpi_phdr[i];
    if (header.p_type == PT_LOAD) {
      object.begin = std::min<uint64_t>(object.begin, info->dlpi_addr + header.p_vaddr);
      object.end = std::max<uint64_t>(object.end, info->dlpi_addr + header.p_vaddr + header.p_memsz);
    } else if (header.p_type == PT_NOTE && object.build_id_bytes == 0) {
      take_build_id(*info, header, object);
    }
  }
  if (info->dlpi_name != nullptr && *info->dlpi_name != '\0') {
    std::array<char, PATH_MAX> absolute{};
    take_path(::realpath(info->dlpi_name, absolute.data()) != nullptr ? absolute.data() : info->dlpi_name, object);
  } else {
    std::array<char, PATH_MAX> self{};
    const ssize_t length = ::readlink("/proc/self/exe", self.data(), self.size());
    if (length > 0) take_path({self.data(), static_cast<size_t>(length)}, object);
  }
  objects.list[objects.count++] = object;
  return 0;
}

// ---- the handlers -------------------------------------------------------------------------------------------------------

uint64_t interrupted_at(const void* context) {
  const auto& machine = static_cast<const ucontext_t*>(context)->uc_mcontext;
#if defined(__x86_64__)
  return static_cast<uint64_t>(machine.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return machine.pc;
#else
#error "where a signal interrupted is not known on this machine"
#endif
}

// From `interrupted` on; without it, the whole stack from here.
void take_stack(StackAddresses& stack, uint64_t interrupted) {
  std::array<void*, kStackDepth + 8> found{};
  const int depth = ::backtrace(found.data(), static_cast<int>(found.size()));
  const auto end = found.begin() + std::max(depth, 0);
  auto from = std::find(found.begin(), end, reinterpret_cast<void*>(interrupted));
  stack.depth = 0;
  if (from == end) {
    from = found.begin();
    // The unwinder did not get through: at least where it was.
    if (interrupted != 0) stack.addresses[stack.depth++] = interrupted;
  }
  for (auto at = from; at != end && stack.depth < kStackDepth; ++at) {
    stack.addresses[stack.depth++] = reinterpret_cast<uint64_t>(*at);
  }
}

void handle_as_fatal(int signal);

// Faults come through while the module is asked, though the handler that asks has blocked all signals, and lead back here.
size_t answer_of_script(char* text, size_t bytes) {
  sigset_t faults;
  sigset_t before;
  std::array<struct sigaction, kFaults.size()> actions{};
  ::sigemptyset(&faults);
  for (size_t i = 0; i < kFaults.size(); ++i) {
    ::sigaddset(&faults, kFaults[i]);
    ::sigaction(kFaults[i], nullptr, &actions[i]);
    handle_as_fatal(kFaults[i]);
  }
  sigjmp_buf back;
  ::pthread_sigmask(SIG_UNBLOCK, &faults, &before);
  size_t answered = 0;
  if (sigsetjmp(back, 0) == 0) {
    way_back = &back;
    answered = script_stack(text, bytes);
  }
  way_back = nullptr;
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  for (size_t i = 0; i < kFaults.size(); ++i) ::sigaction(kFaults[i], &actions[i], nullptr);
  return std::min(answered, bytes);
}

void ask_script(ScriptText& to, uint64_t number) {
  if (script_stack == nullptr) return;
  to.written.store(0, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  to.source = static_cast<uint32_t>(ScriptSource::stack);
  to.bytes = static_cast<uint32_t>(answer_of_script(to.text, sizeof to.text));
  to.written.store(number, std::memory_order_release);
}

// After all else of the note: a traceback of the error that the process is ended for says more.
void ask_script_of_death() {
  if (scripts->death.written.load(std::memory_order_relaxed) == 0) ask_script(scripts->death, 1);
}

extern "C" void on_fatal_signal(int signal, siginfo_t* info, void* context) {
  if (way_back != nullptr) siglongjmp(*way_back, 1);
  BlackBox* const open = box;
  if (open != nullptr && open->death.written.load(std::memory_order_relaxed) == 0) {
    DeathNote& note = open->death;
    note.kind = EndKind::signal;
    note.signal = static_cast<uint32_t>(signal);
    note.code = info->si_code;
    if (signal == SIGSYS && info->si_code > 0) {
      note.system_call = info->si_syscall;
    } else if (info->si_code > 0) {
      note.address = reinterpret_cast<uint64_t>(info->si_addr);
    } else {
      note.sender = static_cast<uint32_t>(info->si_pid);
    }
    note.at_ns = monotonic_ns();
    note.written.store(1, std::memory_order_release);
    take_stack(note.stack, interrupted_at(context));
    note.written.store(2, std::memory_order_release);
    ask_script_of_death();
  }
  ::raise(signal);  // delivered when this returns, if the signal is blocked until then
}

extern "C" void on_where_are_you(int, siginfo_t*, void* context) {
  const int errno_before = errno;
  if (BlackBox* const open = box; open != nullptr) {
    SlowNote& note = open->slow;
    note.frame = status->frame_decided.load(std::memory_order_relaxed);
    note.ran_ns = monotonic_ns() - status->heartbeat_ns.load(std::memory_order_relaxed);
    note.phase = status->phase.load(std::memory_order_relaxed);
    take_stack(note.stack, interrupted_at(context));
    const uint64_t number = note.written.load(std::memory_order_relaxed) + 1;
    ask_script(scripts->slow, number);
    note.written.store(number, std::memory_order_release);
  }
  errno = errno_before;
}

void on_exit_in_a_match(int code, void*) {
  if (box == nullptr || box->death.written.load(std::memory_order_relaxed) != 0) return;
  DeathNote& note = box->death;
  note.kind = EndKind::exit;
  note.exit_code = code;
  note.at_ns = monotonic_ns();
  note.written.store(1, std::memory_order_release);
  take_stack(note.stack, 0);
  note.written.store(2, std::memory_order_release);
  ask_script_of_death();
}

// An exception that nobody catches: its text says more than the stack.
[[noreturn]] void on_terminate() {
  if (const auto exception = std::current_exception()) {
    try {
      std::rethrow_exception(exception);
    } catch (const std::exception& e) {
      note_reason(std::string("uncaught exception: ") + e.what());
    } catch (...) {
      note_reason("uncaught exception of an unknown type");
    }
  }
  std::abort();
}

void handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags) {
  struct sigaction action {};
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | flags;
  ::sigfillset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

// The second time, from the handler or from another thread, a signal does what it does by default.
void handle_as_fatal(int signal) {
  handle(signal, on_fatal_signal, static_cast<int>(SA_RESETHAND));
}

}  // namespace

void prepare_black_box() {
  handle_as_fatal(SIGSYS);
  objects.count = 0;
  ::dl_iterate_phdr(list_object, nullptr);
  // The first call loads the unwinder, which a handler must not.
  std::array<void*, 4> unused{};
  ::backtrace(unused.data(), static_cast<int>(unused.size()));
}

void open_black_box(Incarnation& region, AskScript ask_script) {
  if (objects.count == 0) prepare_black_box();
  BlackBox& opened = region.black_box();
  opened.object_count = objects.count;
  std::copy_n(objects.list.begin(), objects.count, opened.objects);
  status = &region.status();
  scripts = &region.script_notes();
  script_stack = ask_script;
  box = &opened;

  // A stack overflow leaves no room on the stack.
  const stack_t stack{.ss_sp = handler_stack.data(), .ss_flags = 0, .ss_size = handler_stack.size()};
  ::sigaltstack(&stack, nullptr);
  for (const int signal : kFatalSignals) handle_as_fatal(signal);
  handle(kWhereAreYouSignal, on_where_are_you, SA_RESTART);
  ::on_exit(on_exit_in_a_match, nullptr);
  std::set_terminate(on_terminate);
}

void note_reason(std::string_view reason) {
  if (box == nullptr) return;
  reason = reason.substr(0, sizeof box->reason - 1);
  std::memset(box->reason, 0, sizeof box->reason);
  std::memcpy(box->reason, reason.data(), reason.size());
}

void note_blame() {
  if (box != nullptr) box->death.blames_event = 1;
}

void note_traceback(std::string_view lines) {
  if (box == nullptr || lines.empty()) return;
  ScriptText& to = scripts->death;
  lines = lines.substr(0, sizeof to.text);
  to.source = static_cast<uint32_t>(ScriptSource::error);
  to.bytes = static_cast<uint32_t>(lines.size());
  std::memcpy(to.text, lines.data(), lines.size());
  to.written.store(1, std::memory_order_release);
}

void close_black_box() {
  box = nullptr;
}

}  // namespace arenad
