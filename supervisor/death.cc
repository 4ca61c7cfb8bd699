#include "supervisor/death.h"

#include <csignal>
#include <cstdlib>
#include <fmt/format.h>
#include <memory>
#include <seccomp.h>

namespace arenad {
namespace {

using Doing = PoisonWatch::Doing;

std::string system_call_name(int number) {
  const std::unique_ptr<char, decltype(&::free)> name(::seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number), &::free);
  return name ? name.get() : "number " + std::to_string(number);
}

// What the kernel says about a fault (sigaction(2)).
std::string detail_of(const EndNote& note) {
  switch (note.signal) {
    case SIGSEGV:
      if (note.code == SEGV_MAPERR) return fmt::format("address {:#x} is not mapped", note.address);
      if (note.code == SEGV_ACCERR) return fmt::format("no right to address {:#x}", note.address);
      break;
    case SIGBUS:
      return fmt::format("address {:#x}", note.address);
    case SIGFPE:
      if (note.code == FPE_INTDIV) return fmt::format("division by zero at {:#x}", note.address);
      [[fallthrough]];
    case SIGILL:
      return fmt::format("at {:#x}", note.address);
    case SIGSYS:
      return "its cage forbids the system call " + system_call_name(note.system_call);
    default:
      break;
  }
  return {};
}

std::string with_reason(std::string cause, const EndNote& note) {
  return note.reason.empty() ? cause : cause + ": " + note.reason;
}

Death death_by_signal(int signal, const DeathFacts& facts) {
  const std::string name = Exit{Exit::How::signalled, signal}.text();
  if (signal == SIGKILL) {
    if (facts.memory == DeathFacts::Memory::short_of) {
      return {IncidentKind::out_of_memory, Doing::its_own, name + ", by the kernel: out of memory"};
    }
    if (facts.memory == DeathFacts::Memory::over_own_limit) {
      return {IncidentKind::out_of_memory, Doing::its_own,
              name + ", by the kernel: out of memory, at the limit of its own group"};
    }
    return {IncidentKind::killed, Doing::from_outside, name};
  }
  const EndNote& note = facts.note;
  const bool has_note = note.kind == EndKind::signal && static_cast<int>(note.signal) == signal;
  if (has_note && note.code <= 0 && note.sender != 0 && static_cast<pid_t>(note.sender) != facts.pid) {
    return {IncidentKind::crash, Doing::from_outside, fmt::format("{}, sent by process {}", name, note.sender)};
  }
  if (!has_note && signal == SIGSYS)
    return {IncidentKind::crash, Doing::its_own, name + ", a system call that its cage forbids"};
  if (!has_note) return {IncidentKind::crash, Doing::its_own, name};
  const std::string detail = note.code > 0 ? detail_of(note) : "";
  // The host ends the worker of a game that blames an event, and in no other way.
  const Doing doing = note.blames_event && signal == SIGABRT && note.code <= 0 ? Doing::of_its_event : Doing::its_own;
  return {IncidentKind::crash, doing, with_reason(detail.empty() ? name : name + ", " + detail, note)};
}

Death death_by_exit(int code) {
  return {IncidentKind::exit, Doing::its_own, Exit{Exit::How::exited, code}.text() + ", in the middle of a match"};
}

}  // namespace

Death judge_death(const DeathFacts& facts) {
  if (!facts.ended_by_arenad.empty()) {
    const Doing doing = facts.note.kind == EndKind::none ? Doing::from_outside : Doing::its_own;
    return {IncidentKind::hang, doing, facts.ended_by_arenad};
  }
  switch (facts.exit.how) {
    case Exit::How::exited:
      return death_by_exit(facts.exit.value);
    case Exit::How::signalled:
      return death_by_signal(facts.exit.value, facts);
    case Exit::How::unknown:
      if (facts.note.kind == EndKind::signal) return death_by_signal(static_cast<int>(facts.note.signal), facts);
      if (facts.note.kind == EndKind::exit) return death_by_exit(facts.note.exit_code);
      if (facts.memory != DeathFacts::Memory::enough_or_unknown) return death_by_signal(SIGKILL, facts);
      return {IncidentKind::killed, Doing::from_outside, "it left no trace, as after SIGKILL"};
  }
  return {};
}

}  // namespace arenad
