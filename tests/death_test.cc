#include "supervisor/death.h"

#include <array>
#include <csignal>
#include <cstring>

#include <doctest/doctest.h>

namespace {

using namespace arenad;
using Doing = PoisonWatch::Doing;
using Memory = DeathFacts::Memory;

constexpr pid_t kPid = 4711;
constexpr uint32_t kOther = 815;

Exit exited(int code) {
  return {Exit::How::exited, code};
}
Exit signalled(int signal) {
  return {Exit::How::signalled, signal};
}

// What the handler of a fatal signal leaves.
EndNote note_of(int signal, int code, uint32_t sender = 0) {
  EndNote note;
  note.kind = EndKind::signal;
  note.signal = static_cast<uint32_t>(signal);
  note.code = code;
  note.sender = sender;
  return note;
}
EndNote note_of_exit(int code) {
  EndNote note;
  note.kind = EndKind::exit;
  note.exit_code = code;
  return note;
}

Death judge(const Exit& exit, const EndNote& note = {}, Memory memory = Memory::enough_or_unknown) {
  return judge_death({exit, note, kPid, "", memory});
}

void check(const Death& death, IncidentKind kind, Doing doing) {
  CAPTURE(death.cause);
  CHECK(to_string(death.kind) == std::string(to_string(kind)));
  CHECK((death.doing == doing));
  CHECK_FALSE(death.cause.empty());
}

bool says(const Death& death, const std::string& what) {
  CAPTURE(death.cause);
  CAPTURE(what);
  return death.cause.find(what) != std::string::npos;
}

constexpr std::array kFatal{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGSYS, SIGTRAP, SIGXCPU, SIGQUIT, SIGTERM};

}  // namespace

TEST_CASE("death: what arenad ended is a hang, however it ended") {
  for (const Exit& exit : {exited(0), exited(3), signalled(SIGABRT), signalled(SIGKILL), signalled(SIGSEGV), Exit{}}) {
    for (const EndNote& note : {EndNote{}, note_of(SIGABRT, SI_USER, kOther), note_of(SIGSEGV, SEGV_MAPERR), note_of_exit(1)}) {
      for (const Memory memory : {Memory::enough_or_unknown, Memory::short_of}) {
        CAPTURE(exit.text());
        const Death death = judge_death({exit, note, kPid, "it did not move for 7 s", memory});
        check(death, IncidentKind::hang, note.kind == EndKind::none ? Doing::from_outside : Doing::its_own);
        CHECK(says(death, "it did not move for 7 s"));
      }
    }
  }
}

TEST_CASE("death: an exit in the middle of a match is its own, whatever code and whatever else is known") {
  for (const int code : {0, 1, 3, 127, 255}) {
    for (const EndNote& note : {EndNote{}, note_of_exit(code), note_of_exit(77), note_of(SIGTERM, SI_USER, kOther)}) {
      for (const Memory memory : {Memory::enough_or_unknown, Memory::short_of}) {
        const Death death = judge(exited(code), note, memory);
        check(death, IncidentKind::exit, Doing::its_own);
        CHECK(says(death, "status=" + std::to_string(code)));
      }
    }
  }
}

TEST_CASE("death: SIGKILL is from outside, unless the kernel was out of memory") {
  // A note of something else that it was about to die of does not change who ended it.
  for (const EndNote& note : {EndNote{}, note_of(SIGSEGV, SEGV_MAPERR), note_of(SIGABRT, SI_TKILL, kPid),
                              note_of(SIGTERM, SI_USER, kOther), note_of_exit(1), note_of(SIGKILL, SI_USER, kPid)}) {
    const Death killed = judge(signalled(SIGKILL), note);
    check(killed, IncidentKind::killed, Doing::from_outside);
    CHECK(says(killed, "KILL"));
    const Death starved = judge(signalled(SIGKILL), note, Memory::short_of);
    check(starved, IncidentKind::out_of_memory, Doing::its_own);
    CHECK(says(starved, "memory"));
    CHECK_FALSE(says(starved, "own group"));
    const Death over_limit = judge(signalled(SIGKILL), note, Memory::over_own_limit);
    check(over_limit, IncidentKind::out_of_memory, Doing::its_own);
    CHECK(says(over_limit, "out of memory, at the limit of its own group"));
  }
  check(judge({}, {}, Memory::over_own_limit), IncidentKind::out_of_memory, Doing::its_own);
}

