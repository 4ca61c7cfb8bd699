// Crash reports for people: the table of many and the page of one.
#pragma once

#include <string>

#include "cli/stack_symbols.h"
#include "cli/table.h"
#include "ipc/crash.capnp.h"

namespace arenad::cli {

Table crash_table(capnp::List<wire::Incident>::Reader incidents);

// Without symbols, if they are not wanted.
std::string render_crash_page(wire::Crash::Reader crash, const StackSymbols* symbols, Colour colour);

}  // namespace arenad::cli
