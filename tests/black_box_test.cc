// What a worker leaves of its end: children that die in every way, with a real region, and what the reader makes of it; and the reader
// on bytes that no worker of ours has written. Where a function lies and which build it is of is taken from this program's own file.
#include "worker/black_box.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <filesystem>
#include <fstream>
#include <link.h>
#include <optional>
#include <stdexcept>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "ipc/clock.h"
#include "supervisor/black_box_reader.h"
#include "supervisor/death.h"
#include "tests/support/child.h"
#include "tests/support/seed.h"

using namespace arenad;
using arenad::test::Child;
using arenad::test::kChildFine;
using arenad::test::kDeadlineNs;
using arenad::test::Shared;

// ---- functions to die in: with C names, so that they are found by name in the file; each does something after its call, so that it
// ---- stays on the stack

namespace {
volatile uint64_t went_on = 0;
}  // namespace

extern "C" {

[[gnu::noinline]] void bb_write_wildly(uintptr_t address) {
  volatile int* volatile wild = reinterpret_cast<volatile int*>(address);
  *wild = 1;
  went_on = went_on + 1;
}
[[gnu::noinline]] void bb_outer(void (*run)(uintptr_t), uintptr_t value) {
  run(value);
  went_on = went_on + 1;
}
[[gnu::noinline]] void bb_abort(uintptr_t) {
  std::abort();
}
[[gnu::noinline]] void bb_exit(uintptr_t code) {
  std::exit(static_cast<int>(code));
}
[[gnu::noinline]] void bb_overflow(uintptr_t depth) {
  volatile char room[512];
  room[depth % sizeof room] = 1;
  if (depth != UINTPTR_MAX) bb_overflow(depth + 1);
  went_on = went_on + room[depth % sizeof room];
}
[[gnu::noinline]] void bb_throw(uintptr_t what) {
  if (what == 1) throw std::runtime_error("the text of it");
  throw 42;
}
[[gnu::noinline]] void bb_let_nothing_out(uintptr_t what) noexcept {
  bb_throw(what);
  went_on = went_on + 1;
}
// Nothing but this instruction pointer is left to go by.
[[gnu::noinline]] void bb_lose_the_stack(uintptr_t) {
#if defined(__x86_64__)
  asm volatile("movq $16, %%rsp; movq $16, %%rbp; movl $0, 32" ::: "memory");
#endif
}

}  // extern "C"

namespace {

struct Scene {
  std::atomic<uint32_t> spins;
  std::atomic<uint32_t> stop;
  std::atomic<uint32_t> ended;
};

}  // namespace

extern "C" [[gnu::noinline]] void bb_spin(Scene* scene) {
  while (scene->stop.load() == 0) scene->spins.fetch_add(1);
  went_on = went_on + 1;
}

namespace {

// ---- what this program's file says ----------------------------------------------------------------------------------------

std::string self_path() {
  return std::filesystem::canonical("/proc/self/exe").string();
}

// The tables of an ELF file that are of interest here.
class ElfFile {
 public:
  explicit ElfFile(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
    REQUIRE(bytes_.size() > sizeof(ElfW(Ehdr)));
    const auto& header = *at<ElfW(Ehdr)>(0);
    for (int i = 0; i < header.e_shnum; ++i) sections_.push_back(*at<ElfW(Shdr)>(header.e_shoff + i * sizeof(ElfW(Shdr))));
  }
  // Of the function whose symbol covers this address of the file.
  [[nodiscard]] std::string function_at(uint64_t address) const {
    for (const ElfW(Shdr) & section : sections_) {
      if (section.sh_type != SHT_SYMTAB) continue;
      for (uint64_t i = 0; i < section.sh_size / sizeof(ElfW(Sym)); ++i) {
        const auto& symbol = *at<ElfW(Sym)>(section.sh_offset + i * sizeof(ElfW(Sym)));
        if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || address < symbol.st_value) continue;
        if (address < symbol.st_value + symbol.st_size) return at<char>(sections_[section.sh_link].sh_offset + symbol.st_name);
      }
    }
    return "";
  }
  [[nodiscard]] std::string build_id() const {
    for (const ElfW(Shdr) & section : sections_) {
      if (section.sh_type != SHT_NOTE) continue;
      const auto& note = *at<ElfW(Nhdr)>(section.sh_offset);
      if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4) continue;
      std::string text;
      for (uint32_t i = 0; i < note.n_descsz; ++i) {
        std::array<char, 3> digits{};
        std::snprintf(digits.data(), digits.size(), "%02x", *at<unsigned char>(section.sh_offset + sizeof note + 4 + i));
        text += digits.data();
      }
      return text;
    }
    return "";
  }

 private:
  template <class T>
  [[nodiscard]] const T* at(uint64_t offset) const {
    REQUIRE(offset < bytes_.size());
    return reinterpret_cast<const T*>(bytes_.data() + offset);
  }
  std::string bytes_;
  std::vector<ElfW(Shdr)> sections_;
};

