#include "cli/slow_stack.h"

#include <algorithm>
#include <fmt/format.h>

#include "cli/arena_fields.h"
#include "ipc/printable.h"
#include "ipc/script_notes_layout.h"

namespace arenad::cli {
namespace {

// The function in which an interpreter runs the calls of its language. What lies below it in a native stack is the script, once more.
bool is_interpreter_loop(const std::string& function) {
  constexpr std::string_view kCPython = "_PyEval_EvalFrameDefault";
  // A compiler may have split it: "_PyEval_EvalFrameDefault.cold".
  return function == kCPython || function.starts_with(std::string(kCPython) + ".");
}

// Between the loop and what the script calls.
bool is_interpreter_s_way_to_call(const std::string& function) {
  return function.starts_with("PyObject_") || function.starts_with("_PyObject_") || function.starts_with("PyVectorcall_");
}

std::string file_name(wire::StackFrame::Reader frame) {
  const std::string object = text_of(frame.getObject());
  return printable(object.substr(object.rfind('/') + 1));
}

// What the interpreter loads beside its own library (PEP 3149), or the game's own file, which has modules in it.
bool is_extension(wire::Crash::Reader report, unsigned at) {
  const auto frame = report.getStack()[at];
  const std::string build_id = text_of(report.getIncident().getBuildId());
  const std::string file = file_name(frame);
  return file.find(".cpython-") != std::string::npos || file.find(".abi3.") != std::string::npos ||
         (!build_id.empty() && text_of(frame.getBuildId()) == build_id);
}

std::string native_name(wire::StackFrame::Reader frame, const std::optional<SourcePlace>& place) {
  if (place && !place->function.empty()) return printable(place->function);
  const std::string file = file_name(frame);
  if (file.empty()) return fmt::format("{:#x}", frame.getAddress());
  return fmt::format("{}+{:#x}", file, frame.getOffset());
}

// What the script has called: the same wherever in it the frame was caught. Of a function without a name it is the file, for each place in it has
// another number. above: the calls above the interpreter's loop.
std::string called_name(wire::Crash::Reader report, const StackSymbols& symbols, size_t above) {
  if (above == 0) return "?";
  const auto function = [&](size_t i) { return symbols.places[i] ? symbols.places[i]->function : std::string(); };
  const auto stack = report.getStack();
  // Some of the interpreter's ways to call an extension have no name: they lie between the loop, in the same library, and that.
  const auto leads_to_extension = [&](size_t at) {
    if (!function(at).empty() || above >= stack.size()) return false;
    if (file_name(stack[static_cast<unsigned>(at)]) != file_name(stack[static_cast<unsigned>(above)])) return false;
    for (unsigned i = 0; i < at; ++i) {
      if (is_extension(report, i)) return true;
    }
    return false;
  };
  size_t called = above - 1;
  while (called > 0 && (is_interpreter_s_way_to_call(function(called)) || leads_to_extension(called))) --called;
  if (!function(called).empty()) return printable(function(called));
  const auto frame = stack[static_cast<unsigned>(called)];
  const std::string file = file_name(frame);
  return file.empty() ? native_name(frame, std::nullopt) : file;
}

std::vector<SlowCall> native_calls(wire::Crash::Reader report, const StackSymbols& symbols, size_t count) {
  std::vector<SlowCall> calls;
  for (unsigned i = 0; i < count; ++i) {
    calls.push_back({native_name(report.getStack()[i], symbols.places[i]), Language::native});
  }
  return calls;
}

// How many native calls lie above the interpreter's loop. Where its symbols do not tell, the innermost is all that is surely no part of it.
size_t calls_above_interpreter(const StackSymbols& symbols) {
  for (size_t i = 0; i < symbols.places.size(); ++i) {
    if (symbols.places[i] && is_interpreter_loop(symbols.places[i]->function)) return i;
  }
  return std::min<size_t>(symbols.places.size(), 1);
}

// The innermost call in the game's own file: what lies above it is what the game has called.
size_t innermost_of_module(wire::Crash::Reader report) {
  const std::string build_id = text_of(report.getIncident().getBuildId());
  const auto stack = report.getStack();
  for (unsigned i = 0; i < stack.size(); ++i) {
    if (!build_id.empty() && text_of(stack[i].getBuildId()) == build_id) return i;
  }
  return 0;
}

void append_script(std::vector<SlowCall>& calls, capnp::List<capnp::Text>::Reader lines, unsigned from) {
  for (unsigned i = from; i < lines.size(); ++i) calls.push_back({printable(text_of(lines[i])), Language::script});
}

}  // namespace

SlowFrameFacts slow_frame_of(wire::Crash::Reader report, const StackSymbols& symbols) {
  const auto incident = report.getIncident();
  SlowFrameFacts facts{.id = incident.getId(),
                       .arena = text_of(incident.getName()),
                       .at_unix_ms = incident.getAtUnixMs(),
                       .ran_ms = incident.getTookMs(),
                       .phase = printable(text_of(incident.getPhase())),
                       .call_site = "?",
                       .calls = {}};
  const auto script = report.getScript();
  if (script.size() == 0) {
    facts.calls = native_calls(report, symbols, symbols.places.size());
    if (!facts.calls.empty()) facts.call_site = facts.calls[innermost_of_module(report)].name;
    return facts;
  }
  const std::string first = printable(text_of(script[0]));
  if (!first.starts_with(kNativeCode)) {
    append_script(facts.calls, script, 0);
    facts.call_site = first;
    return facts;
  }
  const size_t above = calls_above_interpreter(symbols);
  facts.calls = native_calls(report, symbols, above);
  append_script(facts.calls, script, 1);
  facts.call_site = fmt::format("{} ({})", called_name(report, symbols, above), first);
  if (script.size() > 1) facts.call_site = fmt::format("{} > {}", printable(text_of(script[1])), facts.call_site);
  return facts;
}

}  // namespace arenad::cli
