#include "supervisor/crash_signature.h"

#include <cstring>
#include <fmt/format.h>

#include "ipc/printable.h"

namespace arenad {
namespace {

constexpr size_t kMaxObjectBytes = 64;
constexpr size_t kMaxScriptBytes = 96;

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? std::string("SIG") + name : fmt::format("signal {}", number);
}

std::string how(const DeathFacts& facts) {
  switch (facts.exit.how) {
    case Exit::How::exited:
      return fmt::format("exit {}", facts.exit.value);
    case Exit::How::signalled:
      return signal_name(facts.exit.value);
    case Exit::How::unknown:
      break;
  }
  switch (facts.note.kind) {
    case EndKind::signal:
      return signal_name(static_cast<int>(facts.note.signal));
    case EndKind::exit:
      return fmt::format("exit {}", facts.note.exit_code);
    case EndKind::none:
      break;
  }
  return "unknown";
}

// The innermost place in the game's own code, if the stack tells: what lies above it is the C library's way of ending a process.
std::string place(const std::vector<TracedFrame>& stack) {
  for (const TracedFrame& frame : stack) {
    const std::string file = frame.object.substr(frame.object.rfind('/') + 1);
    if (file.empty() || file.starts_with("libc.so") || file.starts_with("libstdc++.so") || file.starts_with("[")) continue;
    return printable(file.substr(0, kMaxObjectBytes)) + fmt::format("+{:#x}", frame.offset);
  }
  return {};
}

// The innermost place in the game's own language. Of a function that is none of it the native stack knows more.
std::string place(const ScriptTrace& script) {
  if (script.lines.empty() || script.lines[0].starts_with(kNativeCode)) return {};
  return printable(script.lines[0].substr(0, kMaxScriptBytes));
}

}  // namespace

std::string crash_signature(const Death& death, const DeathFacts& facts) {
  std::string signature = how(facts);
  if (death.kind == IncidentKind::hang || death.kind == IncidentKind::out_of_memory) {
    signature += std::string(" ") + to_string(death.kind);
  }
  const std::string in_script = place(facts.note.script);
  const std::string where = in_script.empty() ? place(facts.note.stack) : in_script;
  if (!where.empty()) signature += " " + where;
  return signature;
}

}  // namespace arenad