const ElfFile& self() {
  static const ElfFile file(self_path());
  return file;
}

// The functions of this program that a stack goes through, innermost first. Checks what is said of each frame in it.
std::vector<std::string> functions_of(const std::vector<TracedFrame>& stack) {
  std::vector<std::string> names;
  for (const TracedFrame& frame : stack) {
    if (frame.object != self_path()) continue;
    CHECK(frame.build_id == self().build_id());
    // All but the innermost are return addresses: behind the call, which may be the last instruction of its function.
    const bool is_return = &frame != &stack.front();
    names.push_back(self().function_at(frame.offset - (is_return ? 1 : 0)));
  }
  return names;
}

bool goes_through(const std::vector<TracedFrame>& stack, const std::string& function) {
  const auto names = functions_of(stack);
  return std::ranges::find(names, function) != names.end();
}

// ---- regions and children ----------------------------------------------------------------------------------------------

struct Box {
  Incarnation region;
  IncarnationView view;
};

Box make_box() {
  auto region = Incarnation::create({.slot_bytes = kPageBytes});
  REQUIRE(region.ok());
  auto fd = region->fd().duplicate();
  REQUIRE(fd.ok());
  auto view = IncarnationView::map(std::move(*fd));
  REQUIRE(view.ok());
  return {std::move(*region), std::move(*view)};
}

struct Ending {
  Exit exit;
  EndNote note;
  pid_t pid = 0;
};

// Runs a function in a child with an open black box, to the child's end.
template <class Run>
Ending end_of(Run&& run, AskScript ask_script = nullptr) {
  std::fflush(nullptr);
  Box box = make_box();
  Child child([&] {
    ::close(STDERR_FILENO);
    open_black_box(box.region, ask_script);
    run();
    return kChildFine;
  });
  const Exit exit = child.wait();
  return {exit, read_end_note(box.view), child.pid()};
}

void check_signal(const Ending& end, int signal) {
  CAPTURE(end.exit.text());
  CHECK((end.exit.how == Exit::How::signalled));
  CHECK(end.exit.value == signal);
  CHECK((end.note.kind == EndKind::signal));
  CHECK(end.note.signal == static_cast<uint32_t>(signal));
}

bool until(uint64_t deadline_ns, auto&& condition) {
  while (!condition()) {
    if (monotonic_ns() > deadline_ns) return false;
    ::sched_yield();
  }
  return true;
}

}  // namespace

TEST_CASE("black box: a write to nowhere, with the address and the function, its file, build and offset") {
  REQUIRE_FALSE(self().build_id().empty());
  const Ending end = end_of([] { bb_outer(bb_write_wildly, 0x10); });
  check_signal(end, SIGSEGV);
  CHECK(end.note.code == SEGV_MAPERR);
  CHECK(end.note.address == 0x10);
  CHECK(end.note.sender == 0);
  CHECK(end.note.reason.empty());
  const auto& stack = end.note.stack;
  REQUIRE(stack.size() >= 2);
  CHECK(stack[0].object == self_path());
  CHECK(stack[0].build_id == self().build_id());
  CHECK(self().function_at(stack[0].offset) == "bb_write_wildly");
  CHECK(stack[1].object == self_path());
  CHECK(self().function_at(stack[1].offset) == "bb_outer");
  // A child's addresses are its parent's: what the linker says of ours.
  Dl_info info{};
  REQUIRE(::dladdr(reinterpret_cast<void*>(stack[0].address), &info) != 0);
  CHECK(reinterpret_cast<uint64_t>(info.dli_fbase) == stack[0].address - stack[0].offset);
  CHECK(stack[0].address >= reinterpret_cast<uint64_t>(&bb_write_wildly));
  CHECK(judge_death({end.exit, end.note, end.pid, "", {}}).doing == PoisonWatch::Doing::its_own);
}

TEST_CASE("black box: a write to what may not be written") {
  static const int constant = 1;
  const Ending end = end_of([] { bb_outer(bb_write_wildly, reinterpret_cast<uintptr_t>(&constant)); });
  check_signal(end, SIGSEGV);
  CHECK(end.note.code == SEGV_ACCERR);
  CHECK(end.note.address == reinterpret_cast<uintptr_t>(&constant));
}