TEST_CASE("death: another signal, sent by another process, is from outside") {
  for (const int signal : kFatal) {
    for (const int code : {SI_USER, SI_QUEUE, SI_TKILL}) {
      CAPTURE(signal);
      CAPTURE(code);
      const Death death = judge(signalled(signal), note_of(signal, code, kOther));
      check(death, IncidentKind::crash, Doing::from_outside);
      CHECK(says(death, ::sigabbrev_np(signal)));
      CHECK(says(death, std::to_string(kOther)));
    }
  }
}

TEST_CASE("death: another signal that nobody else has sent is its own") {
  for (const int signal : kFatal) {
    CAPTURE(signal);
    std::array notes = {
        EndNote{},                                    // it could not leave one
        note_of(signal, SI_TKILL, kPid),              // abort(), raise()
        note_of(signal, SI_USER, kPid),               // kill(getpid(), ...)
        note_of(signal, SI_QUEUE, kPid),              //
        note_of(signal, SI_TKILL, 0),                 // a sender that is not known
        note_of(signal, SI_USER, 0),                  //
        note_of(signal, 1),                           // a fault
        note_of(signal, SI_KERNEL),                   // a fault of which nothing more is known
        note_of(signal, 1, kOther),                   // a fault has no sender: what stands there means nothing
        note_of(signal, SI_KERNEL, kOther),           //
        note_of(SIGHUP, SI_USER, kOther),             // of another signal than the one that it died of
        note_of_exit(0),                              //
        note_of(signal + (1 << 16), SI_USER, kOther)  // no signal at all
    };
    for (size_t i = 0; i < notes.size(); ++i) {
      CAPTURE(i);
      for (const Memory memory : {Memory::enough_or_unknown, Memory::short_of}) {
        const Death death = judge(signalled(signal), notes[i], memory);
        check(death, IncidentKind::crash, Doing::its_own);
        CHECK(says(death, ::sigabbrev_np(signal)));
      }
    }
  }
}

TEST_CASE("death: the cause tells what is known of a fault, and what the host said") {
  EndNote note = note_of(SIGSEGV, SEGV_MAPERR);
  note.address = 0x10;
  note.reason = "on_tick failed";
  const Death unmapped = judge(signalled(SIGSEGV), note);
  CHECK(says(unmapped, "0x10 is not mapped"));
  CHECK(says(unmapped, "on_tick failed"));
  note.code = SEGV_ACCERR;
  CHECK(says(judge(signalled(SIGSEGV), note), "no right to address 0x10"));
  note.code = SI_KERNEL;  // the address is not known
  CHECK_FALSE(says(judge(signalled(SIGSEGV), note), "0x10"));
  note.code = SI_TKILL;  // sent: there is no address
  CHECK_FALSE(says(judge(signalled(SIGSEGV), note), "0x10"));
  note.signal = SIGBUS;
  note.code = BUS_ADRERR;
  CHECK(says(judge(signalled(SIGBUS), note), "0x10"));
  note.signal = SIGFPE;
  note.code = FPE_INTDIV;
  CHECK(says(judge(signalled(SIGFPE), note), "division by zero at 0x10"));
  note.code = FPE_INTOVF;
  CHECK_FALSE(says(judge(signalled(SIGFPE), note), "division by zero"));
  CHECK(says(judge(signalled(SIGFPE), note), "at 0x10"));
  note.signal = SIGILL;
  note.code = ILL_ILLOPC;
  CHECK(says(judge(signalled(SIGILL), note), "at 0x10"));
  note.signal = SIGABRT;
  note.code = SI_TKILL;
  note.sender = kPid;
  CHECK(says(judge(signalled(SIGABRT), note), "on_tick failed"));
  // The note is of a signal that it did not die of.
  CHECK_FALSE(says(judge(signalled(SIGTRAP), note), "on_tick failed"));
}

