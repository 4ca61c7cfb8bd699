#include "cli/stack_symbols.h"

#include <algorithm>

#include "cli/arena_fields.h"

namespace arenad::cli {

StackSymbols symbols_of(capnp::List<wire::StackFrame>::Reader stack) {
  Symbolizer symbolizer;
  return symbols_of(stack, symbolizer);
}

StackSymbols symbols_of(capnp::List<wire::StackFrame>::Reader stack, Symbolizer& symbolizer) {
  StackSymbols symbols;
  for (const auto frame : stack) {
    auto& place = symbols.places.emplace_back();
    const std::string object = text_of(frame.getObject());
    if (object.empty()) continue;
    // All but the innermost frame are return addresses.
    const CodeAddress kind = symbols.places.size() == 1 ? CodeAddress::exact : CodeAddress::after_call;
    auto found = symbolizer.place(object, text_of(frame.getBuildId()), frame.getOffset(), kind);
    if (found) {
      place = std::move(*found);
      continue;
    }
    const std::string problem = found.error().text();
    if (std::ranges::find(symbols.problems, problem) == symbols.problems.end()) symbols.problems.push_back(problem);
  }
  return symbols;
}

}  // namespace arenad::cli