TEST_CASE("black box: abort, from inside another file") {
  const Ending end = end_of([] { bb_outer(bb_abort, 0); });
  check_signal(end, SIGABRT);
  CHECK(end.note.code <= 0);
  CHECK(end.note.sender == static_cast<uint32_t>(end.pid));
  REQUIRE(end.note.stack.size() >= 3);
  const TracedFrame& innermost = end.note.stack[0];
  Dl_info info{};
  REQUIRE(::dladdr(reinterpret_cast<void*>(innermost.address), &info) != 0);
  const std::string file = std::filesystem::canonical(info.dli_fname).string();
  CHECK(file != self_path());
  CHECK(innermost.object == file);
  CHECK(innermost.offset == innermost.address - reinterpret_cast<uint64_t>(info.dli_fbase));
  CHECK(innermost.build_id == ElfFile(file).build_id());
  CHECK(functions_of(end.note.stack).at(0) == "bb_abort");
  CHECK(functions_of(end.note.stack).at(1) == "bb_outer");
  CHECK(judge_death({end.exit, end.note, end.pid, "", {}}).doing == PoisonWatch::Doing::its_own);
}

TEST_CASE("black box: each fatal signal leaves a note, and still does what it does") {
  for (const int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU, SIGQUIT, SIGTERM}) {
    CAPTURE(signal);
    const Ending end = end_of([&] { ::raise(signal); });
    check_signal(end, signal);
    CHECK(end.note.sender == static_cast<uint32_t>(end.pid));
    CHECK_FALSE(end.note.stack.empty());
  }
}

TEST_CASE("black box: the stack is used up") {
  const Ending end = end_of([] {
    const rlimit limit{1 << 20, RLIM_INFINITY};
    ::setrlimit(RLIMIT_STACK, &limit);
    bb_overflow(0);
  });
  check_signal(end, SIGSEGV);
  REQUIRE(end.note.stack.size() == kStackDepth);
  for (const std::string& name : functions_of(end.note.stack)) CHECK(name == "bb_overflow");
  CHECK(functions_of(end.note.stack).size() == kStackDepth);
}

#if defined(__x86_64__)
TEST_CASE("black box: the stack cannot be walked, and what was written until then stands") {
  const Ending end = end_of([] { bb_outer(bb_lose_the_stack, 0); });
  check_signal(end, SIGSEGV);
  CHECK(end.note.address == 32);
  CHECK(end.note.stack.empty());
}
#endif

TEST_CASE("black box: a thread of the game falls") {
  const Ending end = end_of([] { std::thread([] { bb_outer(bb_write_wildly, 0x18); }).join(); });
  check_signal(end, SIGSEGV);
  CHECK(end.note.address == 0x18);
  REQUIRE_FALSE(end.note.stack.empty());
  CHECK(functions_of(end.note.stack).at(0) == "bb_write_wildly");
}

TEST_CASE("black box: an exit in the middle, whatever the code") {
  for (const int code : {0, 3}) {
    const Ending end = end_of([&] { bb_outer(bb_exit, static_cast<uintptr_t>(code)); });
    CHECK((end.exit.how == Exit::How::exited));
    CHECK(end.exit.value == code);
    CHECK((end.note.kind == EndKind::exit));
    CHECK(end.note.exit_code == code);
    CHECK(goes_through(end.note.stack, "bb_exit"));
    CHECK(goes_through(end.note.stack, "bb_outer"));
  }
}

TEST_CASE("black box: closed, an end leaves nothing") {
  SUBCASE("exit") {
    const Ending end = end_of([] {
      close_black_box();
      std::exit(0);
    });
    CHECK(end.exit.text() == "code=exited, status=0");
    CHECK((end.note.kind == EndKind::none));
  }
  SUBCASE("a signal still does what it does") {
    const Ending end = end_of([] {
      close_black_box();
      bb_outer(bb_write_wildly, 0x10);
    });
    CHECK(end.exit.text() == "signal=SEGV");
    CHECK((end.note.kind == EndKind::none));
  }
  SUBCASE("what is said then is said to nobody") {
    const Ending end = end_of([] {
      close_black_box();
      note_reason("too late");
    });
    CHECK(end.exit.text() == "code=exited, status=0");
    CHECK(end.note.reason.empty());
  }
}

TEST_CASE("black box: SIGKILL leaves nothing") {
  const Ending end = end_of([] { ::raise(SIGKILL); });
  CHECK(end.exit.text() == "signal=KILL");
  CHECK((end.note.kind == EndKind::none));
  CHECK(end.note.stack.empty());
}

TEST_CASE("black box: an exception that nobody catches leaves its text") {
  const Ending end = end_of([] { bb_let_nothing_out(1); });
  check_signal(end, SIGABRT);
  CHECK(end.note.reason.find("the text of it") != std::string::npos);
  CHECK(goes_through(end.note.stack, "bb_let_nothing_out"));
  const Ending unknown = end_of([] { bb_let_nothing_out(2); });
  check_signal(unknown, SIGABRT);
  CHECK(unknown.note.reason.find("uncaught exception") != std::string::npos);
  CHECK(unknown.note.reason.find("the text of it") == std::string::npos);
}