TEST_CASE("death: the game may blame the event, by an abort of its own worker and by nothing else") {
  EndNote note = note_of(SIGABRT, SI_TKILL, kPid);
  note.blames_event = true;
  note.reason = "on_event failed: no such move";
  check(judge(signalled(SIGABRT), note), IncidentKind::crash, Doing::of_its_event);
  CHECK(says(judge(signalled(SIGABRT), note), "no such move"));
  // Also of one that is not our child.
  check(judge({}, note), IncidentKind::crash, Doing::of_its_event);
  note.blames_event = false;
  check(judge(signalled(SIGABRT), note), IncidentKind::crash, Doing::its_own);
  note.blames_event = true;
  check(judge_death({signalled(SIGABRT), note, kPid, "it did not move for 7 s", {}}), IncidentKind::hang, Doing::its_own);
  check(judge(signalled(SIGKILL), note), IncidentKind::killed, Doing::from_outside);
  // The note is of another end.
  check(judge(signalled(SIGSEGV), note), IncidentKind::crash, Doing::its_own);
  check(judge(exited(0), note), IncidentKind::exit, Doing::its_own);
  note.sender = kOther;
  check(judge(signalled(SIGABRT), note), IncidentKind::crash, Doing::from_outside);
  for (const int signal : kFatal) {
    if (signal == SIGABRT) continue;
    CAPTURE(signal);
    EndNote of_another = note_of(signal, SI_TKILL, kPid);
    of_another.blames_event = true;
    check(judge(signalled(signal), of_another), IncidentKind::crash, Doing::its_own);
  }
  EndNote exit = note_of_exit(1);
  exit.blames_event = true;
  check(judge({}, exit), IncidentKind::exit, Doing::its_own);
}

TEST_CASE("death: of one that is not our child, the note tells") {
  SUBCASE("a fault of its own") {
    EndNote note = note_of(SIGSEGV, SEGV_MAPERR);
    note.address = 0x10;
    const Death death = judge({}, note);
    check(death, IncidentKind::crash, Doing::its_own);
    CHECK(says(death, "0x10 is not mapped"));
  }
  SUBCASE("abort") {
    check(judge({}, note_of(SIGABRT, SI_TKILL, kPid)), IncidentKind::crash, Doing::its_own);
  }
  SUBCASE("a signal from another process") {
    check(judge({}, note_of(SIGTERM, SI_USER, kOther)), IncidentKind::crash, Doing::from_outside);
  }
  SUBCASE("an exit") {
    const Death death = judge({}, note_of_exit(3));
    check(death, IncidentKind::exit, Doing::its_own);
    CHECK(says(death, "status=3"));
  }
  SUBCASE("with a note, memory says nothing") {
    check(judge({}, note_of(SIGSEGV, SEGV_MAPERR), Memory::short_of), IncidentKind::crash, Doing::its_own);
    check(judge({}, note_of_exit(3), Memory::short_of), IncidentKind::exit, Doing::its_own);
  }
  SUBCASE("without a note, as SIGKILL") {
    check(judge({}), IncidentKind::killed, Doing::from_outside);
  }
  SUBCASE("without a note, as SIGKILL, also for lack of memory") {
    check(judge({}, {}, Memory::short_of), IncidentKind::out_of_memory, Doing::its_own);
  }
  SUBCASE("a note of no signal that there is") {
    check(judge({}, note_of(0, 0)), IncidentKind::crash, Doing::its_own);
    check(judge({}, note_of(1 << 20, SEGV_MAPERR)), IncidentKind::crash, Doing::its_own);
    check(judge({}, note_of(-1, -1, kPid)), IncidentKind::crash, Doing::its_own);
  }
}
