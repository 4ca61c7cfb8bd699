// The exit codes of arenactl. Scripts rely on them, so a number never changes its meaning.
#pragma once

#include <array>

#include "arenad/result.h"

namespace arenad::cli {

enum class ExitCode {
  ok = 0,
  failed = 1,
  usage = 2,
  not_running = 3,
  unknown_arena = 4,
  timeout = 5,
  refused = 6,
  unreachable = 7,
  gate_failed = 8,
};

struct ExitCodeMeaning {
  ExitCode code;
  const char* meaning;
};

inline constexpr std::array kExitCodeMeanings{
    ExitCodeMeaning{ExitCode::ok, "done; what was asked for may have been so already"},
    ExitCodeMeaning{ExitCode::failed, "it was tried and did not work"},
    ExitCodeMeaning{ExitCode::usage, "the command line is wrong, or arenad finds a value invalid"},
    ExitCodeMeaning{ExitCode::not_running, "status: an arena that was selected is not running"},
    ExitCodeMeaning{ExitCode::unknown_arena, "there is no such arena"},
    ExitCodeMeaning{ExitCode::timeout, "not finished in time; it may still happen"},
    ExitCodeMeaning{ExitCode::refused, "the state of the arena or of arenad does not allow it, or you lack the right"},
    ExitCodeMeaning{ExitCode::unreachable, "arenad does not answer, or has gone away"},
    ExitCodeMeaning{ExitCode::gate_failed, "gate: the new code is slower than is allowed, or does something else"},
};

constexpr ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::failed:
    case ErrorCode::corrupt:
    case ErrorCode::exhausted:
      return ExitCode::failed;
    case ErrorCode::invalid:
      return ExitCode::usage;
    case ErrorCode::unknown_arena:
      return ExitCode::unknown_arena;
    case ErrorCode::timeout:
      return ExitCode::timeout;
    case ErrorCode::refused:
      return ExitCode::refused;
    case ErrorCode::unreachable:
      return ExitCode::unreachable;
  }
  return ExitCode::failed;
}

// How bad it is, if several arenas end differently: a refusal can be asked again, a failure must be
// looked at.
constexpr int severity(ExitCode code) {
  switch (code) {
    case ExitCode::ok:
      return 0;
    case ExitCode::not_running:
      return 1;
    case ExitCode::refused:
      return 2;
    case ExitCode::unknown_arena:
      return 3;
    case ExitCode::timeout:
      return 4;
    case ExitCode::failed:
      return 5;
    case ExitCode::usage:
      return 6;
    case ExitCode::unreachable:
      return 7;
    case ExitCode::gate_failed:  // of no arena: it meets none of the others
      return 8;
  }
  return 8;
}

constexpr ExitCode worst(ExitCode a, ExitCode b) {
  return severity(a) >= severity(b) ? a : b;
}

}  // namespace arenad::cli