TEST_CASE("black box: the last reason is the one that counts, and it is cut off where there is no more room") {
  const auto reason_of = [](const std::vector<std::string>& reasons) {
    return end_of([&] {
             for (const std::string& reason : reasons) note_reason(reason);
             std::abort();
           })
        .note.reason;
  };
  CHECK(reason_of({"on_tick failed: why"}) == "on_tick failed: why");
  CHECK(reason_of({"a long one", "short"}) == "short");
  CHECK(reason_of({"a long one", ""}).empty());
  constexpr size_t kRoom = sizeof BlackBox::reason - 1;
  for (const size_t size : {kRoom - 1, kRoom, kRoom + 1, 10 * kRoom}) {
    CAPTURE(size);
    CHECK(reason_of({std::string(size, 'x')}) == std::string(std::min(size, kRoom), 'x'));
    CHECK(reason_of({std::string(size, 'x'), "short"}) == "short");
  }
}

TEST_CASE("black box: the game blames the event") {
  const Ending blaming = end_of([] {
    note_reason("on_event failed: no such move");
    note_blame();
    std::abort();
  });
  check_signal(blaming, SIGABRT);
  CHECK(blaming.note.blames_event);
  CHECK(judge_death({blaming.exit, blaming.note, blaming.pid, "", {}}).doing == PoisonWatch::Doing::of_its_event);
  CHECK_FALSE(end_of([] { std::abort(); }).note.blames_event);
}

TEST_CASE("black box: a signal from another process names its sender") {
  std::fflush(nullptr);
  Box box = make_box();
  const Shared<Scene> scene;
  Child child([&] {
    open_black_box(box.region, nullptr);
    bb_spin(&*scene);
    return kChildFine;
  });
  REQUIRE(until(monotonic_ns() + kDeadlineNs, [&] { return scene->spins.load() != 0; }));
  ::kill(child.pid(), SIGTERM);
  const Ending end{child.wait(), read_end_note(box.view), child.pid()};
  check_signal(end, SIGTERM);
  CHECK(end.note.code == SI_USER);
  CHECK(end.note.sender == static_cast<uint32_t>(::getpid()));
  CHECK(goes_through(end.note.stack, "bb_spin"));
  CHECK(judge_death({end.exit, end.note, end.pid, "", {}}).doing == PoisonWatch::Doing::from_outside);
}

TEST_CASE("black box: asked where it is, a worker tells and goes on") {
  std::fflush(nullptr);
  Box box = make_box();
  const Shared<Scene> scene;
  constexpr int kErrno = 77;
  const uint64_t before_ns = monotonic_ns();
  Child child([&] {
    open_black_box(box.region, nullptr);
    box.region.status().frame_decided.store(812);
    box.region.status().heartbeat_ns.store(before_ns);
    box.region.set_phase(Phase::ticking);
    errno = kErrno;
    bb_spin(&*scene);
    return errno == kErrno ? kChildFine : 1;
  });
  REQUIRE(until(monotonic_ns() + kDeadlineNs, [&] { return scene->spins.load() != 0; }));
  CHECK_FALSE(read_slow_frame(box.view, 0).has_value());
  for (uint64_t number = 1; number <= 3; ++number) {
    CAPTURE(number);
    ::kill(child.pid(), kWhereAreYouSignal);
    std::optional<SlowFrame> slow;
    REQUIRE(until(monotonic_ns() + kDeadlineNs, [&] { return (slow = read_slow_frame(box.view, number - 1)).has_value(); }));
    CHECK(slow->number == number);
    CHECK(slow->frame == FrameNumber{812});
    CHECK(slow->phase == static_cast<uint32_t>(Phase::ticking));
    CHECK(slow->ran_ns > 0);
    CHECK(slow->ran_ns <= monotonic_ns() - before_ns);
    REQUIRE_FALSE(slow->stack.empty());
    CHECK(functions_of(slow->stack).at(0) == "bb_spin");
    CHECK(slow->stack[0].object == self_path());
    CHECK_FALSE(read_slow_frame(box.view, number).has_value());
    CHECK(read_slow_frame(box.view, 0)->number == number);  // the newest one
    const uint32_t spins = scene->spins.load();
    CHECK(until(monotonic_ns() + kDeadlineNs, [&] { return scene->spins.load() != spins; }));
  }
  scene->stop.store(1);
  CHECK(child.fine());
  CHECK((read_end_note(box.view).kind == EndKind::none));
}

namespace {

using Lines = std::vector<std::string>;

size_t say(const char* answer, char* text, size_t bytes) {
  const size_t count = std::min(std::strlen(answer), bytes);
  std::memcpy(text, answer, count);
  return count;
}
size_t tell_two_calls(char* text, size_t bytes) {
  return say("aim (turret.script:31)\n\ntick (battle.script:12)\n", text, bytes);
}
size_t tell_nothing(char*, size_t) {
  return 0;
}
size_t claim_more_than_there_is(char* text, size_t bytes) {
  std::memset(text, 'x', bytes);
  return bytes * 100;
}
size_t fault_when_asked(char* text, size_t bytes) {
  (void)say("half a li", text, bytes);
  bb_write_wildly(0x20);
  return 5;
}

}  // namespace

