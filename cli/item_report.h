// What commands print that do the same to several things: one line for each, what was done on standard output, what failed on
// standard error.
#pragma once

#include <string>

#include "cli/exit_code.h"
#include "cli/selection.h"
#include "cli/session.h"
#include "ipc/control.capnp.h"

namespace arenad::cli {

// Gives the worst of the items' exit codes. ErrorCode::unknown_arena if arenas were named and there is no item at all.
Result<ExitCode> report_items(const Session& session, const ArenaSelection& selection, capnp::List<wire::Item>::Reader items);

// Of all arenas none was concerned, which is well: says why.
ExitCode report_nothing(const Session& session, const std::string& why);

// The same for things that are no arenas and were named by number: "17 (duel-1): dropped".
Result<ExitCode> report_numbered_items(const Session& session, capnp::List<wire::Item>::Reader items);

}  // namespace arenad::cli