TEST_CASE("black box: where the game was in its own language, at its death") {
  for (const auto& die : {+[] { bb_outer(bb_write_wildly, 0x10); }, +[] { bb_outer(bb_abort, 0); },
                          +[] { bb_outer(bb_exit, 3); }, +[] { bb_overflow(0); }}) {
    const Ending end = end_of(die, tell_two_calls);
    CHECK((end.note.script.source == ScriptSource::stack));
    CHECK(end.note.script.lines == Lines{"aim (turret.script:31)", "tick (battle.script:12)"});
    CHECK_FALSE(end.note.stack.empty());
  }
  CHECK((end_of([] { bb_outer(bb_abort, 0); }).note.script.source == ScriptSource::none));
  const Ending silent = end_of([] { bb_outer(bb_abort, 0); }, tell_nothing);
  CHECK((silent.note.script.source == ScriptSource::none));
  CHECK(silent.note.script.lines.empty());
}

TEST_CASE("black box: a module that answers more than there is room for is believed as much as fits") {
  const Ending end = end_of([] { bb_outer(bb_abort, 0); }, claim_more_than_there_is);
  check_signal(end, SIGABRT);
  CHECK(end.note.script.lines == Lines{std::string(sizeof ScriptText::text, 'x')});
}

TEST_CASE("black box: a fault while the module is asked changes nothing of the death") {
  struct Case {
    void (*die)();
    int signal;
  };
  for (const Case& c :
       {Case{+[] { bb_outer(bb_abort, 0); }, SIGABRT}, Case{+[] { bb_outer(bb_write_wildly, 0x10); }, SIGSEGV}}) {
    const Ending end = end_of(c.die, fault_when_asked);
    check_signal(end, c.signal);
    CHECK(end.note.script.lines.empty());
    CHECK(goes_through(end.note.stack, "bb_outer"));
  }
  const Ending exited = end_of([] { bb_outer(bb_exit, 3); }, fault_when_asked);
  CHECK(exited.exit.text() == "code=exited, status=3");
  CHECK((exited.note.kind == EndKind::exit));
}

TEST_CASE("black box: a traceback that the host was given takes the place of the stack") {
  const Ending end = end_of(
      [] {
        note_reason("on_tick failed: why");
        note_traceback("aim (turret.script:31)\nspin (turret.script:2)");
        std::abort();
      },
      tell_two_calls);
  check_signal(end, SIGABRT);
  CHECK(end.note.reason == "on_tick failed: why");
  CHECK((end.note.script.source == ScriptSource::error));
  CHECK(end.note.script.lines == Lines{"aim (turret.script:31)", "spin (turret.script:2)"});
  const Ending without = end_of(
      [] {
        note_traceback("");
        std::abort();
      },
      tell_two_calls);
  CHECK((without.note.script.source == ScriptSource::stack));
}

TEST_CASE(
    "black box: asked where it is in its own language, a worker tells and goes on, and a fault of the answer does no harm") {
  std::fflush(nullptr);
  for (const auto& [ask, lines] :
       {std::pair{AskScript{tell_two_calls}, Lines{"aim (turret.script:31)", "tick (battle.script:12)"}},
        std::pair{AskScript{fault_when_asked}, Lines{}}}) {
    Box box = make_box();
    const Shared<Scene> scene;
    Child child([&, ask = ask] {
      open_black_box(box.region, ask);
      bb_spin(&*scene);
      bb_outer(bb_write_wildly, 0x10);  // a fault of its own is a death all the same
      return kChildFine;
    });
    REQUIRE(until(monotonic_ns() + kDeadlineNs, [&] { return scene->spins.load() != 0; }));
    for (uint64_t number = 1; number <= 3; ++number) {
      CAPTURE(number);
      ::kill(child.pid(), kWhereAreYouSignal);
      std::optional<SlowFrame> slow;
      REQUIRE(until(monotonic_ns() + kDeadlineNs, [&] { return (slow = read_slow_frame(box.view, number - 1)).has_value(); }));
      CHECK(slow->script.lines == lines);
      CHECK(goes_through(slow->stack, "bb_spin"));
      const uint32_t spins = scene->spins.load();
      CHECK(until(monotonic_ns() + kDeadlineNs, [&] { return scene->spins.load() != spins; }));
    }
    scene->stop.store(1);
    const Ending end{child.wait(), read_end_note(box.view), child.pid()};
    check_signal(end, SIGSEGV);
    CHECK(goes_through(end.note.stack, "bb_outer"));
    CHECK(end.note.script.lines == lines);
  }
}

TEST_CASE("black box: who is not ready to be asked takes no harm") {
  Child child([] {
    ::raise(kWhereAreYouSignal);
    return kChildFine;
  });
  CHECK(child.fine());
}

TEST_CASE("black box: the build id of a file that is mapped") {
  std::fflush(nullptr);
  Box box = make_box();
  Child child([&] {
    open_black_box(box.region, nullptr);
    return kChildFine;
  });
  REQUIRE(child.fine());
  Dl_info libc{};
  REQUIRE(::dladdr(reinterpret_cast<void*>(&std::abort), &libc) != 0);
  const std::string libc_path = std::filesystem::canonical(libc.dli_fname).string();
  CHECK(build_id_of(box.view, self_path()) == self().build_id());
  CHECK(build_id_of(box.view, libc_path) == ElfFile(libc_path).build_id());
  CHECK(build_id_of(box.view, libc_path) != self().build_id());
  CHECK(build_id_of(box.view, "/no/such/file.so").empty());
  CHECK(build_id_of(box.view, "").empty());
  CHECK(build_id_of(make_box().view, self_path()).empty());
}

// ---- the reader on bytes that may be anything -----------------------------------------------------------------------------

namespace {

void check_stack_bounds(const std::vector<TracedFrame>& stack) {
  REQUIRE(stack.size() <= kStackDepth);
  for (const TracedFrame& frame : stack) {
    REQUIRE(frame.object.size() <= 4 * sizeof MappedObject::path);
    REQUIRE(frame.build_id.size() <= 2 * sizeof MappedObject::build_id);
    REQUIRE(frame.build_id.find_first_not_of("0123456789abcdef") == std::string::npos);
    for (const char c : frame.object) REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
  }
}

void check_bounds(const IncarnationView& view) {
  const EndNote note = read_end_note(view);
  REQUIRE((note.kind == EndKind::none || note.kind == EndKind::signal || note.kind == EndKind::exit));
  REQUIRE(note.reason.size() <= 4 * sizeof BlackBox::reason);  // a byte that is no text becomes \\xNN
  for (const char c : note.reason) REQUIRE((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F));
  check_stack_bounds(note.stack);
  if (const auto slow = read_slow_frame(view, 0)) check_stack_bounds(slow->stack);
  (void)build_id_of(view, "/games/tanks.so");
}

// All that lies around the black box: if it were read, it would be seen.
void surround(Box& box) {
  std::memset(box.region.log_ring(), 'Z', box.view.log_capacity());
}

std::byte* bytes_of(Box& box) {
  return reinterpret_cast<std::byte*>(&box.region.black_box());
}

// One object, everywhere, and a note whose one address lies in it.
void fill_plausibly(BlackBox& to) {
  to.object_count = 1;
  MappedObject& object = to.objects[0];
  object.begin = 0x1000;
  object.end = 0x2000;
  object.bias = 0x800;
  object.build_id_bytes = 2;
  object.build_id[0] = 0xAB;
  object.build_id[1] = 0x0C;
  std::strcpy(object.path, "/games/tanks.so");
  for (StackAddresses* stack : {&to.death.stack, &to.slow.stack}) {
    stack->depth = 1;
    stack->addresses[0] = 0x1234;
  }
  to.death.kind = EndKind::signal;
  to.death.signal = SIGSEGV;
  to.death.code = SEGV_MAPERR;
  to.death.address = 0x10;
  std::strcpy(to.reason, "why");
}

}  // namespace

TEST_CASE("black box reader: every field") {
  Box box = make_box();
  BlackBox& to = box.region.black_box();
  fill_plausibly(to);
  to.death.sender = 815;
  to.death.exit_code = 3;
  to.slow.frame = 812;
  to.slow.ran_ns = 99;
  to.slow.phase = 3;
  SUBCASE("nothing is written yet") {
    CHECK((read_end_note(box.view).kind == EndKind::none));
    CHECK(read_end_note(box.view).reason.empty());
    CHECK_FALSE(read_slow_frame(box.view, 0).has_value());
  }
  SUBCASE("all") {
    to.death.written.store(2);
    to.slow.written.store(7);
    const EndNote note = read_end_note(box.view);
    CHECK((note.kind == EndKind::signal));
    CHECK(note.signal == SIGSEGV);
    CHECK(note.code == SEGV_MAPERR);
    CHECK(note.address == 0x10);
    CHECK(note.sender == 815);
    CHECK(note.exit_code == 3);
    CHECK(note.reason == "why");
    CHECK_FALSE(read_slow_frame(box.view, 7).has_value());
    CHECK_FALSE(read_slow_frame(box.view, 8).has_value());
    const auto slow = read_slow_frame(box.view, 6);
    REQUIRE(slow.has_value());
    CHECK(slow->number == 7);
    CHECK(slow->frame == FrameNumber{812});
    CHECK(slow->ran_ns == 99);
    CHECK(slow->phase == 3);
    for (const auto& stack : {note.stack, slow->stack}) {
      REQUIRE(stack.size() == 1);
      CHECK(stack[0].address == 0x1234);
      CHECK(stack[0].object == "/games/tanks.so");
      CHECK(stack[0].build_id == "ab0c");
      CHECK(stack[0].offset == 0x1234 - 0x800);
    }
  }
  SUBCASE("the stack is not written yet") {
    to.death.written.store(1);
    CHECK((read_end_note(box.view).kind == EndKind::signal));
    CHECK(read_end_note(box.view).stack.empty());
  }
  SUBCASE("written says yes, and there is nothing") {
    std::memset(bytes_of(box), 0, sizeof(BlackBox));
    to.death.written.store(2);
    to.slow.written.store(1);
    CHECK((read_end_note(box.view).kind == EndKind::none));
    CHECK(read_end_note(box.view).stack.empty());
    REQUIRE(read_slow_frame(box.view, 0).has_value());
    CHECK(read_slow_frame(box.view, 0)->stack.empty());
  }
  SUBCASE("a kind that there is not") {
    to.death.written.store(2);
    to.death.kind = static_cast<EndKind>(3);
    CHECK((read_end_note(box.view).kind == EndKind::none));
    CHECK(read_end_note(box.view).reason.empty());
  }
}

TEST_CASE("black box reader: what a game says in its own language, and what it cannot say") {
  Box box = make_box();
  BlackBox& to = box.region.black_box();
  fill_plausibly(to);
  to.death.written.store(2);
  to.slow.written.store(7);
  ScriptText& death = box.region.script_notes().death;
  ScriptText& slow = box.region.script_notes().slow;
  const auto fill = [](ScriptText& text, std::string_view lines, ScriptSource source, uint64_t number) {
    std::memcpy(text.text, lines.data(), lines.size());
    text.bytes = static_cast<uint32_t>(lines.size());
    text.source = static_cast<uint32_t>(source);
    text.written.store(number);
  };
  const std::string hostile = std::string("  aim\x1b[2J (a:1)\t\n\n \r\n\xff\n") + std::string(1, '\0') + "\ntick\\x (b:2)";
  fill(death, hostile, ScriptSource::error, 1);
  fill(slow, hostile, ScriptSource::stack, 7);
  const Lines lines{"aim\\x1b[2J (a:1)", "\\xff", "tick\\x (b:2)"};
  CHECK(read_end_note(box.view).script.lines == lines);
  CHECK((read_end_note(box.view).script.source == ScriptSource::error));
  CHECK(read_slow_frame(box.view, 6)->script.lines == lines);
  SUBCASE("not written yet") {
    death.written.store(0);
    slow.written.store(0);
    CHECK(read_end_note(box.view).script.lines.empty());
    CHECK(read_slow_frame(box.view, 6)->script.lines.empty());
  }
  SUBCASE("of another slow frame") {
    slow.written.store(6);
    CHECK(read_slow_frame(box.view, 6)->script.lines.empty());
  }
  SUBCASE("a source that there is not") {
    death.source = 3;
    slow.source = UINT32_MAX;
    CHECK(read_end_note(box.view).script.lines.empty());
    CHECK(read_slow_frame(box.view, 6)->script.lines.empty());
  }
  SUBCASE("more than there is room for, of whatever") {
    for (const char c : {'x', '\n', '\xff', '\0'}) {
      CAPTURE(static_cast<int>(c));
      std::memset(death.text, c, sizeof death.text);
      death.bytes = UINT32_MAX;
      const ScriptTrace script = read_end_note(box.view).script;
      CHECK(script.lines.size() == (c == 'x' || c == '\xff' ? 1 : 0));
      CHECK((script.source == (script.lines.empty() ? ScriptSource::none : ScriptSource::error)));
    }
    for (size_t i = 0; i < sizeof death.text; ++i) death.text[i] = i % 2 == 0 ? 'y' : '\n';
    CHECK(read_end_note(box.view).script.lines.size() == limits::kMaxScriptLines);
  }
}

TEST_CASE("black box reader: where an object begins and ends") {
  Box box = make_box();
  BlackBox& to = box.region.black_box();
  fill_plausibly(to);
  to.death.written.store(2);
  const auto object_of = [&](uint64_t address) {
    to.death.stack.addresses[0] = address;
    return read_end_note(box.view).stack.at(0);
  };
  CHECK(object_of(0x0FFF).object.empty());
  CHECK(object_of(0x0FFF).build_id.empty());
  CHECK(object_of(0x0FFF).address == 0x0FFF);
  CHECK(object_of(0x1000).object == "/games/tanks.so");
  CHECK(object_of(0x1FFF).object == "/games/tanks.so");
  CHECK(object_of(0x2000).object.empty());
  to.object_count = 0;  // what stands behind the count is not looked at
  CHECK(object_of(0x1234).object.empty());
}

TEST_CASE("black box reader: counts out of range, and texts without an end") {
  Box box = make_box();
  surround(box);
  BlackBox& to = box.region.black_box();
  fill_plausibly(to);
  to.death.written.store(2);
  to.slow.written.store(1);
  for (const uint32_t count : {uint32_t{kMaxMappedObjects}, uint32_t{kMaxMappedObjects} + 1, UINT32_MAX}) {
    CAPTURE(count);
    to.object_count = count;
    to.death.stack.depth = to.slow.stack.depth = count == kMaxMappedObjects ? kStackDepth : count + kStackDepth - 1;
    if (count == UINT32_MAX) to.death.stack.depth = to.slow.stack.depth = count;
    for (size_t i = 0; i < kStackDepth; ++i) to.death.stack.addresses[i] = to.slow.stack.addresses[i] = 0x5000;
    // The last object is the one; its texts have no end.
    MappedObject& last = to.objects[kMaxMappedObjects - 1];
    last.begin = 0x5000;
    last.end = 0x5001;
    last.build_id_bytes = count;
    std::memset(last.build_id, 0xFE, sizeof last.build_id);
    std::memset(last.path, 'p', sizeof last.path);
    std::memset(to.reason, 'r', sizeof to.reason);
    const EndNote note = read_end_note(box.view);
    CHECK(note.reason == std::string(sizeof to.reason, 'r'));
    const auto slow = read_slow_frame(box.view, 0);
    REQUIRE(slow.has_value());
    for (const auto& stack : {note.stack, slow->stack}) {
      REQUIRE(stack.size() == kStackDepth);
      for (const TracedFrame& frame : stack) {
        CHECK(frame.object == std::string(sizeof last.path, 'p'));
        CHECK(frame.build_id.size() == 2 * sizeof last.build_id);
      }
    }
    CHECK(build_id_of(box.view, "/x/" + std::string(sizeof last.path, 'p')).size() == 2 * sizeof last.build_id);
    CHECK(build_id_of(box.view, std::string(sizeof last.path - 1, 'p')).empty());
  }
}

TEST_CASE("black box reader: what would do something to a terminal is not shown") {
  Box box = make_box();
  BlackBox& to = box.region.black_box();
  fill_plausibly(to);
  to.death.written.store(2);
  std::strcpy(to.reason, "a\x1b[2Jb\nc\rd\x7f");
  std::strcpy(to.objects[0].path, "/games/\x1b]0;x\x07.so");
  const EndNote note = read_end_note(box.view);
  CHECK(note.reason == "a\\x1b[2Jb c\\x0dd\\x7f");
  CHECK(note.stack.at(0).object == "/games/\\x1b]0;x\\x07.so");
}

TEST_CASE("black box reader: of a path that was cut off, its end counts") {
  Box box = make_box();
  BlackBox& to = box.region.black_box();
  fill_plausibly(to);
  std::strcpy(to.objects[0].path, "ames/tanks.so");
  CHECK(build_id_of(box.view, "/games/tanks.so") == "ab0c");
  CHECK(build_id_of(box.view, "/games/tanks.so.1").empty());
  to.objects[0].path[0] = '\0';  // no name is the end of every path
  CHECK(build_id_of(box.view, "/games/tanks.so").empty());
}

TEST_CASE("black box reader: bytes that nobody meant") {
  arenad::test::Random random(arenad::test::test_seed());
  Box box = make_box();
  surround(box);
  BlackBox& to = box.region.black_box();
  std::memset(bytes_of(box), 0xFF, sizeof to);
  check_bounds(box.view);
  CHECK((read_end_note(box.view).kind == EndKind::none));
  to.death.kind = EndKind::exit;
  check_bounds(box.view);
  CHECK(read_end_note(box.view).stack.size() == kStackDepth);
  uint64_t with_notes = 0;
  uint64_t with_objects = 0;
  for (int round = 0; round < 2'000; ++round) {
    for (size_t at = 0; at < sizeof to; at += 8) {
      const uint64_t word = random();
      std::memcpy(bytes_of(box) + at, &word, 8);
    }
    // Otherwise almost nothing of it would be looked at.
    if (random.one_in(2)) to.death.kind = static_cast<EndKind>(random.below(3));
    if (random.one_in(2)) to.death.stack.depth = static_cast<uint32_t>(random.below(kStackDepth + 2));
    if (random.one_in(2)) to.object_count = static_cast<uint32_t>(random.below(kMaxMappedObjects + 2));
    if (random.one_in(2)) to.objects[0].begin = 0;
    check_bounds(box.view);
    const EndNote note = read_end_note(box.view);
    with_notes += note.kind != EndKind::none ? 1 : 0;
    with_objects += !note.stack.empty() && !note.stack[0].object.empty() ? 1 : 0;
  }
  CHECK(with_notes > 0);
  CHECK(with_objects > 0);
}
